package dev.tern.bench.guard;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.tern.bench.RandomMemory;
import dev.tern.bench.guard.Contest.Way;
import dev.tern.kernels.Activations;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.KvLayer;
import dev.tern.kernels.RopePairing;
import dev.tern.kernels.RopeTable;
import dev.tern.kernels.Screen;
import dev.tern.kernels.ScreenInputs;
import dev.tern.kernels.ScreenScores;
import dev.tern.kernels.TernaryEncoding;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A vector tier against plain C, for every entry of the kernel table that the tier has code of its own for, and every
 * type that has a kernel of its own behind it. Operands fit an L2 cache, so that arithmetic is compared and not memory.
 * Beside each least ratio stands what it is on Zen 4, with AVX2 where it is not said otherwise.
 */
final class KernelContests {
    private static final int ROWS = 64; // of operands for several tokens
    private static final int ONE_TOKEN_ROWS = 256; // a call must not be a large part of a run
    private static final int COLS = 2560;
    private static final int HEAD_DIM = 128;
    private static final int POSITIONS = 256;
    private static final short SCALE = Float.floatToFloat16(0.75f);

    private final RandomMemory memory;
    private final Kernels fast;
    private final Kernels slow;
    private final List<Contest> contests = new ArrayList<>();

    private KernelContests(Arena arena, Kernels fast, Kernels slow) {
        memory = new RandomMemory(arena);
        this.fast = fast;
        this.slow = slow;
    }

    /**
     * All of them.
     *
     * @param arena of the operands; alive as long as contests run
     */
    static List<Contest> of(Arena arena, Kernels fast, Kernels slow) {
        KernelContests contests = new KernelContests(arena, fast, slow);
        contests.ternary();
        contests.floats();
        contests.attention();
        contests.elements();
        contests.screens();
        contests.limits();
        return List.copyOf(contests.contests);
    }

    private void add(String entry, double leastRatio, Consumer<Kernels> call) {
        contests.add(new Contest(
                entry,
                new Way(fast.tier().label(), 1, () -> call.accept(fast)),
                new Way(slow.tier().label(), 1, () -> call.accept(slow)),
                isNeon() ? 1 + (leastRatio - 1) / 2 : leastRatio)); // of vectors half as wide
    }

    private boolean isNeon() {
        return fast.tier().compareTo(Tier.NEON) >= 0;
    }

    private void ternary() {
        Activations a = memory.activations(slow, 16, COLS);
        MemorySegment y = memory.bytes(4L * 16 * ONE_TOKEN_ROWS);
        for (TernaryLayout layout : TernaryLayout.values()) {
            if (layout != TernaryLayout.ROWS && fast.tier().compareTo(Tier.AVX2) <= 0) {
                continue; // plain C computes those
            }
            if (layout == TernaryLayout.PANELS_MIXED
                    && fast.tier() != Tier.AVX512VNNI
                    && fast.tier() != Tier.AMX) {
                continue; // and these
            }
            TernaryWeights w = memory.ternary(slow, ONE_TOKEN_ROWS, COLS, layout);
            String entry = "ternary_matmul, " + layout;
            // 115 in rows, 450 to 630 in panels; 390, 740 to 1100
            add(entry + ", 1 token", 10, k -> k.ternaryMatmul(w, a, 1, 0, ONE_TOKEN_ROWS, y, ONE_TOKEN_ROWS));
            add(entry + ", 16 tokens", 20, k -> k.ternaryMatmul(w, a, 16, 0, ROWS, y, ROWS));
        }
        MemorySegment x = memory.floats(16L * COLS);
        Activations out = Activations.allocate(memory.arena(), 16, COLS);
        add("quantize", 3, k -> k.quantize(x, COLS, COLS, 0, 16, out)); // 21
        MemorySegment codes = memory.codes(ROWS * TernaryWeights.rowBytes(COLS));
        add("find_invalid_code", 3, k -> k.findInvalidCode(codes)); // 16 to 25
        if (isNeon()) {
            return; // packing is plain C's, and decoding is left to the compiler
        }
        for (TernaryEncoding encoding : TernaryEncoding.values()) {
            MemorySegment in = zeros(encoding);
            MemorySegment decoded = memory.bytes(ROWS * TernaryWeights.rowBytes(COLS));
            // TQ1_0 15, TQ2_0 13, Q2_K 8, Q4_0 10, Q8_0 9, F16 8, BF16 9, F32 6
            add("ternary_decode, " + encoding, 2, k -> decode(k, encoding, in, decoded));
        }
        TernaryWeights w = memory.ternary(slow, ROWS, COLS, TernaryLayout.PANELS_2BIT);
        add("ternary_pack", 8, k -> k.ternaryPack(codes, 0, ROWS, w)); // 68
        MemorySegment unpacked = memory.bytes(ROWS * TernaryWeights.rowBytes(COLS));
        add("ternary_unpack", 10, k -> k.ternaryUnpack(w, 0, ROWS, unpacked)); // 160
    }

