package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Arguments that would make C leave its memory are refused, by every implementation with the same words. */
class KernelArgumentsTest {
    private static final Class<?> BOUNDS = IndexOutOfBoundsException.class;
    private static final Class<?> ILLEGAL = IllegalArgumentException.class;
    private static final long HUGE = Long.MAX_VALUE / 3;

    private static final Arena ARENA = Arena.global();
    /** Room for 8 x 16 floats. */
    private static final MemorySegment F = ARENA.allocate(512, 64);
    private static final MemorySegment SHORT = F.asSlice(0, 508);
    private static final MemorySegment CROOKED = F.asSlice(2, 400);
    private static final MemorySegment READ_ONLY = F.asReadOnly();
    private static final MemorySegment HEAP = MemorySegment.ofArray(new float[128]);

    private static final TernaryWeights TERNARY =
            TernaryWeights.of(ARENA, ARENA.allocate(8 * 32), 8, 16, 1f);
    private static final FloatWeights MATRIX = FloatWeights.of(ARENA, ARENA.allocate(512, 4), 8, 16, FloatType.F32);
    private static final KvLayer KV = KvLayer.allocate(ARENA, 2, 4, 8, FloatType.F16);
    private static final RopeTable ROPE = RopeTable.of(ARENA, F, F, 4, 8, RopePairing.HALVES);

    private interface Call {
        void on(Kernels kernels);
    }

    private record Refusal(String name, Class<?> error, Call call) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Activations activations() {
        Activations a = Activations.allocate(ARENA, 8, 16);
        KernelChoice.of(Tier.JAVA).quantize(F, 16, 16, 0, 8, a);
        return a;
    }

