package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.tern.kernels.Scene.Floats;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** One call of each kernel on a scene: sizes, strides, partial ranges and operands as the scene's number says. */
final class KernelCalls {
    /** A call. What it returns is compared too. */
    interface Call {
        long on(Kernels kernels, Scene scene);
    }

    private KernelCalls() {}

    /** By the kernel's name in the header. */
    static SequencedMap<String, Call> all() {
        SequencedMap<String, Call> calls = new LinkedHashMap<>();
        calls.put("quantize", KernelCalls::quantize);
        calls.put("ternary_matmul", KernelCalls::ternaryMatmul);
        calls.put("ternary_pack", KernelCalls::ternaryPack);
        calls.put("ternary_unpack", KernelCalls::ternaryUnpack);
        calls.put("ternary_decode", KernelCalls::ternaryDecode);
        calls.put("float_matmul", KernelCalls::floatMatmul);
        calls.put("float_row", KernelCalls::floatRow);
        calls.put("rms_norm", KernelCalls::rmsNorm);
        calls.put("rope", KernelCalls::rope);
        calls.put("store_kv", KernelCalls::storeKv);
        calls.put("attention", KernelCalls::attention);
        calls.put("softmax", KernelCalls::softmax);
        calls.put("relu_squared_gate", (k, s) -> gate(s, k::reluSquaredGate));
        calls.put("silu_gate", (k, s) -> gate(s, k::siluGate));
        calls.put("add", KernelCalls::add);
        calls.put("find_invalid_code", KernelCalls::findInvalidCode);
        calls.put("screen_pack", KernelCalls::screenPack);
        calls.put("screen_scores", KernelCalls::screenScores);
        calls.put("screen_select", KernelCalls::screenSelect);
        calls.put("float_matmul_rows", KernelCalls::floatMatmulRows);
        calls.put("memory_read", KernelCalls::memoryRead);
        calls.put("dot_peak", KernelCalls::dotPeak);
        return calls;
    }

    private static long quantize(Kernels k, Scene s) {
        int cols = s.length();
        int tokens = s.between(1, 4);
        int stride = cols + s.between(0, 3);
        int end = s.between(0, tokens);
        MemorySegment x = s.floats("x", (long) tokens * stride, Floats.ANY);
        Activations a = s.activations(tokens, cols + s.between(0, 200));
        k.quantize(x, stride, cols, s.between(0, end), end, a);
        return a.cols();
    }

    private static long ternaryMatmul(Kernels k, Scene s) {
        int cols = s.length();
        int rows = s.between(1, 20);
        int room = s.between(1, 9);
        int end = s.between(0, rows);
        int stride = rows + s.between(0, 3);
        Activations a = s.activations(room, cols + s.between(0, 200));
        k.quantize(s.floats("x", (long) room * cols, Floats.FINITE), cols, cols, 0, room, a);
        MemorySegment y = s.floats("y", (long) room * stride, Floats.PLAIN);
        TernaryWeights w = s.weights(rows, cols);
        TernaryLayout layout = TernaryLayout.values()[s.between(0, 3)];
        TernaryWeights laidOut = layout == TernaryLayout.ROWS ? w : panels(k, s, w, layout);
        k.ternaryMatmul(laidOut, a, s.between(0, room), s.between(0, end), end, y, stride);
        return 0;
    }

    private static TernaryWeights panels(Kernels k, Scene s, TernaryWeights w, TernaryLayout layout) {
        MemorySegment memory = s.lines("panels", layout.bytes(w.rows(), w.cols()));
        TernaryWeights panels = TernaryWeights.of(s.allocator(), memory, w.rows(), w.cols(), w.scale(), layout);
        k.ternaryPack(w.codes(), 0, w.rows(), panels);
        return panels;
    }

    private static long ternaryPack(Kernels k, Scene s) {
        int rows = s.between(1, 70);
        TernaryLayout layout = TernaryLayout.values()[s.between(1, 3)];
        panels(k, s, s.weights(rows, s.length()), layout);
        return 0;
    }

