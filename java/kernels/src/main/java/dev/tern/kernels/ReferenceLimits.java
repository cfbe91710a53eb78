package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** What the kernels that measure a machine's limits return. */
final class ReferenceLimits {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private ReferenceLimits() {}

    static long memoryRead(MemorySegment x) {
        long sum = 0;
        for (long i = 0; i < x.byteSize() / 8; i++) {
            sum += x.getAtIndex(WORD, i);
        }
        return sum;
    }

    /** Without the repetitions: this is no peak of anything. */
    static void dotPeak(MemorySegment codes, MemorySegment values, long n, MemorySegment sums) {
        for (int i = 0; i < 16; i++) {
            int dot = 0;
            for (int j = 0; j < 4; j++) {
                dot += codes.get(JAVA_BYTE, 4 * i + j) * values.get(JAVA_BYTE, j);
            }
            sums.setAtIndex(JAVA_INT, i, (int) (n * dot));
        }
    }
}