    private static void decode(Kernels kernels, TernaryEncoding encoding, MemorySegment in, MemorySegment codes) {
        if (kernels.ternaryDecode(encoding, in, ROWS, COLS, 0.75f, codes) >= 0) {
            throw new IllegalStateException(encoding + " was not decoded to the end");
        }
    }

    /** A matrix of scale 0.75 whose weights are all 0: decoding takes no less time for it. */
    private MemorySegment zeros(TernaryEncoding encoding) {
        MemorySegment matrix = memory.bytes(ROWS * encoding.rowBytes(COLS));
        int blockBytes = (int) encoding.rowBytes(encoding.blockSize());
        for (long at = 0; at < matrix.byteSize(); at += blockBytes) {
            MemorySegment block = matrix.asSlice(at, blockBytes);
            switch (encoding) {
                case TQ1_0 -> { // five trits 1 are 121 of 243, four 120
                    block.asSlice(0, 48).fill((byte) ((256 * 121 + 242) / 243));
                    block.asSlice(48, 4).fill((byte) ((256 * 120 + 242) / 243));
                    block.set(JAVA_SHORT_UNALIGNED, 52, SCALE);
                }
                case TQ2_0 -> {
                    block.asSlice(0, 64).fill((byte) 0x55);
                    block.set(JAVA_SHORT_UNALIGNED, 64, SCALE);
                }
                case Q2_K -> { // 1 * d * 1 - 1 * d
                    block.asSlice(0, 16).fill((byte) 0x11);
                    block.asSlice(16, 64).fill((byte) 0x55);
                    block.set(JAVA_SHORT_UNALIGNED, 80, SCALE);
                    block.set(JAVA_SHORT_UNALIGNED, 82, SCALE);
                }
                case Q4_0 -> {
                    block.set(JAVA_SHORT_UNALIGNED, 0, SCALE);
                    block.asSlice(2, 16).fill((byte) 0x88);
                }
                case Q8_0 -> block.set(JAVA_SHORT_UNALIGNED, 0, SCALE);
                case F16, BF16, F32 -> {} // zeros already
            }
        }
        return matrix;
    }

    private void floats() {
        MemorySegment x = memory.floats(8L * COLS);
        MemorySegment y = memory.bytes(4L * 8 * COLS);
        for (FloatType type : FloatType.values()) {
            FloatWeights w = memory.matrix(ROWS, COLS, type);
            // F32 45, F16 65, BF16 58, Q8_0 58, Q6_K 93; 63, 93, 85, 150, 200
            add("float_matmul, " + type + ", 1 token", 6, k -> k.floatMatmul(w, x, COLS, 1, 0, ROWS, y, ROWS));
            add("float_matmul, " + type + ", 8 tokens", 8, k -> k.floatMatmul(w, x, COLS, 8, 0, ROWS, y, ROWS));
            if (type != FloatType.F32) { // which is copied
                // F16 13, BF16 4, Q8_0 45, Q6_K 95
                add("float_row, " + type, type.isPlain() ? 1.5 : 5, k -> rows(k, w, y));
            }
        }
    }

    private static void rows(Kernels kernels, FloatWeights w, MemorySegment y) {
        for (int row = 0; row < w.rows(); row++) {
            kernels.floatRow(w, row, y, 0);
        }
    }

