package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * libtern's look-up-table kernels, on every path that this machine can run: products against the reference's, bit for bit, and
 * what is refused. The weights are random bytes that stand for weights, unpacked for the reference by the library itself; that
 * the bytes mean what files mean by them, tests of the codec and of whole models show.
 */
class LutKernelsTest {
    /** Larger matrices are more of the same blocks; the C tests have them all. */
    private static final int MAX_WEIGHTS = 1 << 20;

    private static final int MARGIN = 16;
    private static final Arena ARENA = Arena.ofAuto();
    private static final Kernels REFERENCE = KernelChoice.of(Tier.JAVA);

    @BeforeAll
    static void libternIsThere() {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        assertThat(KernelChoice.status().failure()).isEmpty();
    }

    private static LutLibrary libtern() {
        return LutLibrary.ofLibtern().orElseThrow();
    }

    private static Stream<LutKernels> paths() {
        return Arrays.stream(LutPath.values()).flatMap(path -> libtern().kernels(path).stream());
    }

    private static Stream<Arguments> kernelsAndShapes() {
        return paths().flatMap(kernels -> kernels.shapes().stream()
                .filter(shape -> shape.rows() * shape.cols() <= MAX_WEIGHTS)
                .map(shape -> Arguments.of(kernels, shape)));
    }

    private static LutShape shape(LutShape.Format format, int rows, int cols) {
        return libtern().kernels(LutPath.PORTABLE).orElseThrow().shapes().stream()
                .filter(shape -> shape.format() == format && shape.rows() == rows && shape.cols() == cols)
                .findFirst()
                .orElseThrow();
    }

    /** What weights are made of. */
    private enum Weights {
        RANDOM,
        /** Each +1, so that sums are as large as they get. */
        LARGEST,
        /** Each −1; for TL2 through the signs. */
        SMALLEST
    }

    /** Packed bytes of which each index stands for weights, at the end of a segment that has not a byte more. */
    private static LutWeights weights(LutKernels kernels, LutShape shape, Weights kind, long seed) {
        Random random = new Random(seed);
        boolean tl2 = shape.format() == LutShape.Format.TL2;
        int three = tl2 ? shape.cols() / shape.bk() * shape.bk() : 0;
        int signs = shape.rows() * three / 6;
        int pairs = signs + shape.rows() * three / 24;
        byte[] bytes = new byte[(int) shape.packedBytes()];
        random.nextBytes(bytes);
        for (int i = 0; i < bytes.length; i++) {
            if (i < signs) {
                bytes[i] = (byte) (kind == Weights.RANDOM ? random.nextInt(14) << 4 | random.nextInt(14) : 13 << 4 | 13);
            } else if (i < pairs) {
                bytes[i] = (byte) (kind == Weights.RANDOM ? bytes[i] : kind == Weights.LARGEST ? 0 : 0xFF);
            } else {
                int extreme = kind == Weights.LARGEST ? 8 << 4 | 8 : 0;
                bytes[i] = (byte) (kind == Weights.RANDOM ? random.nextInt(9) << 4 | random.nextInt(9) : extreme);
            }
        }
        MemorySegment packed = ARENA.allocate(bytes.length + 1).asSlice(1).copyFrom(MemorySegment.ofArray(bytes));
        return LutWeights.of(ARENA, kernels, shape, packed, 0.37f);
    }

    /** The same matrix in the run-time layout. */
    private static TernaryWeights unpacked(LutWeights w) {
        MemorySegment codes = ARENA.allocate(w.rows() * TernaryWeights.rowBytes(w.cols()), 64);
        w.kernels().unpack(w, 0, w.rows(), codes);
        return TernaryWeights.of(ARENA, codes, w.rows(), w.cols(), w.scale());
    }

    /** Quantized tokens; those divisible by 3 are NaN throughout, of which each becomes -128. */
    private static Activations activations(int tokens, int cols, long seed) {
        Random random = new Random(seed);
        MemorySegment x = ARENA.allocate(4L * tokens * cols, 64);
        for (int t = 0; t < tokens; t++) {
            for (int c = 0; c < cols; c++) {
                x.setAtIndex(JAVA_FLOAT, (long) t * cols + c, t % 3 == 2 ? Float.NaN : (float) random.nextGaussian());
            }
        }
        Activations a = Activations.allocate(ARENA, tokens, cols);
        REFERENCE.quantize(x, cols, cols, 0, tokens, a);
        return a;
    }