    private static long ternaryUnpack(Kernels k, Scene s) {
        int rows = s.between(1, 70);
        TernaryLayout layout = TernaryLayout.values()[s.between(0, 3)];
        TernaryWeights w = s.weights(rows, s.length());
        int end = s.between(0, rows);
        MemorySegment codes = s.bytes("unpacked", rows * TernaryWeights.rowBytes(w.cols()));
        k.ternaryUnpack(layout == TernaryLayout.ROWS ? w : panels(k, s, w, layout), s.between(0, end), end, codes);
        return 0;
    }

    private static long ternaryDecode(Kernels k, Scene s) {
        TernaryEncoding encoding = TernaryEncoding.values()[s.between(0, 7)];
        int cols = encoding.blockSize() == 1
                ? s.length()
                : encoding.blockSize() * s.between(1, 1 + 1500 / encoding.blockSize());
        int rows = s.between(1, 6);
        float scale = 0.375f * s.between(0, 2);
        MemorySegment in = s.encoded("in", encoding, rows, cols, scale);
        if (s.between(0, 1) == 0) {
            in.set(JAVA_BYTE, s.between(0, (int) in.byteSize() - 1), (byte) s.between(-128, 127));
        }
        long rowBytes = TernaryWeights.rowBytes(cols);
        MemorySegment codes = s.bytes("codes", rows * rowBytes);
        int wrong = k.ternaryDecode(encoding, in, rows, cols, scale, codes);
        if (wrong >= 0) {
            codes.asSlice(wrong * rowBytes).fill((byte) 0); // undefined
        }
        return wrong;
    }

    private static long floatMatmul(Kernels k, Scene s) {
        FloatType type = FloatType.values()[s.between(0, 4)];
        int cols = columns(s, type);
        int rows = s.between(1, 12);
        int tokens = s.between(1, 5);
        int end = s.between(0, rows);
        int xStride = cols + s.between(0, 3);
        int yStride = rows + s.between(0, 3);
        MemorySegment values = s.elements("w", (long) rows * cols, type, Floats.ANY);
        FloatWeights w = FloatWeights.of(s.allocator(), values, rows, cols, type);
        MemorySegment x = s.floats("x", (long) tokens * xStride, Floats.ANY);
        MemorySegment y = s.floats("y", (long) tokens * yStride, Floats.PLAIN);
        k.floatMatmul(w, x, xStride, tokens, s.between(0, end), end, y, yStride);
        return 0;
    }

    /** Some length, in whole blocks. */
    private static int columns(Scene s, FloatType type) {
        return type.isPlain() ? s.length() : type.blockSize() * s.between(1, 1 + 600 / type.blockSize());
    }

    private static long floatRow(Kernels k, Scene s) {
        FloatType type = FloatType.values()[s.between(0, 4)];
        int cols = columns(s, type);
        int rows = s.between(1, 5);
        int offset = s.between(0, 9);
        MemorySegment values = s.elements("m", (long) rows * cols, type, Floats.ANY);
        MemorySegment y = s.floats("y", offset + cols + s.between(0, 3), Floats.PLAIN);
        k.floatRow(FloatWeights.of(s.allocator(), values, rows, cols, type), s.between(0, rows - 1), y, offset);
        return 0;
    }

    private static long rmsNorm(Kernels k, Scene s) {
        int cols = s.length();
        int tokens = s.between(1, 4);
        int stride = cols + s.between(0, 3);
        int end = s.between(0, tokens);
        MemorySegment x = s.floats("x", (long) tokens * stride, Floats.ANY);
        MemorySegment weight = s.floats("weight", cols, Floats.ANY);
        boolean inPlace = s.between(0, 1) == 0;
        int yStride = inPlace ? stride : cols + s.between(0, 3);
        MemorySegment y = inPlace ? x : s.floats("y", (long) tokens * yStride, Floats.PLAIN);
        k.rmsNorm(x, stride, weight, s.between(0, 1) * 1e-5f, cols, s.between(0, end), end, y, yStride);
        return 0;
    }

