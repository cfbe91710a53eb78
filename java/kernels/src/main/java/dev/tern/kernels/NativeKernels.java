package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_kernels;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.ref.Reference;

/**
 * The kernels of one tier of the native library.
 *
 * <p>A call is a plain downcall (a critical one would hold up safepoints) of some 10 ns plus the checks of
 * {@link KernelArguments}. The linker keeps every segment it is handed alive while C runs, so that closing an arena
 * fails instead of pulling memory away; for a <em>shared</em> arena that costs a compare-and-swap on one word, some
 * 200 ns as soon as two threads call at once. Memory of a model therefore belongs in
 * {@link java.lang.foreign.Arena#ofAuto} or {@link java.lang.foreign.Arena#global}.
 *
 * <p>What a descriptor points to (weights, tables, the cache) the linker does not see. It is checked to be alive before
 * the call and kept reachable during it; closing its arena <em>while</em> a call runs is the caller's mistake.
 *
 * <p>Each kernel's handle is linked at its first call, or by {@link #link}.
 */
final class NativeKernels implements Kernels {
    private final Tier tier;
    private final MemorySegment quantize;
    private final MemorySegment ternaryMatmul;
    private final MemorySegment ternaryPack;
    private final MemorySegment ternaryUnpack;
    private final MemorySegment ternaryDecode;
    private final MemorySegment floatMatmul;
    private final MemorySegment floatRow;
    private final MemorySegment rmsNorm;
    private final MemorySegment rope;
    private final MemorySegment storeKv;
    private final MemorySegment attention;
    private final MemorySegment softmax;
    private final MemorySegment reluSquaredGate;
    private final MemorySegment siluGate;
    private final MemorySegment add;
    private final MemorySegment findInvalidCode;
    private final MemorySegment screenPack;
    private final MemorySegment screenScores;
    private final MemorySegment screenSelect;
    private final MemorySegment floatMatmulRows;
    private final MemorySegment memoryRead;
    private final MemorySegment dotPeak;

    /** @param table a {@code tern_kernels} that lives as long as the process */
    NativeKernels(Tier tier, MemorySegment table) {
        this.tier = tier;
        quantize = tern_kernels.quantize(table);
        ternaryMatmul = tern_kernels.ternary_matmul(table);
        ternaryPack = tern_kernels.ternary_pack(table);
        ternaryUnpack = tern_kernels.ternary_unpack(table);
        ternaryDecode = tern_kernels.ternary_decode(table);
        floatMatmul = tern_kernels.float_matmul(table);
        floatRow = tern_kernels.float_row(table);
        rmsNorm = tern_kernels.rms_norm(table);
        rope = tern_kernels.rope(table);
        storeKv = tern_kernels.store_kv(table);
        attention = tern_kernels.attention(table);
        softmax = tern_kernels.softmax(table);
        reluSquaredGate = tern_kernels.relu_squared_gate(table);
        siluGate = tern_kernels.silu_gate(table);
        add = tern_kernels.add(table);
        findInvalidCode = tern_kernels.find_invalid_code(table);
        screenPack = tern_kernels.screen_pack(table);
        screenScores = tern_kernels.screen_scores(table);
        screenSelect = tern_kernels.screen_select(table);
        floatMatmulRows = tern_kernels.float_matmul_rows(table);
        memoryRead = tern_kernels.memory_read(table);
        dotPeak = tern_kernels.dot_peak(table);
    }