    /** In two calls, as threads make them. */
    private static LutTables tables(LutKernels kernels, LutShape.Format format, Activations a) {
        LutTables tables = LutTables.allocate(ARENA, a.tokens(), a.cols());
        kernels.buildTables(format, a, a.tokens() / 2, a.tokens(), tables);
        kernels.buildTables(format, a, 0, a.tokens() / 2, tables);
        return tables;
    }

    private static MemorySegment filled(long floats) {
        MemorySegment y = ARENA.allocate(4 * floats, 64);
        for (long i = 0; i < floats; i++) {
            y.setAtIndex(JAVA_FLOAT, i, i);
        }
        return y;
    }

    private static void compare(
            LutWeights w, TernaryWeights plain, Activations a, LutTables tables, int tokens, int begin, int end) {
        long stride = w.rows() + 3L;
        MemorySegment found = filled(tokens * stride + MARGIN);
        MemorySegment expected = filled(tokens * stride + MARGIN);
        w.kernels().matmul(w, a, tables, tokens, begin, end, found, stride);
        REFERENCE.ternaryMatmul(plain, a, tokens, begin, end, expected, stride);
        assertThat(found.mismatch(expected))
                .as("%s of %s, %d tokens, rows %d to %d", w.shape(), w.kernels(), tokens, begin, end)
                .isEqualTo(-1);
    }

