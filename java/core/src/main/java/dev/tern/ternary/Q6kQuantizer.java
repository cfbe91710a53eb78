package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Q6_K: blocks of 256 weights in 210 bytes: the low four bits of the codes (128 bytes), their high two bits (64),
 * sixteen signed scales, one for each 16 columns, and d as fp16. w = (d * scale) * (code - 32).
 *
 * <p>For 16 columns, ggml looks for the step that loses least, weighted by x². With m the value of largest magnitude it
 * tries the inverse steps -(32 + 0.1 i) / m for i = 0, -9 .. 9; for each, with l = round(x * inverse) in [-32, 31], the
 * best step is sum(x² x l) / sum(x² l l), and it keeps the one for which sum(x² x l)² / sum(x² l l) is largest. The
 * sums are taken in the order of the columns, so here they run side by side for many groups of 16, a lane each.
 */
final class Q6kQuantizer extends BlockQuantizer {
    private static final int COLUMNS = 256;
    private static final int BYTES = 210;
    private static final int GROUP = 16;
    private static final int GROUPS = COLUMNS / GROUP;

    /** Lanes: the groups of 16 blocks. Three arrays of 16 floats a lane stay in the first two levels of cache. */
    private static final int LANES = 256;

    /** Below this a group counts as zeros. */
    private static final float NOTHING = 1e-15f;

    /** 1.5 * 2^23: adding and subtracting it rounds to an integer, halves to even. */
    private static final float ROUND = 12582912f;

    /** The largest step is max|x| / 31.1, the largest d a 128th of that; fp16 ends at 65504. */
    private static final float LIMIT = 65504f * 128 * 31;

    /** Column i of lane g at {@code [i][g]}; then x² and x³. */
    private final float[][] x = new float[GROUP][LANES];

    private final float[][] x2 = new float[GROUP][LANES];
    private final float[][] x3 = new float[GROUP][LANES];
    private final float[] max = new float[LANES];
    private final float[] inverse = new float[LANES];
    private final float[] sumLx = new float[LANES];
    private final float[] sumL2 = new float[LANES];
    private final float[] best = new float[LANES];
    private final float[] bestInverse = new float[LANES];
    private final float[] step = new float[LANES];
    private final byte[] codes = new byte[COLUMNS];
    private final byte[] block = new byte[BYTES];

    Q6kQuantizer() {
        super(GgmlType.Q6_K);
    }

    @Override
    float limit() {
        return LIMIT;
    }

    @Override
    void quantizeBlocks(float[] values, int from, int count, MemorySegment out, long at) {
        for (int first = from; first < from + count; first += LANES * GROUP) {
            int blocks = Math.min(LANES / GROUPS, (from + count - first) / COLUMNS);
            findSteps(values, first, blocks * GROUPS);
            for (int b = 0; b < blocks; b++, at += BYTES) {
                encode(values, first + b * COLUMNS, b * GROUPS);
                MemorySegment.copy(block, 0, out, ValueLayout.JAVA_BYTE, at, BYTES);
            }
        }
    }

    /** The step of each group into {@link #step}, 0 for groups of zeros, and the inverse step that led there. */
    private void findSteps(float[] values, int first, int groups) {
        for (int g = 0; g < groups; g++) {
            float largest = 0;
            float size = 0;
            for (int i = 0; i < GROUP; i++) {
                float v = values[first + g * GROUP + i];
                x[i][g] = v;
                if (Math.abs(v) > size) {
                    size = Math.abs(v);
                    largest = v;
                }
            }
            max[g] = size < NOTHING ? 1 : largest; // what comes of the zeros is not used
        }
        Arrays.fill(max, groups, LANES, 1);
        for (int i = 0; i < GROUP; i++) {
            for (int g = 0; g < LANES; g++) {
                float v = x[i][g];
                x2[i][g] = v * v;
                x3[i][g] = v * v * v;
            }
        }
        trySteps(32f);
        for (int g = 0; g < LANES; g++) {
            step[g] = sumL2[g] == 0 ? 0 : sumLx[g] / sumL2[g];
            best[g] = step[g] * sumLx[g];
            bestInverse[g] = inverse[g];
        }
        for (int i = -9; i <= 9; i++) {
            if (i != 0) {
                trySteps(32 + 0.1f * i);
                keepBetter(groups);
            }
        }
        for (int g = 0; g < groups; g++) {
            boolean nothing = true;
            for (int i = 0; i < GROUP; i++) {
                nothing &= Math.abs(x[i][g]) < NOTHING;
            }
            if (nothing) {
                step[g] = 0;
            }
        }
    }