    /** Links what every model's pass calls, in the order in which the first one does. */
    static void link() {
        Class<?>[] called = {
            tern_kernels.ternary_pack.class,
            tern_kernels.float_row.class,
            tern_kernels.rms_norm.class,
            tern_kernels.quantize.class,
            tern_kernels.ternary_matmul.class,
            tern_kernels.rope.class,
            tern_kernels.store_kv.class,
            tern_kernels.attention.class,
            tern_kernels.relu_squared_gate.class,
            tern_kernels.add.class,
            tern_kernels.float_matmul.class,
        };
        try {
            for (Class<?> function : called) {
                MethodHandles.lookup().ensureInitialized(function); // where jextract has its handle
            }
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e); // they are public, and of this module
        }
    }

    @Override
    public Tier tier() {
        return tier;
    }

    @Override
    public void quantize(MemorySegment x, long xStride, int cols, int tokenBegin, int tokenEnd, Activations out) {
        KernelArguments.quantize(x, xStride, cols, tokenBegin, tokenEnd, out);
        out.quantized(cols);
        try {
            tern_kernels.quantize.invoke(quantize, x, xStride, cols, tokenBegin, tokenEnd, out.descriptor());
        } finally {
            Reference.reachabilityFence(out);
        }
    }

    @Override
    public void ternaryMatmul(
            TernaryWeights w, Activations a, int tokens, int rowBegin, int rowEnd, MemorySegment y, long yStride) {
        KernelArguments.ternaryMatmul(w, a, tokens, rowBegin, rowEnd, y, yStride);
        try {
            tern_kernels.ternary_matmul.invoke(
                    ternaryMatmul, w.descriptor(), a.descriptor(), tokens, rowBegin, rowEnd, y, yStride);
        } finally {
            Reference.reachabilityFence(w);
            Reference.reachabilityFence(a);
        }
    }

    @Override
    public void ternaryPack(MemorySegment codes, int rowBegin, int rowEnd, TernaryWeights w) {
        KernelArguments.ternaryPack(codes, rowBegin, rowEnd, w);
        try {
            tern_kernels.ternary_pack.invoke(
                    ternaryPack, codes, TernaryWeights.rowBytes(w.cols()), rowBegin, rowEnd, w.descriptor());
        } finally {
            Reference.reachabilityFence(w);
        }
    }

    @Override
    public void ternaryUnpack(TernaryWeights w, int rowBegin, int rowEnd, MemorySegment codes) {
        KernelArguments.ternaryUnpack(w, rowBegin, rowEnd, codes);
        try {
            tern_kernels.ternary_unpack.invoke(
                    ternaryUnpack, w.descriptor(), rowBegin, rowEnd, codes, TernaryWeights.rowBytes(w.cols()));
        } finally {
            Reference.reachabilityFence(w);
        }
    }

    @Override
    public int ternaryDecode(
            TernaryEncoding encoding, MemorySegment in, int rows, int cols, float scale, MemorySegment codes) {
        KernelArguments.ternaryDecode(encoding, in, rows, cols, scale, codes);
        return (int) tern_kernels.ternary_decode.invoke(
                ternaryDecode, encoding.code(), in, rows, cols, scale, codes, TernaryWeights.rowBytes(cols));
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
        try {
            tern_kernels.float_matmul.invoke(
                    floatMatmul, w.descriptor(), x, xStride, tokens, rowBegin, rowEnd, y, yStride);
        } finally {
            Reference.reachabilityFence(w);
        }
    }

    @Override
    public void floatRow(FloatWeights m, int row, MemorySegment y, long yOffset) {
        KernelArguments.floatRow(m, row, y, yOffset);
        try {
            tern_kernels.float_row.invoke(floatRow, m.descriptor(), row, from(y, yOffset));
        } finally {
            Reference.reachabilityFence(m);
        }
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
        tern_kernels.rms_norm.invoke(rmsNorm, x, xStride, weight, eps, cols, tokenBegin, tokenEnd, y, yStride);
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
        try {
            tern_kernels.rope.invoke(
                    rope, x, xStride, heads, headDim, table.descriptor(), position, tokenBegin, tokenEnd);
        } finally {
            Reference.reachabilityFence(table);
        }
    }

    @Override
    public void storeKv(
            KvLayer kv, MemorySegment k, MemorySegment v, long stride, int position, int tokenBegin, int tokenEnd) {
        KernelArguments.storeKv(kv, k, v, stride, position, tokenBegin, tokenEnd);
        try {
            tern_kernels.store_kv.invoke(storeKv, kv.descriptor(), k, v, stride, position, tokenBegin, tokenEnd);
        } finally {
            Reference.reachabilityFence(kv);
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
        try {
            tern_kernels.attention.invoke(
                    attention,
                    kv.descriptor(),
                    q,
                    qStride,
                    heads,
                    position,
                    itemBegin,
                    itemEnd,
                    scale,
                    scores,
                    out,
                    outStride);
        } finally {
            Reference.reachabilityFence(kv);
        }
    }

    @Override
    public void softmax(MemorySegment x, int n) {
        KernelArguments.softmax(x, n);
        tern_kernels.softmax.invoke(softmax, x, n);
    }

    @Override
    public void reluSquaredGate(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n) {
        KernelArguments.gate(gate, up, out, offset, n);
        tern_kernels.relu_squared_gate.invoke(
                reluSquaredGate, from(gate, offset), from(up, offset), from(out, offset), n);
    }

    @Override
    public void siluGate(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n) {
        KernelArguments.gate(gate, up, out, offset, n);
        tern_kernels.silu_gate.invoke(siluGate, from(gate, offset), from(up, offset), from(out, offset), n);
    }

    @Override
    public void add(MemorySegment x, MemorySegment y, long offset, long n) {
        KernelArguments.add(x, y, offset, n);
        tern_kernels.add.invoke(add, from(x, offset), from(y, offset), n);
    }

    @Override
    public long findInvalidCode(MemorySegment codes) {
        KernelArguments.findInvalidCode(codes);
        return tern_kernels.find_invalid_code.invoke(findInvalidCode, codes, codes.byteSize());
    }

    @Override
    public void screenPack(FloatWeights w, int rowBegin, int rowEnd, Screen out) {
        KernelArguments.screenPack(w, rowBegin, rowEnd, out);
        try {
            tern_kernels.screen_pack.invoke(screenPack, w.descriptor(), rowBegin, rowEnd, out.descriptor());
        } finally {
            Reference.reachabilityFence(w);
            Reference.reachabilityFence(out);
        }
    }

    @Override
    public void screenScores(Screen s, ScreenInputs x, int tokens, int rowBegin, int rowEnd, ScreenScores out) {
        KernelArguments.screenScores(s, x, tokens, rowBegin, rowEnd, out);
        try {
            tern_kernels.screen_scores.invoke(
                    screenScores, s.descriptor(), x.descriptor(), tokens, rowBegin, rowEnd, out.descriptor());
        } finally {
            Reference.reachabilityFence(s);
            Reference.reachabilityFence(x);
            Reference.reachabilityFence(out);
        }
    }

    @Override
    public int screenSelect(
            ScreenScores s, MemorySegment thresholds, int tokens, int rowBegin, int rowEnd, ListedRows out) {
        KernelArguments.screenSelect(s, thresholds, tokens, rowBegin, rowEnd, out);
        try {
            return (int) tern_kernels.screen_select.invoke(
                    screenSelect, s.descriptor(), thresholds, tokens, rowBegin, rowEnd, out.rows(), out.masks());
        } finally {
            Reference.reachabilityFence(s);
        }
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
        try {
            tern_kernels.float_matmul_rows.invoke(
                    floatMatmulRows,
                    w.descriptor(),
                    x,
                    xStride,
                    tokens,
                    rows.rows(),
                    rows.masks(),
                    count,
                    y,
                    yStride);
        } finally {
            Reference.reachabilityFence(w);
        }
    }

    @Override
    public long memoryRead(MemorySegment x) {
        KernelArguments.memoryRead(x);
        return tern_kernels.memory_read.invoke(memoryRead, x, x.byteSize());
    }

    @Override
    public void dotPeak(MemorySegment codes, MemorySegment values, long n, MemorySegment sums) {
        KernelArguments.dotPeak(codes, values, n, sums);
        tern_kernels.dot_peak.invoke(dotPeak, codes, values, n, sums);
    }

    /** Without an offset, as in the sums of a single token, no segment is made, whether or not its caller is inlined. */
    private static MemorySegment from(MemorySegment floats, long offset) {
        return offset == 0 ? floats : floats.asSlice(offset * Float.BYTES);
    }
}
