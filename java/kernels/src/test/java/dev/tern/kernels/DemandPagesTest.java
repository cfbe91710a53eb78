package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemandPagesTest {
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 64, 4096, 65535, 65536, 65537, 1 << 20})
    void isZeroWritableAlignedAndOfTheSizeAskedFor(long bytes) {
        try (Arena arena = Arena.ofShared()) {
            for (long alignment : new long[] {1, 64, 4096, 1 << 16}) {
                MemorySegment memory = DemandPages.in(arena).allocate(bytes, alignment);
                assertThat(memory.byteSize()).isEqualTo(bytes);
                assertThat(memory.address() % alignment).isZero();
                for (long at = 0; at < bytes; at += 4093) {
                    assertThat(memory.get(ValueLayout.JAVA_BYTE, at)).isZero();
                }
                memory.fill((byte) 7);
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void isInMemoryOnceItIsWritten() throws IOException {
        long mebibytes = 512;
        try (Arena arena = Arena.ofShared()) {
            long before = residentMebibytes();
            MemorySegment memory = DemandPages.in(arena).allocate(mebibytes << 20, 64);
            assertThat(residentMebibytes() - before).isLessThan(mebibytes / 4);
            memory.asSlice(0, mebibytes << 19).fill((byte) 1);
            assertThat(residentMebibytes() - before).isBetween(mebibytes / 4, mebibytes * 3 / 4);
        }
    }

    @Test
    void isGoneWithItsArena() {
        MemorySegment memory;
        try (Arena arena = Arena.ofShared()) {
            memory = DemandPages.in(arena).allocate(1 << 20, 64);
        }
        assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    private static long residentMebibytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("RssAnon:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) >> 10;
            }
        }
        throw new IOException("no RssAnon in /proc/self/status");
    }
}