    private static long rope(Kernels k, Scene s) {
        int headDim = s.between(2, 140);
        int dims = s.between(1, headDim / 2) * 2;
        int heads = s.between(1, 5);
        int tokens = s.between(1, 4);
        int end = s.between(0, tokens);
        int position = s.between(0, 9);
        int stride = heads * headDim + s.between(0, 3);
        long entries = (long) (position + tokens) * (dims / 2);
        RopeTable table = RopeTable.of(
                s.allocator(),
                s.floats("cosines", entries, Floats.FINITE),
                s.floats("sines", entries, Floats.FINITE),
                position + tokens,
                dims,
                RopePairing.values()[s.between(0, 1)]);
        MemorySegment x = s.floats("x", (long) tokens * stride, Floats.ANY);
        k.rope(x, stride, heads, headDim, table, position, s.between(0, end), end);
        return 0;
    }

    private static long storeKv(Kernels k, Scene s) {
        FloatType type = s.cacheType();
        int headDim = s.between(1, 140 / type.blockSize()) * type.blockSize();
        int heads = s.between(1, 4);
        int tokens = s.between(1, 4);
        int end = s.between(0, tokens);
        int position = s.between(0, 5);
        int stride = heads * headDim + s.between(0, 3);
        KvLayer kv = s.cache(heads, position + tokens + s.between(0, 2), headDim, type);
        MemorySegment keys = s.floats("k", (long) tokens * stride, Floats.ANY);
        MemorySegment values = s.floats("v", (long) tokens * stride, Floats.ANY);
        k.storeKv(kv, keys, values, stride, position, s.between(0, end), end);
        return 0;
    }

    private static long attention(Kernels k, Scene s) {
        FloatType type = s.cacheType();
        int headDim = s.between(1, 140 / type.blockSize()) * type.blockSize();
        int kvHeads = s.between(1, 3);
        int heads = kvHeads * s.between(1, 3);
        int tokens = s.between(1, 3);
        int position = s.between(0, 70);
        int qStride = heads * headDim + s.between(0, 3);
        int outStride = heads * headDim + s.between(0, 3);
        int end = s.between(0, tokens * heads);
        int begin = s.between(0, end);
        KvLayer kv = s.cache(kvHeads, position + tokens + s.between(0, 2), headDim, type);
        MemorySegment q = s.floats("q", (long) tokens * qStride, Floats.PLAIN);
        MemorySegment scores =
                s.floats("scores", KvLayer.attentionScores(end - begin, position + tokens), Floats.PLAIN);
        MemorySegment out = s.floats("out", (long) tokens * outStride, Floats.PLAIN);
        k.attention(kv, q, qStride, heads, position, begin, end, 0.125f, scores, out, outStride);
        scores.fill((byte) 0); // scratch: what is left in it is nobody's business
        return 0;
    }

    private static long softmax(Kernels k, Scene s) {
        int n = s.length();
        k.softmax(s.floats("x", n + s.between(0, 3), Floats.INFINITE), n);
        return 0;
    }

    private interface Gate {
        void apply(MemorySegment gate, MemorySegment up, MemorySegment out, long offset, long n);
    }

    private static long gate(Scene s, Gate kernel) {
        int n = s.length() - 1;
        int offset = s.between(0, 9);
        MemorySegment gate = s.floats("gate", offset + n + s.between(0, 3), Floats.ANY);
        MemorySegment up = s.floats("up", offset + n, Floats.ANY);
        MemorySegment out = switch (s.between(0, 2)) {
            case 0 -> gate;
            case 1 -> up;
            default -> s.floats("out", offset + n, Floats.PLAIN);
        };
        kernel.apply(gate, up, out, offset, n);
        return 0;
    }

    private static long add(Kernels k, Scene s) {
        int n = s.length() - 1;
        int offset = s.between(0, 9);
        MemorySegment x = s.floats("x", offset + n + s.between(0, 3), Floats.ANY);
        k.add(x, s.floats("y", offset + n, Floats.ANY), offset, n);
        return 0;
    }

    private static long findInvalidCode(Kernels k, Scene s) {
        int n = s.length() - 1;
        MemorySegment codes = s.bytes("codes", n);
        for (int i = 0; i < n; i++) { // no two set bits beside each other in a pair, then perhaps one byte at random
            codes.set(JAVA_BYTE, i,
                    (byte) (codes.get(JAVA_BYTE, i) & 0x55));
        }
        if (n > 0 && s.between(0, 3) > 0) {
            codes.set(JAVA_BYTE, s.between(0, n - 1), (byte) (3 << 2 * s.between(0, 3)));
        }
        return k.findInvalidCode(codes);
    }