    private void attention() {
        int heads = 4;
        int stride = heads * HEAD_DIM;
        for (FloatType type : FloatType.values()) {
            if (type.isCacheType() && !(type == FloatType.Q8_0 && isNeon())) { // which NEON leaves to plain C
                KvLayer kv = KvLayer.allocate(memory.arena(), 1, POSITIONS, HEAD_DIM, type);
                MemorySegment keys = memory.floats((long) POSITIONS * HEAD_DIM);
                if (type != FloatType.F32) { // which is copied
                    // F16 15, Q8_0 12
                    add("store_kv, " + type, 2, k -> k.storeKv(kv, keys, keys, HEAD_DIM, 0, 0, POSITIONS));
                }
                slow.storeKv(kv, keys, keys, HEAD_DIM, 0, 0, POSITIONS);
                MemorySegment q = memory.floats(stride);
                MemorySegment out = memory.bytes(4L * stride);
                MemorySegment scores = memory.bytes(4L * KvLayer.attentionScores(heads, POSITIONS));
                // F32 61, F16 98, Q8_0 52
                add("attention, " + type, 6, k -> k.attention(
                        kv, q, stride, heads, POSITIONS - 1, 0, heads, 0.1f, scores, out, stride));
            }
        }
        MemorySegment angles = memory.floats((long) POSITIONS * HEAD_DIM / 2);
        int tokens = 16;
        MemorySegment x = memory.floats((long) tokens * HEAD_DIM * 20);
        for (RopePairing pairing : RopePairing.values()) {
            RopeTable table = RopeTable.of(memory.arena(), angles, angles, POSITIONS, HEAD_DIM, pairing);
            // 3.2 and 2.4
            add("rope, " + pairing, 1.3, k -> k.rope(x, HEAD_DIM * 20, 20, HEAD_DIM, table, 3, 0, tokens));
        }
    }

    private void elements() {
        int n = 6912;
        MemorySegment gate = memory.floats(n);
        MemorySegment up = memory.floats(n);
        MemorySegment out = memory.bytes(4L * n);
        add("rms_norm", 2, k -> k.rmsNorm(gate, n, up, 1e-5f, n, 0, 1, out, n)); // 13
        add("softmax", 4, k -> k.softmax(out, n)); // 25
        add("relu_squared_gate", 1.5, k -> k.reluSquaredGate(gate, up, out, 0, n)); // 8
        add("silu_gate", 4, k -> k.siluGate(gate, up, out, 0, n)); // 23
        add("add", 1.5, k -> k.add(out, gate, 0, n)); // 5
    }

    /** What the machine is measured with must be as fast as it can be, or every share of it is too large. */
    private void limits() {
        MemorySegment read = memory.codes(1 << 14); // in an L1 cache
        add("memory_read", 1.2, k -> k.memoryRead(read)); // 3.8
        MemorySegment codes = memory.bytes(64);
        MemorySegment values = memory.codes(4);
        MemorySegment sums = memory.bytes(64);
        add("dot_peak", 4, k -> k.dotPeak(codes, values, 2 * Kernels.PEAK_UNIT, sums)); // 14, AVX-512 20
    }

    private void screens() {
        if (isNeon()) {
            return; // takes over those of plain C
        }
        FloatWeights w = memory.matrix(ROWS, COLS, FloatType.F16);
        for (int bits : new int[] {4, 6}) {
            Screen screen = Screen.allocate(memory.arena(), ROWS, COLS, bits);
            add("screen_pack, " + bits + " bits", 4, k -> k.screenPack(w, 0, ROWS, screen)); // 41, 26
            slow.screenPack(w, 0, ROWS, screen);
            for (int inputBits : new int[] {12, 7}) {
                ScreenInputs inputs = ScreenInputs.allocate(memory.arena(), 1, COLS, inputBits);
                inputs.set(0, memory.floats(COLS), 0);
                ScreenScores scores = ScreenScores.allocate(memory.arena(), 1, ROWS);
                String name = "screen_scores, " + bits + " bits, inputs of " + inputBits;
                // 190, 120 of 12 bits; one sum instead of two of 7
                add(name, 10, k -> k.screenScores(screen, inputs, 1, 0, ROWS, scores));
            }
        }
    }
}
