package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Rows of Q8_0 and Q6_K, widened as {@code tern_kernels.h} says. Every product is exact, so its order is free. */
final class FloatBlocks {
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private FloatBlocks() {}

    /** Elements from the block at byte {@code from} on. */
    static void widenQ8(MemorySegment values, long from, float[] wide) {
        for (int c = 0; c < wide.length; c += 32, from += 34) {
            float d = Float.float16ToFloat(values.get(HALF, from));
            for (int i = 0; i < 32; i++) {
                wide[c + i] = d * values.get(JAVA_BYTE, from + 2 + i);
            }
        }
    }

    /** Elements from the block at byte {@code from} on. */
    static void widenQ6(MemorySegment values, long from, float[] wide) {
        for (int c = 0; c < wide.length; c += 256, from += 210) {
            float d = Float.float16ToFloat(values.get(HALF, from + 208));
            for (int half = 0; half < 2; half++) {
                long low = from + 64 * half;
                long high = from + 128 + 32 * half;
                long scales = from + 192 + 8 * half;
                int to = c + 128 * half;
                for (int l = 0; l < 32; l++) {
                    int a = values.get(JAVA_BYTE, low + l);
                    int b = values.get(JAVA_BYTE, low + 32 + l);
                    int h = values.get(JAVA_BYTE, high + l);
                    long scale = scales + l / 16;
                    wide[to + l] = d * values.get(JAVA_BYTE, scale) * ((a & 15 | (h & 3) << 4) - 32);
                    wide[to + 32 + l] = d * values.get(JAVA_BYTE, scale + 2) * ((b & 15 | (h >> 2 & 3) << 4) - 32);
                    wide[to + 64 + l] = d * values.get(JAVA_BYTE, scale + 4) * ((a >> 4 & 15 | (h >> 4 & 3) << 4) - 32);
                    wide[to + 96 + l] = d * values.get(JAVA_BYTE, scale + 6) * ((b >> 4 & 15 | (h >> 6 & 3) << 4) - 32);
                }
            }
        }
    }
}