    private static long screenPack(Kernels k, Scene s) {
        FloatType type = FloatType.values()[s.between(0, 4)];
        int cols = columns(s, type);
        int rows = s.between(1, 70);
        Screen screen = s.screen(rows, cols, s.between(2, 3) * 2);
        MemorySegment values = s.elements("w", (long) rows * cols, type, Floats.ANY);
        int begin = s.between(0, (rows - 1) / Screen.PANEL_ROWS) * Screen.PANEL_ROWS;
        k.screenPack(FloatWeights.of(s.allocator(), values, rows, cols, type), begin, rows, screen);
        return 0;
    }

    private static long screenScores(Kernels k, Scene s) {
        int cols = s.length();
        int rows = s.between(1, 70);
        int tokens = s.between(1, 17);
        Screen screen = s.screen(rows, cols, s.between(2, 3) * 2);
        ScreenInputs inputs = ScreenInputs.allocate(s.allocator(), tokens, cols, s.between(0, 1) == 0 ? 12 : 7);
        MemorySegment x = s.floats("x", (long) tokens * cols, Floats.ANY);
        long bounded = 0;
        for (int t = 0; t < tokens; t++) { // one that has no bound leaves zeros: it is computed all the same
            bounded += inputs.set(t, x, (long) t * cols) ? 1 : 0;
        }
        int begin = s.between(0, (rows - 1) / Screen.PANEL_ROWS) * Screen.PANEL_ROWS;
        k.screenScores(screen, inputs, s.between(0, tokens), begin, rows, s.screenScores(tokens, rows));
        return bounded;
    }

    private static long screenSelect(Kernels k, Scene s) {
        int rows = s.between(1, 100);
        int tokens = s.between(1, ListedRows.MAX_TOKENS);
        ScreenScores bounds = s.screenScores(tokens, rows);
        int begin = s.between(0, (rows - 1) / Screen.PANEL_ROWS) * Screen.PANEL_ROWS;
        MemorySegment thresholds = s.floats("thresholds", tokens, Floats.ANY);
        ListedRows out = s.listedRows(rows);
        int count = k.screenSelect(bounds, thresholds, s.between(0, tokens), begin, rows, out);
        for (int i = count; i < out.room(); i++) {
            out.set(i, 0, 0); // undefined
        }
        return count;
    }

    private static long floatMatmulRows(Kernels k, Scene s) {
        FloatType type = FloatType.values()[s.between(0, 4)];
        int cols = columns(s, type);
        int rows = s.between(1, 12);
        int tokens = s.between(1, 9);
        int count = s.between(0, 40);
        int xStride = cols + s.between(0, 3);
        int yStride = rows + s.between(0, 3);
        MemorySegment values = s.elements("w", (long) rows * cols, type, Floats.ANY);
        FloatWeights w = FloatWeights.of(s.allocator(), values, rows, cols, type);
        MemorySegment x = s.floats("x", (long) tokens * xStride, s.between(0, 1) == 0 ? Floats.ANY : Floats.PLAIN);
        MemorySegment y = s.floats("y", (long) tokens * yStride, Floats.PLAIN);
        ListedRows listed = s.listedRows(count);
        for (int i = 0; i < count; i++) {
            listed.set(i, s.between(0, rows - 1), s.between(0, (1 << tokens) - 1));
        }
        k.floatMatmulRows(w, x, xStride, tokens, listed, count, y, yStride);
        return 0;
    }

    private static long memoryRead(Kernels k, Scene s) {
        return k.memoryRead(s.lines("x", (long) Kernels.READ_UNIT * s.between(0, 5)));
    }

    private static long dotPeak(Kernels k, Scene s) {
        MemorySegment codes = s.bytes("codes", 64);
        for (int i = 0; i < 64; i++) {
            codes.set(JAVA_BYTE, i, (byte) s.between(0, 2));
        }
        MemorySegment values = s.bytes("values", 4);
        for (int j = 0; j < 4; j++) {
            values.set(JAVA_BYTE, j, (byte) s.between(-128, 127));
        }
        k.dotPeak(codes, values, (long) Kernels.PEAK_UNIT * s.between(0, 40), s.lines("sums", 64));
        return 0;
    }
}
