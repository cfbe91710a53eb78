package dev.tern.ternary;

import java.lang.foreign.MemorySegment;

/**
 * Reads rows of Q4_0 and Q8_0, blocks of 32 columns with w = d * q. Four blocks are one group of the run-time layout,
 * the first in its highest bits. Eight weights at a time, a signed byte each.
 *
 * <p>Which q may stand for s follows from d: k = s / |d|, if that is a whole number and in range. Tern writes d = s and
 * k = 1; ggml's quantizer of Q8_0 writes d = s / 127 and k = 127, that of Q4_0 d = -w / 8 for the first weight of
 * largest magnitude and k = 8, which holds s or -s, but not both.
 */
final class SmallBlocks {
    private static final long ONE = 0x0101_0101_0101_0101L;
    private static final long LOW_7 = 0x7F7F_7F7F_7F7F_7F7FL;
    private static final long NIBBLE = 0x0F0F_0F0F_0F0F_0F0FL;
    private static final long EIGHT = 0x0808_0808_0808_0808L;

    private SmallBlocks() {}

    /** As {@link BlockFormat#packRow}; {@code nibbles} for Q4_0. */
    static int packRow(
            boolean nibbles, MemorySegment in, long at, int blocks, float s, MemorySegment runtime, long to) {
        int blockBytes = nibbles ? 18 : 34;
        float lastD = 0;
        int k = 0;
        for (int first = 0; first < blocks; first += 4, to += RuntimeLayout.GROUP_BYTES) {
            long g0 = 0;
            long g1 = 0;
            long g2 = 0;
            long g3 = 0;
            for (int b = first; b < first + 4; b++) {
                if (b >= blocks) { // padding: code 1
                    g0 = g0 << 2 | ONE;
                    g1 = g1 << 2 | ONE;
                    g2 = g2 << 2 | ONE;
                    g3 = g3 << 2 | ONE;
                    continue;
                }
                long block = at + (long) b * blockBytes;
                float d = BlockFormat.half(in, block);
                if (d != lastD) {
                    lastD = d;
                    k = step(d, s, nibbles ? 8 : 128);
                }
                long x0;
                long x1;
                long x2;
                long x3;
                if (nibbles) {
                    long a = in.get(RuntimeLayout.LONG, block + 2);
                    long c = in.get(RuntimeLayout.LONG, block + 10);
                    x0 = signed(a & NIBBLE);
                    x1 = signed(c & NIBBLE);
                    x2 = signed(a >>> 4 & NIBBLE);
                    x3 = signed(c >>> 4 & NIBBLE);
                } else {
                    x0 = in.get(RuntimeLayout.LONG, block + 2);
                    x1 = in.get(RuntimeLayout.LONG, block + 10);
                    x2 = in.get(RuntimeLayout.LONG, block + 18);
                    x3 = in.get(RuntimeLayout.LONG, block + 26);
                }
                if (d == 0) { // every weight is 0 * q
                    x0 = x1 = x2 = x3 = 0;
                }
                long other = x0 ^ expected(x0, k) | x1 ^ expected(x1, k) | x2 ^ expected(x2, k) | x3 ^ expected(x3, k);
                if (other != 0 || !Float.isFinite(d)) {
                    return b;
                }
                g0 = g0 << 2 | codes(x0, d);
                g1 = g1 << 2 | codes(x1, d);
                g2 = g2 << 2 | codes(x2, d);
                g3 = g3 << 2 | codes(x3, d);
            }
            runtime.set(RuntimeLayout.LONG, to, g0);
            runtime.set(RuntimeLayout.LONG, to + 8, g1);
            runtime.set(RuntimeLayout.LONG, to + 16, g2);
            runtime.set(RuntimeLayout.LONG, to + 24, g3);
        }
        return -1;
    }

    /**
     * k with |d| * k = s, which products in float hold exactly; 0 when there is none, and so only zeros are allowed.
     */
    private static int step(float d, float s, int most) {
        float size = Math.abs(d);
        float k = s / size;
        return k >= 1 && k <= most && (int) k * size == s ? (int) k : 0;
    }

    /** Nibbles q as signed bytes q - 8. */
    private static long signed(long nibbles) {
        long x = nibbles ^ EIGHT;
        return x | (x & EIGHT) * 30; // 8 * 30 = 0xF0: the sign in the upper half
    }

    /** 1 in each byte that is not 0. */
    private static long nonZero(long x) {
        return ((x & LOW_7) + LOW_7 | x) >>> 7 & ONE;
    }

    /** k or -k with the sign of each byte of x, 0 for 0: x itself when it is ternary. */
    private static long expected(long x, int k) {
        long negative = x >>> 7 & ONE;
        return (nonZero(x) - negative) * k + negative * (-k & 0xFF); // a byte of a factor is 0 or 1: no carries
    }

    /** T+1, the sign being that of q * d. */
    private static long codes(long x, float d) {
        long minus = d < 0 ? nonZero(x) - (x >>> 7 & ONE) : x >>> 7 & ONE;
        return ONE + nonZero(x) - (minus << 1);
    }
}