    private static List<Refusal> refusals() {
        List<Refusal> all = new ArrayList<>();
        Activations a = activations();
        all.add(new Refusal("quantize: x too short", BOUNDS, k -> k.quantize(SHORT, 16, 16, 0, 8, a)));
        all.add(new Refusal("quantize: more tokens than room", BOUNDS, k -> k.quantize(F, 8, 8, 0, 9, a)));
        all.add(new Refusal("quantize: negative begin", BOUNDS, k -> k.quantize(F, 16, 16, -1, 8, a)));
        all.add(new Refusal("quantize: begin after end", BOUNDS, k -> k.quantize(F, 16, 16, 3, 2, a)));
        all.add(new Refusal("quantize: stride overflows", BOUNDS, k -> k.quantize(F, HUGE, 16, 0, 8, a)));
        all.add(new Refusal("quantize: stride wraps around to 0", BOUNDS, k -> k.quantize(F, 1L << 62, 16, 0, 5, a)));
        all.add(new Refusal("quantize: negative stride", ILLEGAL, k -> k.quantize(F, -16, 16, 0, 1, a)));
        all.add(new Refusal("quantize: tokens overlap", ILLEGAL, k -> k.quantize(F, 15, 16, 0, 2, a)));
        all.add(new Refusal("quantize: no columns", ILLEGAL, k -> k.quantize(F, 16, 0, 0, 1, a)));
        all.add(new Refusal("quantize: columns beyond room", ILLEGAL, k -> k.quantize(F, 129, 129, 0, 0, a)));
        all.add(new Refusal("quantize: misaligned", ILLEGAL, k -> k.quantize(CROOKED, 16, 16, 0, 1, a)));
        all.add(new Refusal("quantize: heap", ILLEGAL, k -> k.quantize(HEAP, 16, 16, 0, 1, a)));

        all.add(new Refusal("ternaryMatmul: y short", BOUNDS, k -> k.ternaryMatmul(TERNARY, a, 8, 0, 8, F, 18)));
        all.add(new Refusal("ternaryMatmul: rows", BOUNDS, k -> k.ternaryMatmul(TERNARY, a, 1, 0, 9, F, 16)));
        all.add(new Refusal("ternaryMatmul: row -1", BOUNDS, k -> k.ternaryMatmul(TERNARY, a, 1, -1, 8, F, 16)));
        all.add(new Refusal("ternaryMatmul: tokens", BOUNDS, k -> k.ternaryMatmul(TERNARY, a, 9, 0, 1, F, 8)));
        all.add(new Refusal("ternaryMatmul: tokens -1", BOUNDS, k -> k.ternaryMatmul(TERNARY, a, -1, 0, 1, F, 8)));
        all.add(new Refusal("ternaryMatmul: overflow", BOUNDS, k -> k.ternaryMatmul(TERNARY, a, 8, 0, 8, F, HUGE)));
        all.add(new Refusal("ternaryMatmul: overlap", ILLEGAL, k -> k.ternaryMatmul(TERNARY, a, 2, 0, 8, F, 7)));
        all.add(new Refusal("ternaryMatmul: read-only", ILLEGAL,
                k -> k.ternaryMatmul(TERNARY, a, 1, 0, 8, READ_ONLY, 8)));
        all.add(new Refusal("ternaryMatmul: heap", ILLEGAL, k -> k.ternaryMatmul(TERNARY, a, 1, 0, 8, HEAP, 8)));
        all.add(new Refusal("ternaryMatmul: crooked", ILLEGAL, k -> k.ternaryMatmul(TERNARY, a, 1, 0, 8, CROOKED, 8)));
        Activations empty = Activations.allocate(ARENA, 1, 16);
        all.add(new Refusal("ternaryMatmul: nothing quantized", ILLEGAL,
                k -> k.ternaryMatmul(TERNARY, empty, 1, 0, 8, F, 8)));

        all.add(new Refusal("floatMatmul: x short", BOUNDS, k -> k.floatMatmul(MATRIX, SHORT, 16, 8, 0, 8, F, 8)));
        all.add(new Refusal("floatMatmul: y short", BOUNDS, k -> k.floatMatmul(MATRIX, F, 16, 8, 0, 8, F, 18)));
        all.add(new Refusal("floatMatmul: rows", BOUNDS, k -> k.floatMatmul(MATRIX, F, 16, 1, 0, 9, F, 8)));
        all.add(new Refusal("floatMatmul: tokens", BOUNDS, k -> k.floatMatmul(MATRIX, F, 16, -1, 0, 8, F, 8)));
        all.add(new Refusal("floatMatmul: overflow", BOUNDS, k -> k.floatMatmul(MATRIX, F, HUGE, 8, 0, 8, F, 8)));
        all.add(new Refusal("floatMatmul: heap x", ILLEGAL, k -> k.floatMatmul(MATRIX, HEAP, 16, 1, 0, 8, F, 8)));
        all.add(new Refusal("floatMatmul: read-only", ILLEGAL,
                k -> k.floatMatmul(MATRIX, F, 16, 1, 0, 8, READ_ONLY, 8)));

        all.add(new Refusal("floatRow: row", BOUNDS, k -> k.floatRow(MATRIX, 8, F, 0)));
        all.add(new Refusal("floatRow: row -1", BOUNDS, k -> k.floatRow(MATRIX, -1, F, 0)));
        all.add(new Refusal("floatRow: offset", BOUNDS, k -> k.floatRow(MATRIX, 0, F, 113)));
        all.add(new Refusal("floatRow: offset -1", BOUNDS, k -> k.floatRow(MATRIX, 0, F, -1)));
        all.add(new Refusal("floatRow: offset overflows", BOUNDS, k -> k.floatRow(MATRIX, 0, F, Long.MAX_VALUE - 3)));
        all.add(new Refusal("floatRow: read-only", ILLEGAL, k -> k.floatRow(MATRIX, 0, READ_ONLY, 0)));

        all.add(new Refusal("rmsNorm: x short", BOUNDS, k -> k.rmsNorm(SHORT, 16, F, 0, 16, 0, 8, F, 16)));
        all.add(new Refusal("rmsNorm: weight short", BOUNDS,
                k -> k.rmsNorm(F, 16, F.asSlice(0, 60), 0, 16, 0, 1, F, 16)));
        all.add(new Refusal("rmsNorm: y short", BOUNDS, k -> k.rmsNorm(F, 16, F, 0, 16, 0, 8, SHORT, 16)));
        all.add(new Refusal("rmsNorm: tokens", BOUNDS, k -> k.rmsNorm(F, 16, F, 0, 16, 2, 1, F, 16)));
        all.add(new Refusal("rmsNorm: no columns", ILLEGAL, k -> k.rmsNorm(F, 16, F, 0, 0, 0, 1, F, 16)));
        all.add(new Refusal("rmsNorm: crooked weight", ILLEGAL, k -> k.rmsNorm(F, 16, CROOKED, 0, 16, 0, 1, F, 16)));

        all.add(new Refusal("rope: x short", BOUNDS, k -> k.rope(SHORT, 32, 2, 16, ROPE, 0, 0, 4)));
        all.add(new Refusal("rope: beyond the table", BOUNDS, k -> k.rope(F, 16, 1, 16, ROPE, 2, 0, 3)));
        all.add(new Refusal("rope: position -1", BOUNDS, k -> k.rope(F, 16, 1, 16, ROPE, -1, 0, 1)));
        all.add(new Refusal("rope: position overflows", BOUNDS,
                k -> k.rope(F, 16, 1, 16, ROPE, Integer.MAX_VALUE, 0, 1)));
        all.add(new Refusal("rope: head narrower than dims", ILLEGAL, k -> k.rope(F, 16, 1, 6, ROPE, 0, 0, 1)));
        all.add(new Refusal("rope: no heads", ILLEGAL, k -> k.rope(F, 16, 0, 16, ROPE, 0, 0, 1)));
        all.add(new Refusal("rope: heads overflow", BOUNDS,
                k -> k.rope(F, Long.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE, ROPE, 0, 0, 2)));

        all.add(new Refusal("storeKv: capacity", BOUNDS, k -> k.storeKv(KV, F, F, 16, 2, 0, 3)));
        all.add(new Refusal("storeKv: k short", BOUNDS, k -> k.storeKv(KV, F.asSlice(0, 60), F, 16, 0, 0, 1)));
        all.add(new Refusal("storeKv: v short", BOUNDS, k -> k.storeKv(KV, F, F.asSlice(0, 60), 16, 0, 0, 1)));
        all.add(new Refusal("storeKv: heap", ILLEGAL, k -> k.storeKv(KV, HEAP, F, 16, 0, 0, 1)));

        all.add(new Refusal("attention: beyond capacity", BOUNDS,
                k -> k.attention(KV, F, 16, 2, 3, 0, 4, 1, F, F, 16)));
        all.add(new Refusal("attention: q short", BOUNDS,
                k -> k.attention(KV, F.asSlice(0, 124), 16, 2, 0, 0, 4, 1, F, F, 16)));
        all.add(new Refusal("attention: scores short", BOUNDS,
                k -> k.attention(KV, F, 16, 2, 2, 0, 4, 1, F.asSlice(0, 4 * 4 * 16 - 4), F, 16)));
        all.add(new Refusal("attention: out short", BOUNDS,
                k -> k.attention(KV, F, 16, 2, 0, 2, 4, 1, F, F.asSlice(0, 124), 16)));
        all.add(new Refusal("attention: items", BOUNDS, k -> k.attention(KV, F, 16, 2, 0, 3, 2, 1, F, F, 16)));
        all.add(new Refusal("attention: item -1", BOUNDS, k -> k.attention(KV, F, 16, 2, 0, -1, 2, 1, F, F, 16)));
        all.add(new Refusal("attention: heads", ILLEGAL, k -> k.attention(KV, F, 24, 3, 0, 0, 1, 1, F, F, 24)));
        all.add(new Refusal("attention: read-only out", ILLEGAL,
                k -> k.attention(KV, F, 16, 2, 0, 0, 2, 1, F, READ_ONLY, 16)));

        all.add(new Refusal("softmax: short", BOUNDS, k -> k.softmax(F, 129)));
        all.add(new Refusal("softmax: nothing", ILLEGAL, k -> k.softmax(F, 0)));
        all.add(new Refusal("softmax: read-only", ILLEGAL, k -> k.softmax(READ_ONLY, 1)));
        all.add(new Refusal("reluSquaredGate: gate short", BOUNDS, k -> k.reluSquaredGate(SHORT, F, F, 0, 128)));
        all.add(new Refusal("reluSquaredGate: up short", BOUNDS, k -> k.reluSquaredGate(F, SHORT, F, 0, 128)));
        all.add(new Refusal("reluSquaredGate: out short", BOUNDS, k -> k.reluSquaredGate(F, F, SHORT, 0, 128)));
        all.add(new Refusal("siluGate: n overflows", BOUNDS, k -> k.siluGate(F, F, F, 1, Long.MAX_VALUE)));
        all.add(new Refusal("siluGate: n -1", BOUNDS, k -> k.siluGate(F, F, F, 1, -1)));
        all.add(new Refusal("siluGate: read-only", ILLEGAL, k -> k.siluGate(F, F, READ_ONLY, 0, 1)));
        all.add(new Refusal("add: x short", BOUNDS, k -> k.add(SHORT, F, 100, 28)));
        all.add(new Refusal("add: y short", BOUNDS, k -> k.add(F, SHORT, 100, 28)));
        all.add(new Refusal("add: offset", BOUNDS, k -> k.add(F, F, 129, 0)));
        all.add(new Refusal("add: heap", ILLEGAL, k -> k.add(F, HEAP, 0, 1)));
        TernaryEncoding q8 = TernaryEncoding.Q8_0;
        MemorySegment rows = ARENA.allocate(68);
        all.add(new Refusal("ternaryDecode: in short", BOUNDS, k -> k.ternaryDecode(q8, rows, 3, 32, 1, F)));
        all.add(new Refusal("ternaryDecode: codes short", BOUNDS,
                k -> k.ternaryDecode(q8, rows, 2, 32, 1, F.asSlice(0, 63))));
        all.add(new Refusal("ternaryDecode: rows -1", BOUNDS, k -> k.ternaryDecode(q8, rows, -1, 32, 1, F)));
        all.add(new Refusal("ternaryDecode: part of a block", ILLEGAL, k -> k.ternaryDecode(q8, rows, 1, 48, 1, F)));
        all.add(new Refusal("ternaryDecode: no columns", ILLEGAL, k -> k.ternaryDecode(q8, rows, 1, 0, 1, F)));
        all.add(new Refusal("ternaryDecode: scale", ILLEGAL, k -> k.ternaryDecode(q8, rows, 1, 32, Float.NaN, F)));
        all.add(new Refusal("ternaryDecode: heap in", ILLEGAL, k -> k.ternaryDecode(q8, HEAP, 1, 32, 1, F)));
        all.add(new Refusal("ternaryDecode: heap codes", ILLEGAL, k -> k.ternaryDecode(q8, rows, 1, 32, 1, HEAP)));
        all.add(new Refusal("ternaryDecode: read-only", ILLEGAL,
                k -> k.ternaryDecode(q8, rows, 1, 32, 1, READ_ONLY)));
        all.add(new Refusal("ternaryDecode: overflow", BOUNDS,
                k -> k.ternaryDecode(TernaryEncoding.F32, rows, Integer.MAX_VALUE, Integer.MAX_VALUE, 1, F)));

        all.add(new Refusal("findInvalidCode: heap", ILLEGAL, k -> k.findInvalidCode(HEAP)));
        MemorySegment codes = ARENA.allocate(64);
        MemorySegment threes = ARENA.allocate(64).fill((byte) 3);
        int n = Kernels.PEAK_UNIT;
        all.add(new Refusal("memoryRead: heap", ILLEGAL, k -> k.memoryRead(HEAP)));
        all.add(new Refusal("memoryRead: crooked", ILLEGAL, k -> k.memoryRead(F.asSlice(4, 256))));
        all.add(new Refusal("memoryRead: part of a unit", ILLEGAL, k -> k.memoryRead(F.asSlice(0, 255))));
        all.add(new Refusal("dotPeak: codes short", BOUNDS, k -> k.dotPeak(codes.asSlice(1), codes, n, F)));
        all.add(new Refusal("dotPeak: values short", BOUNDS, k -> k.dotPeak(codes, codes.asSlice(61), n, F)));
        all.add(new Refusal("dotPeak: sums short", BOUNDS, k -> k.dotPeak(codes, codes, n, F.asSlice(0, 63))));
        all.add(new Refusal("dotPeak: code 3", ILLEGAL, k -> k.dotPeak(threes, codes, n, F)));
        all.add(new Refusal("dotPeak: part of a unit", ILLEGAL, k -> k.dotPeak(codes, codes, n + 1, F)));
        all.add(new Refusal("dotPeak: negative", ILLEGAL, k -> k.dotPeak(codes, codes, -n, F)));
        all.add(new Refusal("dotPeak: read-only", ILLEGAL, k -> k.dotPeak(codes, codes, n, READ_ONLY)));
        all.add(new Refusal("dotPeak: heap", ILLEGAL, k -> k.dotPeak(codes, HEAP, n, F)));
        all.addAll(screens());
        return all;
    }

