package dev.tern.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.kernels.Activations;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.KvLayer;
import dev.tern.kernels.Tier;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineLimits.Peak;
import dev.tern.measure.MachineLimits.Read;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.openjdk.jmh.annotations.Param;

/** The bodies of benchmarks of single kernels, each run once on small sizes and compared. */
class KernelBenchmarksTest {
    private static final Kernels REFERENCE = KernelChoice.of(Tier.JAVA);

    private static void assumeAvailable(Tier tier) {
        try {
            KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            assumeThat(false).as(e.getMessage()).isTrue();
        }
    }

    private static float[] floats(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_FLOAT);
    }

    static Stream<Arguments> tiersAndTypes() {
        return Stream.of(Tier.values())
                .flatMap(tier -> Stream.of(FloatType.values()).map(type -> Arguments.of(tier, type)));
    }

    /** Every matrix in turn, against the Java reference. */
    @ParameterizedTest
    @MethodSource("tiersAndTypes")
    void floatMatmulIsTheReferencesProduct(Tier tier, FloatType type) {
        assumeAvailable(tier);
        FloatMatmulBenchmark benchmark = new FloatMatmulBenchmark();
        benchmark.tier = tier;
        benchmark.type = type;
        benchmark.shape = "37x512";
        benchmark.tokens = 3;
        benchmark.workingSet = 2 * type.bytes(37 * 512);
        benchmark.allocate();
        ReadWork read = new ReadWork();
        FloatMatmulBenchmark.Work work = new FloatMatmulBenchmark.Work();
        assertThat(benchmark.weights.all()).hasSize(2);
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < 3; i++) {
                MemorySegment expected = arena.allocate(4L * 3 * 37, 64);
                REFERENCE.floatMatmul(benchmark.weights.all().get(i % 2), benchmark.x, 512, 3, 0, 37, expected, 37);
                assertThat(floats(benchmark.matmul(read, work))).isEqualTo(floats(expected)).doesNotContain(Float.NaN);
            }
        } finally {
            benchmark.free();
        }
        assertThat(work.floatOps).isEqualTo(3 * 2.0 * 37 * 512 * 3);
        assertThat(read.weightBytes).isEqualTo(3.0 * type.bytes(37 * 512));
    }

    @ParameterizedTest
    @CsvSource({"F16, 20/5x128, 1", "Q8_0, 4/2x64, 7", "F32, 3/3x100, 24"})
    void attentionIsTheReferences(FloatType type, String heads, int tokens) {
        AttentionBenchmark benchmark = new AttentionBenchmark();
        benchmark.tier = KernelChoice.best().kernels().tier();
        benchmark.type = type;
        benchmark.heads = heads;
        benchmark.positions = 24;
        benchmark.tokens = tokens;
        benchmark.allocate();
        AttentionBenchmark.Work work = new AttentionBenchmark.Work();
        try (Arena arena = Arena.ofConfined()) {
            int items = tokens * benchmark.queries;
            int stride = benchmark.queries * benchmark.cache.headDim();
            MemorySegment expected = arena.allocate(benchmark.q.byteSize(), 64);
            MemorySegment scores = arena.allocate(4L * KvLayer.attentionScores(items, 24), 64);
            REFERENCE.attention(
                    benchmark.cache, benchmark.q, stride, benchmark.queries, 24 - tokens, 0, items, benchmark.scale,
                    scores, expected, stride);
            assertThat(floats(benchmark.attention(work))).isEqualTo(floats(expected)).doesNotContain(Float.NaN);
            double products = 0;
            for (int t = 0; t < tokens; t++) {
                products += 2.0 * benchmark.queries * (24 - tokens + t + 1); // of a query with a key, of a score and a value
            }
            assertThat(work.floatOps).isEqualTo(2 * products * benchmark.cache.headDim());
            assertThat(work.cacheBytes)
                    .isEqualTo(2.0 * 24 * stride / benchmark.queries * keys(heads) * type.bytes(32) / 32);
        } finally {
            benchmark.free();
        }
    }

    private static int keys(String heads) {
        return Integer.parseInt(heads.split("[/x]")[1]);
    }

    /** Against formulas in double precision; quantization against the Java reference. */
    @ParameterizedTest
    @EnumSource(Tier.class)
    void activationsAreWhatTheirFormulasSay(Tier tier) {
        assumeAvailable(tier);
        ActivationBenchmark benchmark = new ActivationBenchmark();
        benchmark.tier = tier;
        benchmark.cols = 300;
        benchmark.tokens = 2;
        benchmark.allocate();
        try (Arena arena = Arena.ofConfined()) {
            float[] x = floats(benchmark.x);
            float[] up = floats(benchmark.up);
            float[] weight = floats(benchmark.weight);
            Activations expected = Activations.allocate(arena, 2, 300);
            REFERENCE.quantize(benchmark.x, 300, 300, 0, 2, expected);
            assertThat(benchmark.quantize().values().mismatch(expected.values())).isEqualTo(-1);
            float[] normalized = floats(benchmark.rmsNorm());
            for (int t = 0; t < 2; t++) {
                double squares = 0;
                for (int c = 0; c < 300; c++) {
                    squares += x[300 * t + c] * (double) x[300 * t + c];
                }
                double factor = 1 / Math.sqrt(squares / 300 + ActivationBenchmark.EPSILON);
                for (int c = 0; c < 300; c++) {
                    assertThat(normalized[300 * t + c])
                            .isCloseTo((float) (x[300 * t + c] * factor * weight[c]), within(1e-5f));
                }
            }
            float[] relu = floats(benchmark.reluSquaredGate());
            float[] silu = floats(benchmark.siluGate());
            for (int i = 0; i < x.length; i++) {
                double positive = Math.max(x[i], 0);
                assertThat(relu[i]).isCloseTo((float) (positive * positive * up[i]), within(1e-6f));
                assertThat(silu[i]).isCloseTo((float) (x[i] / (1 + Math.exp(-x[i])) * up[i]), within(1e-6f));
            }
        } finally {
            benchmark.free();
        }
    }

    @Test
    void sharesAreOfWhatTheMachineCanDoWithSoManyThreads() {
        MachineLimits measured = new MachineLimits(
                List.of(new Read(1, false, 15), new Read(2, false, 30), new Read(2, true, 40)),
                List.of(new Peak("avx2", 2, 600), new Peak("amx", 2, 9000)));
        Limits limits = new Limits(Limits.parse(Limits.format(measured)));
        assertThat(limits.readBytes(1)).isEqualTo(15e9);
        assertThat(limits.readBytes(2)).isEqualTo(40e9);
        assertThat(limits.integerOperations(Tier.AMX, 2)).isEqualTo(9000e9);
        ReadWork read = new ReadWork();
        IntegerWork integers = new IntegerWork();
        read.weightBytes = 10e9;
        integers.integerOps = 60e9;
        assertThat(read.readShare()).isNaN();
        assertThat(integers.peakShare()).isNaN();
        read.limit(limits, 2);
        integers.limit(limits, Tier.AVX2, 2);
        assertThat(read.readShare()).isEqualTo(0.25);
        assertThat(integers.peakShare()).isEqualTo(0.1);
        read.limit(limits, 4);
        integers.limit(limits, Tier.AVX2, 4);
        assertThat(read.readShare()).isNaN();
        assertThat(integers.peakShare()).isNaN();
        assertThat(new Limits(Limits.parse(null)).readBytes(1)).isNaN();
        assertThat(new Limits(Limits.parse(Limits.OFF)).readBytes(1)).isNaN();
        assertThatIllegalArgumentException().isThrownBy(() -> Limits.parse("e30-no"));
    }

    /** Values of a parameter are text until JMH runs: one that is no shape would fail only then. */
    @Test
    void parametersAreWhatTheBenchmarksRead() throws NoSuchFieldException {
        for (Class<?> benchmark : new Class<?>[] {
            FloatMatmulBenchmark.class, TernaryMatmulBenchmark.class, LutMatmulBenchmark.class
        }) {
            assertThat(values(benchmark, "shape")).allMatch(shape -> shape.matches("[1-9][0-9]*x[1-9][0-9]*"));
        }
        assertThat(values(AttentionBenchmark.class, "heads")).allMatch(heads -> heads.matches("[0-9]+/[0-9]+x[0-9]+"));
        for (String shape : values(FloatMatmulBenchmark.class, "shape")) {
            int cols = Integer.parseInt(shape.split("x")[1]);
            assertThat(values(FloatMatmulBenchmark.class, "type"))
                    .allMatch(type -> cols % FloatType.valueOf(type).blockSize() == 0);
        }
        for (Class<?> benchmark : new Class<?>[] {
            ActivationBenchmark.class, AttentionBenchmark.class, FloatMatmulBenchmark.class
        }) {
            assertThat(values(benchmark, "tier")).allMatch(tier -> Tier.valueOf(tier) != null);
        }
    }

    private static String[] values(Class<?> benchmark, String parameter) throws NoSuchFieldException {
        return benchmark.getField(parameter).getAnnotation(Param.class).value();
    }
}
