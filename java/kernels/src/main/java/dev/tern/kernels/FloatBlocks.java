package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Rows of Q8_0 and Q6_K, widened as {@code tern_kernels.h} says, and floats narrowed to Q8_0. Every product of widening
 * is exact, so its order is free.
 */
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

    /** {@code n} floats, whole blocks, from element {@code from} of {@code x} on, to the blocks at byte {@code to}. */
    static void narrowQ8(MemorySegment x, long from, MemorySegment blocks, long to, int n) {
        for (int c = 0; c < n; c += 32, from += 32, to += 34) {
            float m = 0;
            for (int i = 0; i < 32; i++) {
                float magnitude = Math.abs(x.getAtIndex(JAVA_FLOAT, from + i));
                m = magnitude > m ? magnitude : m; // false for a NaN
            }
            float d = m / 127f;
            float r = d == 0 ? 0 : 1f / d;
            blocks.set(HALF, to, Float.floatToFloat16(d));
            for (int i = 0; i < 32; i++) {
                double rounded = Math.rint(x.getAtIndex(JAVA_FLOAT, from + i) * r);
                int q = rounded > -127 ? (int) Math.min(rounded, 127) : -127; // a NaN is not greater
                blocks.set(JAVA_BYTE, to + 2 + i, (byte) q);
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
