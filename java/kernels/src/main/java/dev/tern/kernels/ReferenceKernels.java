package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The kernels in plain Java, word for word after {@code tern_kernels.h}: what every other implementation must equal bit
 * for bit, and what runs where there is no native library. Written to be read beside the header; where it departs from
 * the obvious loop it is to keep sums in their 32 lanes.
 *
 * <p>Stateless. A call's garbage is a few arrays of 32 floats and, in {@link #floatMatmul} and
 * {@link #floatMatmulRows}, one widened row.
 */
final class ReferenceKernels implements Kernels {
    /** Lanes of every float sum: element i belongs to lane i mod 32. */
    private static final int LANES = 32;

    @Override
    public Tier tier() {
        return Tier.JAVA;
    }

    @Override
    public void quantize(MemorySegment x, long xStride, int cols, int tokenBegin, int tokenEnd, Activations out) {
        KernelArguments.quantize(x, xStride, cols, tokenBegin, tokenEnd, out);
        out.quantized(cols);
        long padded = TernaryWeights.rowBytes(cols) * 4;
        for (int t = tokenBegin; t < tokenEnd; t++) {
            long from = t * xStride * Float.BYTES;
            float m = 1e-5f;
            for (int i = 0; i < cols; i++) {
                float magnitude = Math.abs(x.get(JAVA_FLOAT, from + 4L * i));
                m = magnitude > m ? magnitude : m; // false for a NaN
            }
            float r = 1f / m * 127f;
            long to = t * out.stride();
            int sum = 0;
            for (int i = 0; i < cols; i++) {
                double rounded = Math.rint(x.get(JAVA_FLOAT, from + 4L * i) * r);
                int a = rounded > -128 ? (int) Math.min(rounded, 127) : -128; // a NaN is not greater
                out.values().set(JAVA_BYTE, to + i, (byte) a);
                sum += a;
            }
            out.values().asSlice(to + cols, padded - cols).fill((byte) 0);
            out.scales().setAtIndex(JAVA_FLOAT, t, r);
            out.sums().setAtIndex(JAVA_INT, t, sum);
        }
    }

    @Override
    public void ternaryMatmul(
            TernaryWeights w, Activations a, int tokens, int rowBegin, int rowEnd, MemorySegment y, long yStride) {
        KernelArguments.ternaryMatmul(w, a, tokens, rowBegin, rowEnd, y, yStride);
        byte[] codes = new byte[Math.toIntExact(TernaryWeights.rowBytes(w.cols()))];
        byte[] values = new byte[4 * codes.length];
        for (int t = 0; t < tokens; t++) {
            MemorySegment.copy(a.values(), JAVA_BYTE, t * a.stride(), values, 0, values.length);
            float scale = w.scale() / a.scales().getAtIndex(JAVA_FLOAT, t);
            for (int row = rowBegin; row < rowEnd; row++) {
                ReferencePanels.copyRow(w, row, codes);
                y.setAtIndex(JAVA_FLOAT, t * yStride + row, ternaryDot(codes, values) * scale);
            }
        }
    }

    @Override
    public void ternaryPack(MemorySegment codes, int rowBegin, int rowEnd, TernaryWeights w) {
        KernelArguments.ternaryPack(codes, rowBegin, rowEnd, w);
        ReferencePanels.pack(codes, rowBegin, rowEnd, w);
    }

    @Override
    public void ternaryUnpack(TernaryWeights w, int rowBegin, int rowEnd, MemorySegment codes) {
        KernelArguments.ternaryUnpack(w, rowBegin, rowEnd, codes);
        byte[] row = new byte[Math.toIntExact(TernaryWeights.rowBytes(w.cols()))];
        for (int r = rowBegin; r < rowEnd; r++) {
            ReferencePanels.copyRow(w, r, row);
            MemorySegment.copy(row, 0, codes, JAVA_BYTE, (long) (r - rowBegin) * row.length, row.length);
        }
    }

    @Override
    public int ternaryDecode(
            TernaryEncoding encoding, MemorySegment in, int rows, int cols, float scale, MemorySegment codes) {
        KernelArguments.ternaryDecode(encoding, in, rows, cols, scale, codes);
        return ReferenceDecoding.decode(encoding, in, rows, cols, scale, codes);
    }

    /**
     * Sum of T * a over a row of packed codes; padding has T = 0. Of arrays, into which a row is copied: the JIT makes
     * the same code of this loop whatever kinds of memory have passed before, which of segments it does not.
     */
    private static int ternaryDot(byte[] codes, byte[] values) {
        int sum = 0;
        for (int group = 0; group < codes.length; group += TernaryWeights.GROUP_BYTES) {
            int a = 4 * group;
            for (int p = 0; p < TernaryWeights.GROUP_BYTES; p++) {
                int four = codes[group + p];
                sum += ((four >> 6 & 3) - 1) * values[a + p]
                        + ((four >> 4 & 3) - 1) * values[a + p + 32]
                        + ((four >> 2 & 3) - 1) * values[a + p + 64]
                        + ((four & 3) - 1) * values[a + p + 96];
            }
        }
        return sum;
    }

    @Override
    public void floatMatmul(
            FloatWeights w,
            MemorySegment x,
            long xStride,
            int tokens,
            int rowBegin,
            int rowEnd,
            MemorySegment y,
            long yStride) {
        KernelArguments.floatMatmul(w, x, xStride, tokens, rowBegin, rowEnd, y, yStride);
        float[] wide = new float[w.cols()];
        float[] lanes = new float[LANES];
        for (int row = rowBegin; row < rowEnd; row++) {
            widen(w.values(), w.type(), (long) row * w.cols(), wide);
            for (int t = 0; t < tokens; t++) {
                y.setAtIndex(JAVA_FLOAT, t * yStride + row, dot(wide, x, t * xStride, lanes));
            }
        }
    }

    @Override
    public void floatRow(FloatWeights m, int row, MemorySegment y, long yOffset) {
        KernelArguments.floatRow(m, row, y, yOffset);
        float[] wide = new float[m.cols()];
        widen(m.values(), m.type(), (long) row * m.cols(), wide);
        MemorySegment.copy(wide, 0, y, JAVA_FLOAT, yOffset * Float.BYTES, wide.length);
    }

    @Override
    public void rmsNorm(
            MemorySegment x,
            long xStride,
            MemorySegment weight,
            float eps,
            int cols,
            int tokenBegin,
            int tokenEnd,
            MemorySegment y,
            long yStride) {
        KernelArguments.rmsNorm(x, xStride, weight, cols, tokenBegin, tokenEnd, y, yStride);
        float[] lanes = new float[LANES];
        for (int t = tokenBegin; t < tokenEnd; t++) {
            long from = t * xStride * Float.BYTES;
            long to = t * yStride * Float.BYTES;
            Arrays.fill(lanes, 0f);
            for (int i = 0; i < cols; i++) { // a square is never -0, so filling up the last group changes nothing
                float v = x.get(JAVA_FLOAT, from + 4L * i);
                lanes[i % LANES] = Math.fma(v, v, lanes[i % LANES]);
            }
            float q = fold(lanes) / cols;
            float f = 1f / sqrt(q + eps);
            for (int i = 0; i < cols; i++) {
                y.set(JAVA_FLOAT, to + 4L * i, x.get(JAVA_FLOAT, from + 4L * i) * f * weight.get(JAVA_FLOAT, 4L * i));
            }
        }
    }

    @Override
    public void rope(
            MemorySegment x,
            long xStride,
            int heads,
            int headDim,
            RopeTable table,
            int position,
            int tokenBegin,
            int tokenEnd) {
        KernelArguments.rope(x, xStride, heads, headDim, table, position, tokenBegin, tokenEnd);
        int half = table.dims() / 2;
        boolean halves = table.pairing() == RopePairing.HALVES;
        for (int t = tokenBegin; t < tokenEnd; t++) {
            long angles = (long) (position + t) * half;
            for (int h = 0; h < heads; h++) {
                long head = t * xStride + (long) h * headDim;
                for (int i = 0; i < half; i++) {
                    long first = head + (halves ? i : 2L * i);
                    long second = first + (halves ? half : 1);
                    float x0 = x.getAtIndex(JAVA_FLOAT, first);
                    float x1 = x.getAtIndex(JAVA_FLOAT, second);
                    float c = table.cosines().getAtIndex(JAVA_FLOAT, angles + i);
                    float s = table.sines().getAtIndex(JAVA_FLOAT, angles + i);
                    x.setAtIndex(JAVA_FLOAT, first, Math.fma(x0, c, -(x1 * s)));
                    x.setAtIndex(JAVA_FLOAT, second, Math.fma(x1, c, x0 * s));
                }
            }
        }
    }

    @Override
    public void storeKv(
            KvLayer kv, MemorySegment k, MemorySegment v, long stride, int position, int tokenBegin, int tokenEnd) {
        KernelArguments.storeKv(kv, k, v, stride, position, tokenBegin, tokenEnd);
        for (int t = tokenBegin; t < tokenEnd; t++) {
            for (int h = 0; h < kv.kvHeads(); h++) {
                long from = t * stride + (long) h * kv.headDim();
                long to = ((long) h * kv.capacity() + position + t) * kv.headDim();
                narrow(k, from, kv.keys(), kv.type(), to, kv.headDim());
                narrow(v, from, kv.values(), kv.type(), to, kv.headDim());
            }
        }
    }

    @Override
    public void attention(
            KvLayer kv,
            MemorySegment q,
            long qStride,
            int heads,
            int position,
            int itemBegin,
            int itemEnd,
            float scale,
            MemorySegment scores,
            MemorySegment out,
            long outStride) {
        KernelArguments.attention(kv, q, qStride, heads, position, itemBegin, itemEnd, scores, out, outStride);
        int headDim = kv.headDim();
        int group = heads / kv.kvHeads();
        float[] wide = new float[headDim];
        float[] sum = new float[headDim];
        float[] lanes = new float[LANES];
        for (int item = itemBegin; item < itemEnd; item++) {
            int t = item / heads;
            int h = item % heads;
            int positions = position + t + 1;
            long query = t * qStride + (long) h * headDim;
            long cache = (long) (h / group) * kv.capacity() * headDim;
            for (int p = 0; p < positions; p++) {
                widen(kv.keys(), kv.type(), cache + (long) p * headDim, wide);
                scores.setAtIndex(JAVA_FLOAT, p, dot(wide, q, query, lanes) * scale);
            }
            softmax(scores, positions, lanes);
            Arrays.fill(sum, 0f);
            for (int p = 0; p < positions; p++) {
                float weight = scores.getAtIndex(JAVA_FLOAT, p);
                widen(kv.values(), kv.type(), cache + (long) p * headDim, wide);
                for (int d = 0; d < headDim; d++) {
                    sum[d] = Math.fma(weight, wide[d], sum[d]);
                }
            }
            MemorySegment.copy(sum, 0, out, JAVA_FLOAT, (t * outStride + (long) h * headDim) * Float.BYTES, headDim);
        }
    }

    @Override
    public void softmax(MemorySegment x, int n) {
        KernelArguments.softmax(x, n);
        softmax(x, n, new float[LANES]);
    }

    private static void softmax(MemorySegment x, int n, float[] lanes) {
        float m = x.get(JAVA_FLOAT, 0);
        for (int i = 1; i < n; i++) {
            m = Math.max(m, x.get(JAVA_FLOAT, 4L * i));
        }
        Arrays.fill(lanes, 0f);
        for (int i = 0; i < n; i++) { // e >= 0, so filling up the last group changes nothing
            float e = exp(x.get(JAVA_FLOAT, 4L * i) - m);
            x.set(JAVA_FLOAT, 4L * i, e);
            lanes[i % LANES] += e;
        }
        float inverse = 1f / fold(lanes);
        for (int i = 0; i < n; i++) {
            x.set(JAVA_FLOAT, 4L * i, x.get(JAVA_FLOAT, 4L * i) * inverse);
        }
    }

    @Override
    public void reluSquaredGate(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n) {
        KernelArguments.gate(gate, up, out, offset, n);
        for (long i = offset; i < offset + n; i++) {
            float v = gate.getAtIndex(JAVA_FLOAT, i);
            float g = v > 0f ? v : 0f;
            out.setAtIndex(JAVA_FLOAT, i, g * g * up.getAtIndex(JAVA_FLOAT, i));
        }
    }

    @Override
    public void siluGate(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n) {
        KernelArguments.gate(gate, up, out, offset, n);
        for (long i = offset; i < offset + n; i++) {
            float g = gate.getAtIndex(JAVA_FLOAT, i);
            out.setAtIndex(JAVA_FLOAT, i, g / (1f + exp(-g)) * up.getAtIndex(JAVA_FLOAT, i));
        }
    }

    @Override
    public void add(MemorySegment x, MemorySegment y, long offset, long n) {
        KernelArguments.add(x, y, offset, n);
        for (long i = offset; i < offset + n; i++) {
            x.setAtIndex(JAVA_FLOAT, i, x.getAtIndex(JAVA_FLOAT, i) + y.getAtIndex(JAVA_FLOAT, i));
        }
    }

    @Override
    public long findInvalidCode(MemorySegment codes) {
        KernelArguments.findInvalidCode(codes);
        for (long i = 0; i < codes.byteSize(); i++) {
            int four = codes.get(JAVA_BYTE, i);
            if ((four & four >> 1 & 0x55) != 0) { // a code 3 has both bits
                return i;
            }
        }
        return -1;
    }

    @Override
    public void screenPack(FloatWeights w, int rowBegin, int rowEnd, Screen out) {
        KernelArguments.screenPack(w, rowBegin, rowEnd, out);
        ReferenceScreens.pack(w, rowBegin, rowEnd, out);
    }

    @Override
    public void screenScores(Screen s, ScreenInputs x, int tokens, int rowBegin, int rowEnd, ScreenScores out) {
        KernelArguments.screenScores(s, x, tokens, rowBegin, rowEnd, out);
        ReferenceScreens.scores(s, x, tokens, rowBegin, rowEnd, out);
    }

    @Override
    public int screenSelect(
            ScreenScores s, MemorySegment thresholds, int tokens, int rowBegin, int rowEnd, ListedRows out) {
        KernelArguments.screenSelect(s, thresholds, tokens, rowBegin, rowEnd, out);
        return ReferenceScreens.select(s, thresholds, tokens, rowBegin, rowEnd, out);
    }

    @Override
    public void floatMatmulRows(
            FloatWeights w,
            MemorySegment x,
            long xStride,
            int tokens,
            ListedRows rows,
            int count,
            MemorySegment y,
            long yStride) {
        KernelArguments.floatMatmulRows(w, x, xStride, tokens, rows, count, y, yStride);
        float[] wide = new float[w.cols()];
        float[] lanes = new float[LANES];
        for (int i = 0; i < count; i++) {
            int row = rows.row(i);
            widen(w.values(), w.type(), (long) row * w.cols(), wide);
            for (int left = rows.mask(i); left != 0; left &= left - 1) {
                int t = Integer.numberOfTrailingZeros(left);
                y.setAtIndex(JAVA_FLOAT, t * yStride + row, dot(wide, x, t * xStride, lanes));
            }
        }
    }

    @Override
    public long memoryRead(MemorySegment x) {
        KernelArguments.memoryRead(x);
        return ReferenceLimits.memoryRead(x);
    }

    @Override
    public void dotPeak(MemorySegment codes, MemorySegment values, long n, MemorySegment sums) {
        KernelArguments.dotPeak(codes, values, n, sums);
        ReferenceLimits.dotPeak(codes, values, n, sums);
    }

    /** 32-lane sum of w[i] * x[xStart + i]. */
    private static float dot(float[] w, MemorySegment x, long xStart, float[] lanes) {
        int n = w.length;
        int whole = n - n % LANES;
        Arrays.fill(lanes, 0f);
        for (int i = 0; i < whole; i += LANES) {
            long from = (xStart + i) * Float.BYTES;
            for (int j = 0; j < LANES; j++) {
                lanes[j] = Math.fma(w[i + j], x.get(JAVA_FLOAT, from + 4L * j), lanes[j]);
            }
        }
        if (whole < n) {
            for (int j = 0; j < LANES; j++) { // 0 * 0 takes part: it makes a lane's -0 a +0
                int i = whole + j;
                lanes[j] = i < n
                        ? Math.fma(w[i], x.get(JAVA_FLOAT, (xStart + i) * Float.BYTES), lanes[j])
                        : Math.fma(0f, 0f, lanes[j]);
            }
        }
        return fold(lanes);
    }

    /** Adds 32 lanes in halves; destroys them. */
    static float fold(float[] lanes) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int j = 0; j < half; j++) {
                lanes[j] += lanes[j + half];
            }
        }
        return lanes[0];
    }

    /** Elements {@code [start, start + wide.length)}, exactly. */
    static void widen(MemorySegment values, FloatType type, long start, float[] wide) {
        long from = type.bytes(start);
        switch (type) {
            case F32 -> MemorySegment.copy(values, JAVA_FLOAT, from, wide, 0, wide.length);
            case F16 -> {
                for (int i = 0; i < wide.length; i++) {
                    wide[i] = Float.float16ToFloat(values.get(JAVA_SHORT, from + 2L * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < wide.length; i++) {
                    wide[i] = Float.intBitsToFloat(values.get(JAVA_SHORT, from + 2L * i) << 16);
                }
            }
            case Q8_0 -> FloatBlocks.widenQ8(values, from, wide);
            case Q6_K -> FloatBlocks.widenQ6(values, from, wide);
        }
    }

    private static void narrow(MemorySegment x, long from, MemorySegment cache, FloatType type, long to, int n) {
        if (type == FloatType.F32) {
            MemorySegment.copy(x, from * Float.BYTES, cache, to * Float.BYTES, (long) n * Float.BYTES);
            return;
        }
        if (type == FloatType.Q8_0) {
            FloatBlocks.narrowQ8(x, from, cache, type.bytes(to), n);
            return;
        }
        for (int i = 0; i < n; i++) {
            cache.setAtIndex(JAVA_SHORT, to + i, Float.floatToFloat16(x.getAtIndex(JAVA_FLOAT, from + i)));
        }
    }

    /** The header's exp: Cephes' minimax polynomial after reduction by n * ln 2, in the header's order. */
    static float exp(float x) {
        if (!(x > -87f)) {
            return 0f;
        }
        x = Math.min(x, 88f);
        float n = (float) Math.rint(x * 1.44269504f);
        float r = Math.fma(n, -0.693359375f, x);
        r = Math.fma(n, 2.12194440e-4f, r);
        float p = 1.9875691500e-4f;
        p = Math.fma(p, r, 1.3981999507e-3f);
        p = Math.fma(p, r, 8.3334519073e-3f);
        p = Math.fma(p, r, 4.1665795894e-2f);
        p = Math.fma(p, r, 1.6666665459e-1f);
        p = Math.fma(p, r, 5.0000001201e-1f);
        p = Math.fma(p, r * r, r) + 1f;
        return p * Float.intBitsToFloat((int) n + 127 << 23);
    }

    /** Correctly rounded: a double holds more than twice a float's digits, so rounding twice rounds as once. */
    private static float sqrt(float x) {
        return (float) Math.sqrt(x);
    }
}