    /**
     * Both sums for the inverse step -n / max. The clamp before the rounding is the clamp after it: its bounds are
     * integers.
     */
    private void trySteps(float n) {
        for (int g = 0; g < LANES; g++) {
            inverse[g] = -n / max[g];
            sumLx[g] = 0;
            sumL2[g] = 0;
        }
        for (int i = 0; i < GROUP; i++) {
            add(x[i], x2[i], x3[i], inverse, sumLx, sumL2);
        }
    }

    /**
     * Adds one column of every lane. All arrays are indexed alike, so that the compiler may take many lanes at once
     * whichever of them were the same array.
     */
    private static void add(float[] x, float[] x2, float[] x3, float[] inverse, float[] sumLx, float[] sumL2) {
        for (int g = 0; g < LANES; g++) {
            float l = Math.max(-32f, Math.min(31f, x[g] * inverse[g])) + ROUND - ROUND;
            sumLx[g] += x3[g] * l;
            sumL2[g] += x2[g] * l * l;
        }
    }

    private void keepBetter(int groups) {
        for (int g = 0; g < groups; g++) {
            if (sumL2[g] > 0 && sumLx[g] * sumLx[g] > best[g] * sumL2[g]) {
                step[g] = sumLx[g] / sumL2[g];
                best[g] = step[g] * sumLx[g];
                bestInverse[g] = inverse[g];
            }
        }
    }

    /** One block into {@link #block}: steps become d and scales, then each weight takes the nearest code. */
    private void encode(float[] values, int v, int group) {
        float largest = 0;
        for (int g = group; g < group + GROUPS; g++) {
            if (Math.abs(step[g]) > Math.abs(largest)) {
                largest = step[g];
            }
        }
        if (Math.abs(largest) < NOTHING) {
            Arrays.fill(block, (byte) 0);
            return;
        }
        float toScale = -128f / largest;
        short half = Float.floatToFloat16(1 / toScale);
        float d = Float.float16ToFloat(half);
        for (int g = 0; g < GROUPS; g++) {
            int scale = Math.min(127, (int) (toScale * step[group + g] + ROUND - ROUND));
            block[192 + g] = (byte) scale;
            encodeGroup(values, v + g * GROUP, d * scale, group + g, g * GROUP);
        }
        pack();
        block[208] = (byte) half;
        block[209] = (byte) (half >> 8);
    }

    /** Where the scale is zero the codes mean nothing; ggml leaves those of the search, so they are what is written. */
    private void encodeGroup(float[] values, int v, float w, int lane, int to) {
        for (int i = 0; i < GROUP; i++) {
            if (w != 0) {
                codes[to + i] = (byte) (Math.clamp((int) (values[v + i] / w + ROUND - ROUND), -32, 31) + 32);
            } else if (step[lane] != 0) {
                codes[to + i] =
                        (byte) (Math.clamp((int) (values[v + i] * bestInverse[lane] + ROUND - ROUND), -32, 31) + 32);
            } else {
                codes[to + i] = 0;
            }
        }
    }

    /**
     * For each half of 128 columns: byte l holds columns l and l+64, byte 32+l columns l+32 and l+96; then the high
     * bits.
     */
    private void pack() {
        for (int half = 0; half < 2; half++) {
            int c = half * 128;
            for (int l = 0; l < 32; l++) {
                int q0 = codes[c + l];
                int q1 = codes[c + 32 + l];
                int q2 = codes[c + 64 + l];
                int q3 = codes[c + 96 + l];
                block[half * 64 + l] = (byte) (q0 & 15 | q2 << 4);
                block[half * 64 + 32 + l] = (byte) (q1 & 15 | q3 << 4);
                block[128 + half * 32 + l] = (byte) (q0 >> 4 | q1 >> 4 << 2 | q2 >> 4 << 4 | q3 >> 4 << 6);
            }
        }
    }

    @Override
    public void dequantize(MemorySegment in, long at, int count, float[] out, int to) {
        requireWholeBlocks(count);
        for (int o = to; o < to + count; o += COLUMNS, at += BYTES) {
            float d = BlockFormat.half(in, at + 208);
            for (int i = 0; i < COLUMNS; i++) {
                int half = i / 128;
                int part = i % 128 / 32;
                int l = i % 32;
                int low = in.get(ValueLayout.JAVA_BYTE, at + half * 64 + part % 2 * 32 + l) >> part / 2 * 4 & 15;
                int high = in.get(ValueLayout.JAVA_BYTE, at + 128 + half * 32 + l) >> part * 2 & 3;
                int scale = in.get(ValueLayout.JAVA_BYTE, at + 192 + i / GROUP);
                out[o + i] = d * scale * ((high << 4 | low) - 32);
            }
        }
    }
}
