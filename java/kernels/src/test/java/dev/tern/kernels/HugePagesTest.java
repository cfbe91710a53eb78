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

class HugePagesTest {
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 64, 4096, HugePages.PAGE - 1, HugePages.PAGE, HugePages.PAGE + 1, 7 * HugePages.PAGE})
    void isZeroWritableAndOfTheSizeAskedFor(long bytes) {
        try (Arena arena = Arena.ofShared()) {
            for (MemorySegment memory : new MemorySegment[] {
                HugePages.allocate(arena, bytes), HugePages.allocate(arena, bytes), HugePages.ordinary(arena, bytes)
            }) {
                assertThat(memory.byteSize()).isEqualTo(bytes);
                assertThat(memory.address() % 64).isZero();
                assertThat(memory.isReadOnly()).isFalse();
                for (long at = 0; at < bytes; at += 4093) {
                    assertThat(memory.get(ValueLayout.JAVA_BYTE, at)).isZero();
                }
                memory.fill((byte) 7);
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void beginsAtAHugePage() {
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 1; i <= 5; i++) {
                assertThat(HugePages.allocate(arena, i * HugePages.PAGE).address() % HugePages.PAGE).isZero();
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void isGivenBackWithTheArena() throws IOException {
        long bytes = 64 * HugePages.PAGE;
        long address;
        MemorySegment memory;
        try (Arena arena = Arena.ofShared()) {
            memory = HugePages.allocate(arena, bytes);
            memory.fill((byte) 1);
            address = memory.address();
            assertThat(isMapped(address, bytes)).isTrue();
        }
        assertThat(isMapped(address, bytes)).isFalse();
        assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aClosedArenaTakesNothing() throws IOException {
        Arena arena = Arena.ofShared();
        arena.close();
        long before = mappings();
        for (int i = 0; i < 100; i++) {
            assertThatThrownBy(() -> HugePages.allocate(arena, 1000 * HugePages.PAGE))
                    .isInstanceOf(IllegalStateException.class);
        }
        assertThat(mappings() - before).isLessThan(50);
    }

    /** Whether the whole of a stretch is in the process's memory map. */
    private static boolean isMapped(long address, long bytes) throws IOException {
        long at = address;
        for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
            String[] ends = line.split(" ")[0].split("-");
            if (Long.parseUnsignedLong(ends[0], 16) <= at && at < Long.parseUnsignedLong(ends[1], 16)) {
                at = Long.parseUnsignedLong(ends[1], 16);
            }
        }
        return at >= address + bytes;
    }

    private static long mappings() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).size();
    }
}
