package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class SmallPagesTest {

    @Test
    void areZeroAndNeverOf2MiB() throws IOException {
        long bytes = 4 * HugePages.PAGE + 1;
        long address;
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = SmallPages.allocate(arena, bytes).orElseThrow();
            assertThat(memory.byteSize()).isEqualTo(bytes);
            assertThat(memory.get(ValueLayout.JAVA_BYTE, bytes - 1)).isZero();
            memory.fill((byte) 1);
            address = memory.address();
            List<String> mapping = mapping(address);
            assertThat(mapping).anyMatch(line -> line.matches("AnonHugePages: +0 kB"));
            if (Files.exists(Path.of("/sys/kernel/mm/transparent_hugepage"))) {
                assertThat(mapping).anyMatch(line -> line.matches("VmFlags:.* nh( .*)?"));
            }
        }
        assertThat(mapping(address)).noneMatch(line -> line.startsWith("Size:") && line.contains(" 8196 kB"));
    }

    /** The lines of smaps about the mapping that an address lies in. */
    private static List<String> mapping(long address) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
        for (int i = 0; i < lines.size(); i++) {
            String[] ends = lines.get(i).split(" ")[0].split("-");
            if (ends.length == 2
                    && Long.parseUnsignedLong(ends[0], 16) <= address
                    && address < Long.parseUnsignedLong(ends[1], 16)) {
                int end = i + 1;
                while (end < lines.size() && !lines.get(end).matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                    end++;
                }
                return lines.subList(i + 1, end);
            }
        }
        return List.of();
    }
}
