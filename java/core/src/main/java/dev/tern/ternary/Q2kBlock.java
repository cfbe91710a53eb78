package dev.tern.ternary;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A block of Q2_K, 256 columns in 84 bytes. Byte j of the first 16 belongs to columns 16j to 16j + 15: a scale sc in
 * its low and a minimum m in its high half. Then 64 bytes of codes q from 0 to 3, ordered as in {@link Tq2Block}; then
 * d and dmin as fp16. w = d * sc * q - dmin * m. Ternary: q = T + 1, sc = m = 1, d = dmin = s.
 *
 * <p>Blocks with other scales are read as well when their weights come out as 0, s and -s, each computed in float as
 * ggml does.
 */
final class Q2kBlock {
    /** Byte of d. */
    static final int D = 80;

    /** Byte of dmin. */
    static final int D_MIN = 82;

    private static final int BYTES = 84;
    private static final int SCALES = 16;
    private static final byte ONE_ONE = 0x11;
    private static final long ONE = 0x0101_0101_0101_0101L;

    private Q2kBlock() {}

    /** Everything but d and dmin. */
    static void encode(byte[] values, int v, byte[] out, int o) {
        for (int j = 0; j < SCALES; j++) {
            out[o + j] = ONE_ONE;
        }
        Tq2Block.encode(values, v, out, o + SCALES);
    }

    /** Weight {@code i}. */
    static float value(MemorySegment in, long at, int i) {
        int codes = in.get(ValueLayout.JAVA_BYTE, at + SCALES + i / 128 * 32 + i % 32);
        int scale = in.get(ValueLayout.JAVA_BYTE, at + i / 16);
        int q = codes >> 2 * (i % 128 / 32) & 3;
        return value(BlockFormat.half(in, at + D), BlockFormat.half(in, at + D_MIN), scale, q);
    }

    /** The products are exact (11 + 4 + 2 bits); the difference is rounded once. */
    private static float value(float d, float dMin, int scale, int q) {
        return d * (scale & 15) * q - dMin * (scale >> 4 & 15);
    }

    /** As {@link BlockFormat#packRow}. */
    static int packRow(MemorySegment in, long at, int blocks, float s, MemorySegment runtime, long to) {
        for (int b = 0; b < blocks; b++, at += BYTES, to += 2 * RuntimeLayout.GROUP_BYTES) {
            float d = BlockFormat.half(in, at + D);
            float dMin = BlockFormat.half(in, at + D_MIN);
            boolean plain = d == s && dMin == s && d != 0
                    && in.get(RuntimeLayout.LONG, at) == ONE * ONE_ONE
                    && in.get(RuntimeLayout.LONG, at + 8) == ONE * ONE_ONE;
            long invalid = plain
                    ? Tq2Block.pack(in, at + SCALES, runtime, to)
                    : translate(in, at, d, dMin, s, runtime, to);
            if (invalid != 0) {
                return b;
            }
        }
        return -1;
    }

    /** Sixteen columns after the other, each with its own meaning of the four codes. */
    private static long translate(
            MemorySegment in, long at, float d, float dMin, float s, MemorySegment runtime, long to) {
        long invalid = 0;
        for (int i = 0; i < 64; i += 8) {
            long bytes = in.get(RuntimeLayout.LONG, at + SCALES + i);
            long out = 0;
            for (int t = 0; t < 4; t++) {
                int scale = in.get(ValueLayout.JAVA_BYTE, at + i / 32 * 8 + 2 * t + i % 32 / 16);
                long low = bytes >>> 2 * t & ONE;
                long high = bytes >>> 2 * t + 1 & ONE;
                long both = low & high;
                out = out << 2
                        | code(value(d, dMin, scale, 0), s) * (ONE ^ low ^ high ^ both)
                        | code(value(d, dMin, scale, 1), s) * (low ^ both)
                        | code(value(d, dMin, scale, 2), s) * (high ^ both)
                        | code(value(d, dMin, scale, 3), s) * both;
            }
            invalid |= RuntimeLayout.invalid(out);
            runtime.set(RuntimeLayout.LONG, to + i, out);
        }
        return invalid;
    }

    /** T+1, or 3 for what is not ternary. */
    private static long code(float value, float s) {
        if (value == 0) {
            return 1;
        }
        return value == s ? 2 : value == -s ? 0 : 3;
    }
}