    private static List<Refusal> screens() {
        Screen screen = Screen.allocate(ARENA, 8, 16, 4);
        Screen taller = Screen.allocate(ARENA, 70, 16, 4);
        ScreenInputs x = ScreenInputs.allocate(ARENA, 2, 16, 12);
        ScreenScores y = ScreenScores.allocate(ARENA, 3, 8);
        ScreenScores tall = ScreenScores.allocate(ARENA, 3, 70);
        ScreenInputs wide = ScreenInputs.allocate(ARENA, 2, 17, 7);
        ScreenScores many = ScreenScores.allocate(ARENA, 40, 8);
        ListedRows list = ListedRows.allocate(ARENA, 8);
        ListedRows row8 = listed(8, 1);
        ListedRows rowMinus1 = listed(-1, 1);
        ListedRows token2 = listed(0, 4);
        return List.of(
                new Refusal("screenPack: another shape", ILLEGAL, k -> k.screenPack(MATRIX, 0, 8, taller)),
                new Refusal("screenPack: rows", BOUNDS, k -> k.screenPack(MATRIX, 0, 9, screen)),
                new Refusal("screenPack: row -32", BOUNDS, k -> k.screenPack(MATRIX, -32, 8, screen)),
                new Refusal("screenPack: half a panel", ILLEGAL, k -> k.screenPack(MATRIX, 0, 7, screen)),
                new Refusal("screenScores: tokens", BOUNDS, k -> k.screenScores(screen, x, 3, 0, 8, y)),
                new Refusal("screenScores: tokens -1", BOUNDS, k -> k.screenScores(screen, x, -1, 0, 8, y)),
                new Refusal("screenScores: rows", BOUNDS, k -> k.screenScores(taller, x, 1, 0, 71, tall)),
                new Refusal("screenScores: within a panel", ILLEGAL, k -> k.screenScores(taller, x, 1, 16, 70, tall)),
                new Refusal("screenScores: half a panel", ILLEGAL, k -> k.screenScores(taller, x, 1, 0, 40, tall)),
                new Refusal("screenScores: columns", ILLEGAL, k -> k.screenScores(screen, wide, 1, 0, 8, y)),
                new Refusal("screenScores: room", ILLEGAL, k -> k.screenScores(taller, x, 1, 0, 70, y)),
                new Refusal("screenSelect: tokens", BOUNDS, k -> k.screenSelect(y, F, 4, 0, 8, list)),
                new Refusal("screenSelect: tokens of a mask", BOUNDS, k -> k.screenSelect(many, F, 33, 0, 8, list)),
                new Refusal("screenSelect: rows", BOUNDS, k -> k.screenSelect(y, F, 1, 0, 9, list)),
                new Refusal("screenSelect: half a panel", ILLEGAL, k -> k.screenSelect(y, F, 1, 0, 7, list)),
                new Refusal("screenSelect: thresholds", BOUNDS,
                        k -> k.screenSelect(y, F.asSlice(0, 8), 3, 0, 8, list)),
                new Refusal("screenSelect: heap", ILLEGAL, k -> k.screenSelect(y, HEAP, 3, 0, 8, list)),
                new Refusal("screenSelect: room", BOUNDS, k -> k.screenSelect(tall, F, 1, 0, 32, list)),
                new Refusal("floatMatmulRows: entries", BOUNDS,
                        k -> k.floatMatmulRows(MATRIX, F, 16, 1, list, 9, F, 8)),
                new Refusal("floatMatmulRows: entries -1", BOUNDS,
                        k -> k.floatMatmulRows(MATRIX, F, 16, 1, list, -1, F, 8)),
                new Refusal("floatMatmulRows: row 8", BOUNDS, k -> k.floatMatmulRows(MATRIX, F, 16, 1, row8, 1, F, 9)),
                new Refusal("floatMatmulRows: row -1", BOUNDS,
                        k -> k.floatMatmulRows(MATRIX, F, 16, 1, rowMinus1, 1, F, 8)),
                new Refusal("floatMatmulRows: token 2", BOUNDS,
                        k -> k.floatMatmulRows(MATRIX, F, 16, 2, token2, 1, F, 8)),
                new Refusal("floatMatmulRows: tokens", BOUNDS,
                        k -> k.floatMatmulRows(MATRIX, F, 0, 33, list, 1, F, 8)),
                new Refusal("floatMatmulRows: x short", BOUNDS,
                        k -> k.floatMatmulRows(MATRIX, SHORT, 16, 8, list, 1, F, 8)),
                new Refusal("floatMatmulRows: y short", BOUNDS,
                        k -> k.floatMatmulRows(MATRIX, F, 16, 3, listed(7, 1), 1, F, 61)),
                new Refusal("floatMatmulRows: overlap", ILLEGAL,
                        k -> k.floatMatmulRows(MATRIX, F, 16, 2, listed(7, 1), 1, F, 7)),
                new Refusal("floatMatmulRows: read-only", ILLEGAL,
                        k -> k.floatMatmulRows(MATRIX, F, 16, 1, list, 1, READ_ONLY, 8)),
                new Refusal("floatMatmulRows: heap x", ILLEGAL,
                        k -> k.floatMatmulRows(MATRIX, HEAP, 16, 1, list, 1, F, 8)));
    }

