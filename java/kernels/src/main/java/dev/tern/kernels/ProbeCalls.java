package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Calls of every kernel of the C header's table: each layout, type and pairing, one token, few and more than a tier
 * takes at once, whole groups of columns and a rest. A kernel that another one's call needs comes before it.
 */
final class ProbeCalls {
    private static final int ROWS = 40;
    private static final int COLS = 300;
    private static final int POSITIONS = 20;
    private static final int FLOAT_COLS = 2 * 256;
    private static final List<Integer> TOKENS = List.of(1, 3, 40);
    private static final List<Integer> FLOAT_TOKENS = List.of(1, 5, 9);

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
            if (layout != TernaryLayout.ROWS) {
                calls.put("ternary_pack (" + layout + ")", (k, m) -> weights(k, m, layout).codes());
            }
            for (int tokens : TOKENS) {
                calls.put("ternary_matmul (" + layout + ", tokens: " + tokens + ")",
                        (k, m) -> ternaryMatmul(k, m, layout, tokens));
            }
            calls.put("ternary_unpack (" + layout + ")", (k, m) -> ternaryUnpack(k, m, layout));
        }
        for (TernaryEncoding encoding : TernaryEncoding.values()) {
            calls.put("ternary_decode (" + encoding + ")", (k, m) -> ternaryDecode(k, m, encoding));
        }
        for (FloatType type : FloatType.values()) {
            for (int tokens : FLOAT_TOKENS) {
                calls.put("float_matmul (" + type + ", tokens: " + tokens + ")",
                        (k, m) -> floatMatmul(k, m, type, tokens));
            }
            calls.put("float_row (" + type + ")", (k, m) -> floatRow(k, m, type));
        }
        calls.put("rms_norm", ProbeCalls::rmsNorm);
        for (RopePairing pairing : RopePairing.values()) {
            calls.put("rope (" + pairing + ")", (k, m) -> rope(k, m, pairing));
        }
        for (FloatType type : FloatType.values()) {
            if (type.isCacheType()) {
                calls.put("store_kv (" + type + ")", (k, m) -> storeKv(k, m, type));
                calls.put("attention (" + type + ")", (k, m) -> attention(k, m, type));
            }
        }
        calls.put("softmax", ProbeCalls::softmax);
        calls.put("relu_squared_gate", (k, m) -> gate(m, k::reluSquaredGate));
        calls.put("silu_gate", (k, m) -> gate(m, k::siluGate));
        calls.put("add", ProbeCalls::add);
        calls.put("find_invalid_code", ProbeCalls::findInvalidCode);
        for (int bits : List.of(4, 6)) {
            for (FloatType type : FloatType.values()) {
                calls.put("screen_pack (" + type + ", bits: " + bits + ")", (k, m) -> screenPack(k, m, type, bits));
            }
            for (int tokens : FLOAT_TOKENS) {
                for (int inputBits : List.of(12, 7)) {
                    calls.put(
                            "screen_scores (bits: %d, tokens: %d of %d bits)".formatted(bits, tokens, inputBits),
                            (k, m) -> screenScores(k, m, bits, tokens, inputBits));
                }
            }
        }
        for (int tokens : FLOAT_TOKENS) {
            calls.put("screen_select (tokens: " + tokens + ")", (k, m) -> screenSelect(k, m, tokens));
            for (FloatType type : FloatType.values()) {
                calls.put(
                        "float_matmul_rows (" + type + ", tokens: " + tokens + ")",
                        (k, m) -> floatMatmulRows(k, m, type, tokens));
            }
        }
        calls.put("memory_read", ProbeCalls::memoryRead);
        calls.put("dot_peak", ProbeCalls::dotPeak);
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

    private static MemorySegment ternaryDecode(Kernels k, ProbeMemory m, TernaryEncoding encoding) {
        int cols = encoding.blockSize() == 1 ? COLS : FLOAT_COLS;
        MemorySegment codes = m.bytes(ROWS * TernaryWeights.rowBytes(cols));
        MemorySegment wrong = m.bytes(JAVA_LONG.byteSize());
        wrong.set(JAVA_LONG, 0, k.ternaryDecode(encoding, m.encoded(encoding, ROWS, cols), ROWS, cols, 0.75f, codes));
        return m.joined(codes, wrong);
    }

    private static MemorySegment floatMatmul(Kernels k, ProbeMemory m, FloatType type, int tokens) {
        MemorySegment y = m.bytes(4L * tokens * ROWS);
        FloatWeights w = m.matrix(ROWS, FLOAT_COLS, type);
        k.floatMatmul(w, m.floats((long) tokens * FLOAT_COLS), FLOAT_COLS, tokens, 0, ROWS, y, ROWS);
        return y;
    }

    private static MemorySegment floatRow(Kernels k, ProbeMemory m, FloatType type) {
        MemorySegment y = m.bytes(4L * FLOAT_COLS);
        k.floatRow(m.matrix(ROWS, FLOAT_COLS, type), 1, y, 0);
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

    /** Of one head: whole groups of 32 elements and, where blocks do not forbid it, a rest. */
    private static KvLayer cache(Kernels k, ProbeMemory m, FloatType type) {
        int headDim = type.isPlain() ? 136 : 160;
        KvLayer kv = KvLayer.allocate(m.arena(), 1, POSITIONS, headDim, type);
        MemorySegment keys = m.floats((long) POSITIONS * headDim);
        k.storeKv(kv, keys, m.floats((long) POSITIONS * headDim), headDim, 0, 0, POSITIONS);
        return kv;
    }

    private static MemorySegment storeKv(Kernels k, ProbeMemory m, FloatType type) {
        KvLayer kv = cache(k, m, type);
        return m.joined(kv.keys(), kv.values());
    }

    private static MemorySegment attention(Kernels k, ProbeMemory m, FloatType type) {
        KvLayer kv = cache(k, m, type);
        int stride = 2 * kv.headDim();
        MemorySegment q = m.floats((long) POSITIONS * stride);
        MemorySegment out = m.bytes(4L * POSITIONS * stride);
        MemorySegment scores = m.bytes(4L * KvLayer.attentionScores(2 * POSITIONS, POSITIONS));
        k.attention(kv, q, stride, 2, 0, 0, 2 * POSITIONS, 0.125f, scores, out, stride);
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

    private static MemorySegment screenPack(Kernels k, ProbeMemory m, FloatType type, int bits) {
        Screen screen = Screen.allocate(m.arena(), ROWS, FLOAT_COLS, bits);
        k.screenPack(m.matrix(ROWS, FLOAT_COLS, type), 0, ROWS, screen);
        return m.joined(screen.codes(), screen.steps(), screen.residuals(), screen.norms());
    }

    private static MemorySegment screenScores(Kernels k, ProbeMemory m, int bits, int tokens, int inputBits) {
        Screen screen = Screen.allocate(m.arena(), ROWS, COLS, bits);
        k.screenPack(m.matrix(ROWS, COLS, FloatType.F32), 0, ROWS, screen);
        ScreenInputs inputs = ScreenInputs.allocate(m.arena(), tokens, COLS, inputBits);
        MemorySegment x = m.floats((long) tokens * COLS);
        for (int t = 0; t < tokens; t++) {
            inputs.set(t, x, (long) t * COLS);
        }
        ScreenScores out = ScreenScores.allocate(m.arena(), tokens, ROWS);
        k.screenScores(screen, inputs, tokens, 0, ROWS, out);
        return m.joined(out.scores(), out.uppers(), out.peaks(), out.ceilings());
    }

    private static MemorySegment screenSelect(Kernels k, ProbeMemory m, int tokens) {
        ScreenScores bounds = ScreenScores.allocate(m.arena(), tokens, ROWS);
        MemorySegment uppers = m.floats((long) tokens * bounds.stride());
        bounds.uppers().copyFrom(uppers);
        bounds.ceilings().copyFrom(m.floats((long) tokens * bounds.panelStride()));
        ListedRows out = ListedRows.allocate(m.arena(), ROWS);
        MemorySegment count = m.bytes(JAVA_LONG.byteSize());
        count.set(JAVA_LONG, 0, k.screenSelect(bounds, uppers, tokens, 0, ROWS, out));
        return m.joined(out.rows(), out.masks(), count);
    }

    private static MemorySegment floatMatmulRows(Kernels k, ProbeMemory m, FloatType type, int tokens) {
        MemorySegment y = m.bytes(4L * tokens * ROWS);
        ListedRows rows = ListedRows.allocate(m.arena(), ROWS);
        int all = (1 << tokens) - 1;
        for (int i = 0; i < ROWS; i++) {
            rows.set(i, ROWS - 1 - i, 0x5a3 >> i % 8 & all);
        }
        FloatWeights w = m.matrix(ROWS, FLOAT_COLS, type);
        k.floatMatmulRows(w, m.floats((long) tokens * FLOAT_COLS), FLOAT_COLS, tokens, rows, ROWS, y, ROWS);
        return y;
    }

    private static MemorySegment memoryRead(Kernels k, ProbeMemory m) {
        MemorySegment sum = m.bytes(JAVA_LONG.byteSize());
        sum.set(JAVA_LONG, 0, k.memoryRead(m.codes(3 * Kernels.READ_UNIT)));
        return sum;
    }

    private static MemorySegment dotPeak(Kernels k, ProbeMemory m) {
        MemorySegment codes = m.bytes(64);
        for (int i = 0; i < 64; i++) {
            codes.set(JAVA_BYTE, i, (byte) (i % 3));
        }
        MemorySegment sums = m.bytes(64);
        k.dotPeak(codes, m.codes(4), 2 * Kernels.PEAK_UNIT, sums);
        return sums;
    }
}