    @ParameterizedTest
    @MethodSource("kernelsAndShapes")
    void productsHaveTheBitsOfTheReference(LutKernels kernels, LutShape shape) {
        Random random = new Random(shape.hashCode());
        LutWeights w = weights(kernels, shape, Weights.RANDOM, 1);
        TernaryWeights plain = unpacked(w);
        assertThat(REFERENCE.findInvalidCode(plain.codes())).isEqualTo(-1);
        for (int tokens : new int[] {1, 2, 4, 5, 7, 48}) {
            Activations a = activations(tokens, shape.cols(), tokens);
            LutTables tables = tables(kernels, shape.format(), a);
            compare(w, plain, a, tables, tokens, 0, shape.rows());
            for (int range = 0; tokens == 5 && range < 5; range++) {
                int begin = random.nextInt(shape.rows() / 32) * 32;
                int end = begin + random.nextInt((shape.rows() - begin) / 32 + 1) * 32;
                compare(w, plain, a, tables, random.nextInt(tokens + 1), begin, end);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndShapes")
    void sumsAtTheirLimitsAreExact(LutKernels kernels, LutShape shape) {
        Activations a = activations(5, shape.cols(), 1);
        LutTables tables = tables(kernels, shape.format(), a);
        for (Weights kind : List.of(Weights.LARGEST, Weights.SMALLEST)) {
            LutWeights w = weights(kernels, shape, kind, 1);
            MemorySegment y = filled(5L * shape.rows());
            compare(w, unpacked(w), a, tables, 5, 0, shape.rows());
            kernels.matmul(w, a, tables, 5, 0, shape.rows(), y, shape.rows());
            // Token 2 is -128 everywhere, and the scale of nothing is that of 1e-5.
            float sum = (kind == Weights.LARGEST ? -128 : 128) * shape.cols();
            assertThat(y.getAtIndex(JAVA_FLOAT, 2L * shape.rows())).isEqualTo(sum * (0.37f / a.scales().getAtIndex(JAVA_FLOAT, 2)));
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndShapes")
    void unpacksAnyRowsAndPadsThemWithZeros(LutKernels kernels, LutShape shape) {
        Random random = new Random(1);
        LutWeights w = weights(kernels, shape, Weights.RANDOM, 2);
        long rowBytes = TernaryWeights.rowBytes(shape.cols());
        byte[] whole = unpacked(w).codes().toArray(JAVA_BYTE);
        for (int round = 0; round < 5; round++) {
            int begin = random.nextInt(shape.rows() / 32) * 32;
            int end = begin + random.nextInt((shape.rows() - begin) / 32 + 1) * 32;
            byte[] expected = new byte[(int) ((end - begin) * rowBytes) + MARGIN];
            System.arraycopy(whole, (int) (begin * rowBytes), expected, 0, expected.length - MARGIN);
            MemorySegment codes = ARENA.allocate(expected.length);
            kernels.unpack(w, begin, end, codes);
            assertThat(codes.toArray(JAVA_BYTE)).as("rows %d to %d", begin, end).isEqualTo(expected);
        }
        for (int row = 0; row < shape.rows(); row++) {
            for (int c = shape.cols(); c < rowBytes * 4; c++) {
                int code = whole[(int) (row * rowBytes) + c / 128 * 32 + c % 32] >> 6 - 2 * (c % 128 / 32) & 3;
                assertThat(code).as("row %d, column %d", row, c).isEqualTo(1);
            }
        }
    }

    /** All paths serve the same plan, so that any of them can take over from another. */
    @Test
    void everyPathHasTheSameKernels() {
        LutKernels portable = libtern().kernels(LutPath.PORTABLE).orElseThrow();
        assertThat(portable.plan()).matches("[0-9a-f]{64}");
        assertThat(portable.shapes()).isNotEmpty().doesNotHaveDuplicates();
        paths().forEach(kernels -> {
            assertThat(kernels.plan()).isEqualTo(portable.plan());
            assertThat(kernels.shapes()).isEqualTo(portable.shapes());
            assertThat(kernels.library()).isEqualTo(libtern().file());
            for (int i = 0; i < kernels.shapes().size(); i++) {
                assertThat(kernels.indexOf(kernels.shapes().get(i))).isEqualTo(i);
            }
        });
        assertThat(libtern().kernels(Tier.JAVA)).isEmpty();
        KernelChoice.status().tiers().stream().filter(tier -> tier.obstacle().isEmpty()).forEach(tier -> {
            LutPath vectors = System.getProperty("os.arch").equals("aarch64") ? LutPath.NEON : LutPath.AVX2;
            LutPath expected = tier.tier() == Tier.SCALAR ? LutPath.PORTABLE : vectors;
            assertThat(libtern().kernels(tier.tier()).orElseThrow().path()).isEqualTo(expected);
        });
    }

    private interface Call {
        void on(LutKernels kernels);
    }

    private record Refusal(String name, Class<?> error, String message, Call call) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Arguments that fit, of which each refusal changes one. */
    private static final class Fitting {
        static final LutShape SHAPE = shape(LutShape.Format.TL2, 128, 512);
        static final MemorySegment PACKED = ARENA.allocate(SHAPE.packedBytes());
        static final Activations A = activations(8, 512, 1);
        static final MemorySegment Y = ARENA.allocate(4 * 128 * 8, 64);
        static final MemorySegment CODES = ARENA.allocate(128 * 128);
        static final MemorySegment HEAP = MemorySegment.ofArray(new float[128 * 64]);

        private Fitting() {}

        static LutWeights w(LutKernels kernels) {
            return LutWeights.of(ARENA, kernels, SHAPE, PACKED, 1);
        }

        static LutTables tables(LutKernels kernels) {
            LutTables tables = LutTables.allocate(ARENA, 4, 512);
            kernels.buildTables(LutShape.Format.TL2, A, 0, 4, tables);
            return tables;
        }

        static void matmul(LutKernels kernels, int tokens, int rowBegin, int rowEnd, MemorySegment y, long stride) {
            kernels.matmul(w(kernels), A, tables(kernels), tokens, rowBegin, rowEnd, y, stride);
        }
    }

    private static List<Refusal> refusals() {
        Class<?> bounds = IndexOutOfBoundsException.class;
        Class<?> illegal = IllegalArgumentException.class;
        LutShape.Format tl2 = LutShape.Format.TL2;
        MemorySegment y = Fitting.Y;
        long huge = Long.MAX_VALUE / 3;
        List<Refusal> all = new ArrayList<>();
        all.add(new Refusal("matmul: tokens beyond tables", bounds, "tokens", k -> Fitting.matmul(k, 5, 0, 128, y, 128)));
        all.add(new Refusal("matmul: tokens -1", bounds, "tokens", k -> Fitting.matmul(k, -1, 0, 128, y, 128)));
        all.add(new Refusal("matmul: rows", bounds, "rows", k -> Fitting.matmul(k, 1, 0, 160, y, 160)));
        all.add(new Refusal("matmul: row -32", bounds, "rows", k -> Fitting.matmul(k, 1, -32, 128, y, 128)));
        all.add(new Refusal("matmul: begin after end", bounds, "rows", k -> Fitting.matmul(k, 1, 64, 32, y, 128)));
        all.add(new Refusal("matmul: ragged begin", illegal, "blocks of 32", k -> Fitting.matmul(k, 1, 1, 32, y, 128)));
        all.add(new Refusal("matmul: ragged end", illegal, "blocks of 32", k -> Fitting.matmul(k, 1, 0, 33, y, 128)));
        all.add(new Refusal("matmul: y short", bounds, "y",
                k -> Fitting.matmul(k, 4, 0, 128, y.asSlice(0, 4 * 511), 128)));
        all.add(new Refusal("matmul: tokens overlap", illegal, "stride", k -> Fitting.matmul(k, 2, 0, 128, y, 127)));
        all.add(new Refusal("matmul: negative stride", illegal, "stride", k -> Fitting.matmul(k, 1, 0, 128, y, -1)));
        all.add(new Refusal("matmul: stride overflows", bounds, "y", k -> Fitting.matmul(k, 4, 0, 128, y, huge)));
        all.add(new Refusal("matmul: y read-only", illegal, "read-only",
                k -> Fitting.matmul(k, 1, 0, 128, y.asReadOnly(), 128)));
        all.add(new Refusal("matmul: y on the heap", illegal, "heap",
                k -> Fitting.matmul(k, 1, 0, 128, Fitting.HEAP, 128)));
        all.add(new Refusal("matmul: y crooked", illegal, "multiple of 4",
                k -> Fitting.matmul(k, 1, 0, 128, y.asSlice(2), 128)));
        all.add(new Refusal("matmul: tables of nothing", illegal, "not built", k ->
                k.matmul(Fitting.w(k), Fitting.A, LutTables.allocate(ARENA, 4, 512), 1, 0, 128, y, 128)));
        all.add(new Refusal("matmul: tables of TL1", illegal, "not built", k ->
                k.matmul(Fitting.w(k), Fitting.A, tables(k, LutShape.Format.TL1, Fitting.A), 1, 0, 128, y, 128)));
        all.add(new Refusal("matmul: tables of another width", illegal, "not built", k ->
                k.matmul(Fitting.w(k), Fitting.A, tables(k, tl2, activations(8, 576, 1)), 1, 0, 128, y, 128)));
        all.add(new Refusal("matmul: activations of another width", illegal, "not built", k ->
                k.matmul(Fitting.w(k), activations(8, 576, 1), Fitting.tables(k), 1, 0, 128, y, 128)));
        all.add(new Refusal("matmul: foreign weights", illegal, "packed for the kernels of", k ->
                k.matmul(Fitting.w(stranger(k)), Fitting.A, Fitting.tables(k), 1, 0, 128, y, 128)));

        LutTables room = LutTables.allocate(ARENA, 4, 512);
        all.add(new Refusal("buildTables: beyond room", bounds, "tokens", k -> k.buildTables(tl2, Fitting.A, 0, 5, room)));
        all.add(new Refusal("buildTables: beyond activations", bounds, "tokens",
                k -> k.buildTables(tl2, activations(2, 512, 1), 0, 3, room)));
        all.add(new Refusal("buildTables: token -1", bounds, "tokens", k -> k.buildTables(tl2, Fitting.A, -1, 1, room)));
        all.add(new Refusal("buildTables: begin after end", bounds, "tokens",
                k -> k.buildTables(tl2, Fitting.A, 2, 1, room)));
        all.add(new Refusal("buildTables: too wide", illegal, "no room for the tables of 512 columns",
                k -> k.buildTables(tl2, Fitting.A, 0, 1, LutTables.allocate(ARENA, 1, 480))));
        all.add(new Refusal("buildTables: nothing quantized", illegal, "quantized with 0 columns",
                k -> k.buildTables(tl2, Activations.allocate(ARENA, 1, 512), 0, 1, room)));
        all.add(new Refusal("buildTables: columns of no matrix", illegal, "multiples of 8",
                k -> k.buildTables(tl2, activations(1, 508, 1), 0, 1, room)));

        MemorySegment codes = Fitting.CODES;
        all.add(new Refusal("unpack: rows", bounds, "rows", k -> k.unpack(Fitting.w(k), 0, 160, codes)));
        all.add(new Refusal("unpack: row -32", bounds, "rows", k -> k.unpack(Fitting.w(k), -32, 0, codes)));
        all.add(new Refusal("unpack: ragged", illegal, "blocks of 32", k -> k.unpack(Fitting.w(k), 0, 31, codes)));
        all.add(new Refusal("unpack: codes short", bounds, "codes",
                k -> k.unpack(Fitting.w(k), 64, 128, codes.asSlice(0, 64 * 128 - 1))));
        all.add(new Refusal("unpack: codes on the heap", illegal, "heap",
                k -> k.unpack(Fitting.w(k), 0, 128, Fitting.HEAP)));
        all.add(new Refusal("unpack: codes read-only", illegal, "read-only",
                k -> k.unpack(Fitting.w(k), 0, 128, codes.asReadOnly())));
        all.add(new Refusal("unpack: foreign weights", illegal, "packed for the kernels of",
                k -> k.unpack(Fitting.w(stranger(k)), 0, 128, codes)));
        return all;
    }

    /** Kernels like these, but not these. */
    private static LutKernels stranger(LutKernels kernels) {
        return LutLibrary.of(kernels.library(), EntryPoints.load(kernels.library(), "build it again"))
                .kernels(kernels.path())
                .orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void refuses(Refusal refusal) {
        paths().forEach(kernels -> {
            Fitting.Y.fill((byte) 7);
            Fitting.CODES.fill((byte) 7);
            assertThat(catchThrowable(() -> refusal.call.on(kernels)))
                    .as(kernels.toString())
                    .isInstanceOf(refusal.error)
                    .hasMessageContaining(refusal.message);
            assertThat(Fitting.Y.toArray(JAVA_BYTE)).containsOnly(7);
            assertThat(Fitting.CODES.toArray(JAVA_BYTE)).containsOnly(7);
        });
    }

    /** Each place where a call takes memory, called with memory of the given arena there. */
    private static SequencedMap<String, Call> placesOfMemory(Arena arena, LutKernels k) {
        MemorySegment packed = arena.allocate(Fitting.SHAPE.packedBytes());
        LutWeights weights = LutWeights.of(ARENA, k, Fitting.SHAPE, packed, 1);
        LutWeights descriptor = LutWeights.of(arena, k, Fitting.SHAPE, Fitting.PACKED, 1);
        Activations a = Activations.allocate(arena, 8, 512);
        REFERENCE.quantize(ARENA.allocate(4 * 8 * 512, 4), 512, 512, 0, 8, a);
        LutTables tables = LutTables.allocate(arena, 4, 512);
        k.buildTables(LutShape.Format.TL2, a, 0, 4, tables);
        LutTables fitting = Fitting.tables(k);
        MemorySegment y = arena.allocate(4 * 128, 4);
        MemorySegment codes = arena.allocate(128 * 128);
        SequencedMap<String, Call> calls = new LinkedHashMap<>();
        calls.put("matmul w", c -> c.matmul(weights, Fitting.A, fitting, 1, 0, 128, Fitting.Y, 128));
        calls.put("matmul w's descriptor", c -> c.matmul(descriptor, Fitting.A, fitting, 1, 0, 128, Fitting.Y, 128));
        calls.put("matmul a", c -> c.matmul(Fitting.w(c), a, fitting, 1, 0, 128, Fitting.Y, 128));
        calls.put("matmul tables", c -> c.matmul(Fitting.w(c), Fitting.A, tables, 1, 0, 128, Fitting.Y, 128));
        calls.put("matmul y", c -> c.matmul(Fitting.w(c), Fitting.A, fitting, 1, 0, 128, y, 128));
        calls.put("buildTables a", c -> c.buildTables(LutShape.Format.TL2, a, 0, 1, fitting));
        calls.put("buildTables out", c -> c.buildTables(LutShape.Format.TL2, Fitting.A, 0, 1, tables));
        calls.put("unpack w", c -> c.unpack(weights, 0, 32, Fitting.CODES));
        calls.put("unpack w's descriptor", c -> c.unpack(descriptor, 0, 32, Fitting.CODES));
        calls.put("unpack codes", c -> c.unpack(Fitting.w(c), 0, 32, codes));
        return calls;
    }

    @ParameterizedTest
    @MethodSource("paths")
    void refusesMemoryOfAClosedArena(LutKernels kernels) {
        SequencedMap<String, Call> calls;
        try (Arena arena = Arena.ofShared()) {
            calls = placesOfMemory(arena, kernels);
            calls.values().forEach(call -> call.on(kernels)); // as long as it is open, nothing is wrong with it
        }
        calls.forEach((place, call) -> assertThat(catchThrowable(() -> call.on(kernels)))
                .as(place)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageEndingWith(": used after its arena was closed"));
    }

    @ParameterizedTest
    @MethodSource("paths")
    void refusesMemoryConfinedToAnotherThread(LutKernels kernels) throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            SequencedMap<String, Call> calls = placesOfMemory(arena, kernels);
            for (String place : calls.sequencedKeySet()) {
                Callable<Throwable> elsewhere = () -> catchThrowable(() -> calls.get(place).on(kernels));
                FutureTask<Throwable> task = new FutureTask<>(elsewhere);
                Thread.ofPlatform().start(task);
                assertThat(task.get()).as(place).isInstanceOf(WrongThreadException.class);
            }
        }
    }

    /** A refused width must not leave the tables marked as filled for it. */
    @Test
    void refusedTablesAreNotTakenForBuilt() {
        LutKernels kernels = libtern().kernels(LutPath.PORTABLE).orElseThrow();
        LutTables tables = LutTables.allocate(ARENA, 1, 512);
        assertThatThrownBy(() -> kernels.buildTables(LutShape.Format.TL1, activations(1, 514, 1), 0, 1, tables))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(tables.holds(LutShape.Format.TL1, 514)).isFalse();
        kernels.buildTables(LutShape.Format.TL1, activations(1, 512, 1), 0, 1, tables);
        assertThat(tables.holds(LutShape.Format.TL1, 512)).isTrue();
        assertThat(tables.holds(LutShape.Format.TL2, 512)).isFalse();
    }

    @Test
    void weightsNeedAKernelAndRoom() {
        LutKernels kernels = libtern().kernels(LutPath.PORTABLE).orElseThrow();
        LutShape known = Fitting.SHAPE;
        LutShape unknown = new LutShape(LutShape.Format.TL2, 128, 512, 128, 24, 32);
        MemorySegment enough = ARENA.allocate(1 << 20);
        assertThatThrownBy(() -> LutWeights.of(ARENA, kernels, unknown, enough, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the kernels of " + kernels + " have none for TL2 128x512 128/24/32");
        assertThatThrownBy(() -> LutWeights.of(ARENA, kernels, known, enough.asSlice(0, known.packedBytes() - 1), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has " + known.packedBytes() + " bytes");
        assertThatThrownBy(() -> LutWeights.of(ARENA, kernels, known, MemorySegment.ofArray(new byte[1 << 20]), 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("heap");
        assertThatThrownBy(() -> LutTables.allocate(ARENA, 0, 512)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> LutTables.allocate(ARENA, 1, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shapesThatNoKernelCanHave() {
        int[] good = {128, 512, 64, 240, 32};
        assertThat(new LutShape(LutShape.Format.TL2, 128, 512, 64, 240, 32).packedBytes())
                .isEqualTo(128 * 480 / 6 + 128 * 480 / 24 + 128 * 32 / 4);
        assertThat(new LutShape(LutShape.Format.TL1, 128, 512, 64, 256, 32).packedBytes()).isEqualTo(128 * 512 / 4);
        assertThat(new LutShape(LutShape.Format.TL2, 1 << 30, 1 << 20, 64, 96, 32).packedBytes())
                .as("more than an int holds")
                .isEqualTo((1L << 30) * 1048512 * 5 / 24 + (1L << 30) * 64 / 4);
        for (int bad : new int[] {0, -32}) {
            IntStream.range(0, good.length).forEach(i -> {
                int[] n = good.clone();
                n[i] = bad;
                assertThatThrownBy(() -> new LutShape(LutShape.Format.TL2, n[0], n[1], n[2], n[3], n[4]))
                        .isInstanceOf(IllegalArgumentException.class);
            });
        }
        for (int[] size : new int[][] {{127, 512}, {128, 508}, {128, TernaryWeights.MAX_COLS + 1}}) {
            assertThatThrownBy(() -> new LutShape(LutShape.Format.TL2, size[0], size[1], 64, 240, 32))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageEndingWith("no such kernel");
        }
    }
}