    private static ListedRows listed(int row, int mask) {
        ListedRows list = ListedRows.allocate(ARENA, 1);
        list.set(0, row, mask);
        return list;
    }

    /** The native tier whose calls are made too; the checks are the same for all. */
    private static Stream<Kernels> implementations() {
        Stream<Kernels> java = Stream.of(KernelChoice.of(Tier.JAVA));
        return "off".equals(System.getProperty("tern.native"))
                ? java
                : Stream.concat(java, Stream.of(KernelChoice.of(Tier.SCALAR)));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refuses(Refusal refusal) {
        List<String> messages = new ArrayList<>();
        implementations().forEach(kernels -> {
            byte[] before = F.toArray(JAVA_BYTE);
            Throwable thrown = catchThrowable(() -> refusal.call.on(kernels));
            assertThat(thrown).as(kernels.tier().label()).isInstanceOf(refusal.error);
            assertThat(F.toArray(JAVA_BYTE)).isEqualTo(before);
            messages.add(thrown.getMessage());
        });
        assertThat(messages.stream().distinct()).hasSize(1);
    }

    /** Each place where a call takes memory, called with memory of the given arena there. */
    private static SequencedMap<String, Call> placesOfMemory(Arena arena) {
        MemorySegment gone = arena.allocate(512, 64);
        Activations a = activations();
        Activations goneActivations = Activations.allocate(arena, 8, 16);
        KernelChoice.of(Tier.JAVA).quantize(F, 16, 16, 0, 8, goneActivations);
        TernaryWeights ternary = TernaryWeights.of(ARENA, arena.allocate(256), 8, 16, 1f);
        TernaryWeights descriptor = TernaryWeights.of(arena, ARENA.allocate(256), 8, 16, 1f);
        FloatWeights floats = FloatWeights.of(ARENA, gone, 8, 16, FloatType.F32);
        KvLayer kv = KvLayer.allocate(arena, 2, 4, 8, FloatType.F16);
        RopeTable rope = RopeTable.of(ARENA, F, gone, 4, 8, RopePairing.HALVES);
        SequencedMap<String, Call> calls = new LinkedHashMap<>();
        calls.put("quantize x", k -> k.quantize(gone, 16, 16, 0, 1, a));
        calls.put("quantize out", k -> k.quantize(F, 16, 16, 0, 1, goneActivations));
        calls.put("ternaryMatmul w", k -> k.ternaryMatmul(ternary, a, 1, 0, 8, F, 8));
        calls.put("ternaryMatmul w's descriptor", k -> k.ternaryMatmul(descriptor, a, 1, 0, 8, F, 8));
        calls.put("ternaryMatmul a", k -> k.ternaryMatmul(TERNARY, goneActivations, 1, 0, 8, F, 8));
        calls.put("ternaryMatmul y", k -> k.ternaryMatmul(TERNARY, a, 1, 0, 8, gone, 8));
        calls.put("floatMatmul w", k -> k.floatMatmul(floats, F, 16, 1, 0, 8, F, 8));
        calls.put("floatMatmul x", k -> k.floatMatmul(MATRIX, gone, 16, 1, 0, 8, F, 8));
        calls.put("floatMatmul y", k -> k.floatMatmul(MATRIX, F, 16, 1, 0, 8, gone, 8));
        calls.put("floatRow m", k -> k.floatRow(floats, 0, F, 0));
        calls.put("floatRow y", k -> k.floatRow(MATRIX, 0, gone, 0));
        calls.put("rmsNorm x", k -> k.rmsNorm(gone, 16, F, 0, 16, 0, 1, F, 16));
        calls.put("rmsNorm weight", k -> k.rmsNorm(F, 16, gone, 0, 16, 0, 1, F, 16));
        calls.put("rmsNorm y", k -> k.rmsNorm(F, 16, F, 0, 16, 0, 1, gone, 16));
        calls.put("rope x", k -> k.rope(gone, 16, 1, 16, ROPE, 0, 0, 1));
        calls.put("rope table", k -> k.rope(F, 16, 1, 16, rope, 0, 0, 1));
        calls.put("storeKv kv", k -> k.storeKv(kv, F, F, 16, 0, 0, 1));
        calls.put("storeKv k", k -> k.storeKv(KV, gone, F, 16, 0, 0, 1));
        calls.put("storeKv v", k -> k.storeKv(KV, F, gone, 16, 0, 0, 1));
        calls.put("attention kv", k -> k.attention(kv, F, 16, 2, 0, 0, 2, 1, F, F, 16));
        calls.put("attention q", k -> k.attention(KV, gone, 16, 2, 0, 0, 2, 1, F, F, 16));
        calls.put("attention scores", k -> k.attention(KV, F, 16, 2, 0, 0, 2, 1, gone, F, 16));
        calls.put("attention out", k -> k.attention(KV, F, 16, 2, 0, 0, 2, 1, F, gone, 16));
        calls.put("softmax x", k -> k.softmax(gone, 1));
        calls.put("reluSquaredGate gate", k -> k.reluSquaredGate(gone, F, F, 0, 1));
        calls.put("reluSquaredGate up", k -> k.reluSquaredGate(F, gone, F, 0, 1));
        calls.put("siluGate out", k -> k.siluGate(F, F, gone, 0, 1));
        calls.put("add x", k -> k.add(gone, F, 0, 1));
        calls.put("add y", k -> k.add(F, gone, 0, 1));
        calls.put("findInvalidCode codes", k -> k.findInvalidCode(gone));
        MemorySegment codes = ARENA.allocate(64);
        ListedRows list = ListedRows.allocate(ARENA, 8);
        ScreenScores bounds = ScreenScores.allocate(ARENA, 1, 8);
        ScreenScores goneBounds = ScreenScores.allocate(arena, 1, 8);
        ListedRows goneList = ListedRows.allocate(arena, 8);
        calls.put("screenSelect s", k -> k.screenSelect(goneBounds, F, 1, 0, 8, list));
        calls.put("screenSelect thresholds", k -> k.screenSelect(bounds, gone, 1, 0, 8, list));
        calls.put("screenSelect out", k -> k.screenSelect(bounds, F, 1, 0, 8, goneList));
        calls.put("floatMatmulRows w", k -> k.floatMatmulRows(floats, F, 16, 1, list, 1, F, 8));
        calls.put("floatMatmulRows x", k -> k.floatMatmulRows(MATRIX, gone, 16, 1, list, 1, F, 8));
        calls.put("floatMatmulRows rows", k -> k.floatMatmulRows(MATRIX, F, 16, 1, goneList, 1, F, 8));
        calls.put("floatMatmulRows y", k -> k.floatMatmulRows(MATRIX, F, 16, 1, list, 1, gone, 8));
        calls.put("memoryRead x", k -> k.memoryRead(gone));
        calls.put("dotPeak codes", k -> k.dotPeak(gone, codes, 0, F));
        calls.put("dotPeak values", k -> k.dotPeak(codes, gone, 0, F));
        calls.put("dotPeak sums", k -> k.dotPeak(codes, codes, 0, gone));
        calls.put("ternaryDecode in", k -> k.ternaryDecode(TernaryEncoding.Q8_0, gone, 1, 32, 1, F));
        calls.put("ternaryDecode codes", k -> k.ternaryDecode(TernaryEncoding.Q8_0, F, 1, 32, 1, gone));
        return calls;
    }

    @Test
    void refusesMemoryOfAClosedArena() {
        SequencedMap<String, Call> calls;
        try (Arena arena = Arena.ofShared()) {
            calls = placesOfMemory(arena);
        }
        implementations().forEach(kernels -> calls.forEach((place, call) ->
                assertThat(catchThrowable(() -> call.on(kernels)))
                        .as("%s, %s", kernels.tier(), place)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageEndingWith(": used after its arena was closed")));
    }

    @Test
    void refusesMemoryConfinedToAnotherThread() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            SequencedMap<String, Call> calls = placesOfMemory(arena);
            for (Kernels kernels : implementations().toList()) {
                for (String place : calls.sequencedKeySet()) {
                    Callable<Throwable> elsewhere = () -> catchThrowable(() -> calls.get(place).on(kernels));
                    FutureTask<Throwable> task = new FutureTask<>(elsewhere);
                    Thread.ofPlatform().start(task);
                    assertThat(task.get()).as("%s, %s", kernels.tier(), place).isInstanceOf(WrongThreadException.class);
                }
            }
        }
    }

    private static Stream<Arguments> shapes() {
        return Stream.of(
                Arguments.of("codes short", (Call) k -> TernaryWeights.of(ARENA, F.asSlice(0, 255), 8, 16, 1f)),
                Arguments.of("codes on the heap", (Call) k -> TernaryWeights.of(ARENA, HEAP, 8, 16, 1f)),
                Arguments.of("no rows", (Call) k -> TernaryWeights.of(ARENA, F, 0, 16, 1f)),
                Arguments.of("a sum that leaves int32", (Call) k -> TernaryWeights.of(
                        ARENA, MemorySegment.NULL.reinterpret(1L << 40), 1, 1 << 24, 1f)),
                Arguments.of("floats short", (Call) k -> FloatWeights.of(ARENA, SHORT, 8, 16, FloatType.F32)),
                Arguments.of("floats crooked", (Call) k -> FloatWeights.of(ARENA, CROOKED, 1, 1, FloatType.F32)),
                Arguments.of("halves crooked", (Call) k -> FloatWeights.of(ARENA, F.asSlice(1), 1, 1, FloatType.BF16)),
                Arguments.of("blocks crooked", (Call) k -> FloatWeights.of(ARENA, F.asSlice(1), 1, 32, FloatType.Q8_0)),
                Arguments.of("half a block", (Call) k -> FloatWeights.of(ARENA, F, 1, 48, FloatType.Q8_0)),
                Arguments.of("a block short", (Call) k -> FloatWeights.of(ARENA, F.asSlice(0, 208), 1, 256, FloatType.Q6_K)),
                Arguments.of("cache of half blocks", (Call) k -> KvLayer.allocate(ARENA, 1, 32, 48, FloatType.Q8_0)),
                Arguments.of("cache of Q6_K", (Call) k -> KvLayer.allocate(ARENA, 1, 1, 256, FloatType.Q6_K)),
                Arguments.of("floats on the heap", (Call) k -> FloatWeights.of(ARENA, HEAP, 8, 16, FloatType.F32)),
                Arguments.of("odd rotation", (Call) k -> RopeTable.of(ARENA, F, F, 1, 7, RopePairing.HALVES)),
                Arguments.of("table short", (Call) k -> RopeTable.of(ARENA, F, SHORT, 16, 16, RopePairing.HALVES)),
                Arguments.of("table on the heap", (Call) k -> RopeTable.of(ARENA, F, HEAP, 1, 8, RopePairing.HALVES)),
                Arguments.of("cache of BF16", (Call) k -> KvLayer.allocate(ARENA, 1, 1, 1, FloatType.BF16)),
                Arguments.of("cache of nothing", (Call) k -> KvLayer.allocate(ARENA, 1, 0, 1, FloatType.F16)),
                Arguments.of("no tokens", (Call) k -> Activations.allocate(ARENA, 0, 1)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("shapes")
    void refusesShapesThatDoNotFit(String name, Call make) {
        assertThat(catchThrowable(() -> make.on(KernelChoice.of(Tier.JAVA)))).isInstanceOf(ILLEGAL);
    }

    @Test
    void takesWhatFitsExactly() {
        implementations().forEach(k -> {
            MemorySegment y = ARENA.allocate(512, 4);
            k.add(y, F, 0, 128);
            k.add(y, F, 128, 0);
            k.floatRow(MATRIX, 7, y, 112);
            k.rmsNorm(F, 16, F, 1e-5f, 16, 0, 8, y, 16);
            k.attention(KV, F, 16, 2, 3, 0, 2, 1f, F.asSlice(0, 4 * 2 * 16), y, 16);
            k.quantize(F, 16, 16, 8, 8, activations());
            assertThat(y.toArray(JAVA_FLOAT)).doesNotContain(Float.NaN);
        });
    }
}
