package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * A call or a few of each kernel, of shapes that reach every loop of a tier: one token, few, a batch; whole and rest.
 */
final class ProbeCalls {
    private static final int ROWS = 40;
    private static final int COLS = 300;
    private static final List<Integer> TOKENS = List.of(1, 3, 40);

    /** Calls a kernel and returns what it wrote. */
    interface Call {
        MemorySegment on(Kernels kernels, ProbeMemory memory);
    }

    private ProbeCalls() {}

    /** By the kernel's name in the C header, with what is special about the call. */
    static SequencedMap<String, Call> all() {
        SequencedMap<String, Call> calls = new LinkedHashMap<>();
        calls.put("quantize", (k, m) -> m.activations(k, 2, COLS).values());
        for (TernaryLayout layout : TernaryLayout.values()) {
            for (int tokens : TOKENS) {
                calls.put("ternary_matmul (" + layout + ", tokens: " + tokens + ")",
                        (k, m) -> ternaryMatmul(k, m, layout, tokens));
            }
            calls.put("ternary_unpack (" + layout + ")", (k, m) -> ternaryUnpack(k, m, layout));
        }
        for (FloatType type : FloatType.values()) {
            calls.put("float_matmul (" + type + ")", (k, m) -> floatMatmul(k, m, type));
        }
        calls.put("rms_norm", ProbeCalls::rmsNorm);
        for (RopePairing pairing : RopePairing.values()) {
            calls.put("rope (" + pairing + ")", (k, m) -> rope(k, m, pairing));
        }
        calls.put("attention (F32)", (k, m) -> attention(k, m, FloatType.F32));
        calls.put("attention (F16)", (k, m) -> attention(k, m, FloatType.F16));
        calls.put("softmax", ProbeCalls::softmax);
        calls.put("relu_squared_gate", (k, m) -> gate(m, k::reluSquaredGate));
        calls.put("silu_gate", (k, m) -> gate(m, k::siluGate));
        calls.put("add", ProbeCalls::add);
        calls.put("find_invalid_code", ProbeCalls::findInvalidCode);
        return calls;
    }

    private static TernaryWeights weights(Kernels k, ProbeMemory m, TernaryLayout layout) {
        MemorySegment codes = m.codes(ROWS, COLS);
        if (layout == TernaryLayout.ROWS) {
            return TernaryWeights.of(m.arena(), codes, ROWS, COLS, 0.75f);
        }
        MemorySegment panels = m.bytes(layout.bytes(ROWS, COLS));
        TernaryWeights w = TernaryWeights.of(m.arena(), panels, ROWS, COLS, 0.75f, layout);
        k.ternaryPack(codes, 0, ROWS, w);
        return w;
    }

    private static MemorySegment ternaryMatmul(Kernels k, ProbeMemory m, TernaryLayout layout, int tokens) {
        MemorySegment y = m.bytes(4L * tokens * ROWS);
        k.ternaryMatmul(weights(k, m, layout), m.activations(k, tokens, COLS), tokens, 0, ROWS, y, ROWS);
        return y;
    }

    private static MemorySegment ternaryUnpack(Kernels k, ProbeMemory m, TernaryLayout layout) {
        MemorySegment codes = m.bytes(ROWS * TernaryWeights.rowBytes(COLS));
        k.ternaryUnpack(weights(k, m, layout), 0, ROWS, codes);
        return codes;
    }

    private static MemorySegment floatMatmul(Kernels k, ProbeMemory m, FloatType type) {
        int cols = 2 * 256;
        int tokens = 5;
        MemorySegment y = m.bytes(4L * (tokens + 1) * ROWS + 4 * cols);
        FloatWeights w = m.matrix(ROWS, cols, type);
        MemorySegment x = m.floats((long) tokens * cols);
        k.floatMatmul(w, x, cols, tokens, 0, ROWS, y, ROWS);
        k.floatMatmul(w, x, cols, 1, 0, ROWS, y.asSlice(4L * tokens * ROWS), ROWS);
        k.floatRow(w, 1, y, (tokens + 1L) * ROWS);
        return y;
    }

    private static MemorySegment rmsNorm(Kernels k, ProbeMemory m) {
        MemorySegment y = m.bytes(4L * 2 * COLS);
        k.rmsNorm(m.floats(2L * COLS), COLS, m.floats(COLS), 1e-5f, COLS, 0, 2, y, COLS);
        return y;
    }

    private static MemorySegment rope(Kernels k, ProbeMemory m, RopePairing pairing) {
        int dims = 72;
        MemorySegment x = m.floats(3L * 2 * dims);
        RopeTable table = RopeTable.of(m.arena(), m.floats(4L * dims / 2), m.floats(4L * dims / 2), 4, dims, pairing);
        k.rope(x, 2 * dims, 2, dims, table, 1, 0, 3);
        return x;
    }

    private static MemorySegment attention(Kernels k, ProbeMemory m, FloatType type) {
        int headDim = 136;
        int positions = 20;
        MemorySegment out = m.bytes(4L * positions * 2 * headDim);
        KvLayer kv = KvLayer.allocate(m.arena(), 1, positions, headDim, type);
        MemorySegment keys = m.floats((long) positions * headDim);
        MemorySegment values = m.floats((long) positions * headDim);
        k.storeKv(kv, keys, values, headDim, 0, 0, positions);
        MemorySegment q = m.floats((long) positions * 2 * headDim);
        MemorySegment scores = m.bytes(4L * KvLayer.attentionScores(2 * positions, positions));
        k.attention(kv, q, 2 * headDim, 2, 0, 0, 2 * positions, 0.125f, scores, out, 2 * headDim);
        return out;
    }

    private static MemorySegment softmax(Kernels k, ProbeMemory m) {
        MemorySegment x = m.floats(COLS);
        k.softmax(x, COLS);
        return x;
    }

    private interface Gate {
        void apply(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n);
    }

    private static MemorySegment gate(ProbeMemory m, Gate kernel) {
        MemorySegment out = m.bytes(4L * COLS);
        kernel.apply(m.floats(COLS), m.floats(COLS), out, 0, COLS);
        return out;
    }

    private static MemorySegment add(Kernels k, ProbeMemory m) {
        MemorySegment x = m.floats(COLS);
        k.add(x, m.floats(COLS), 0, COLS);
        return x;
    }

    private static MemorySegment findInvalidCode(Kernels k, ProbeMemory m) {
        MemorySegment codes = m.codes(COLS);
        codes.set(JAVA_BYTE, COLS - 2, (byte) 0x30);
        MemorySegment index = m.bytes(8);
        index.set(JAVA_LONG, 0, k.findInvalidCode(codes));
        return index;
    }
}
