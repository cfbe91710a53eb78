package dev.tern.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.Session;
import dev.tern.convert.ConversionPlan;
import dev.tern.convert.Validator;
import dev.tern.gguf.GgmlType;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import dev.tern.kernels.Tier;
import dev.tern.model.HeadScreen;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.VerboseMode;

/** A benchmark of the wrong work is worse than none: each body runs once, on small sizes, and its result is checked. */
class BenchmarksTest {

    @Test
    void jmhFindsEveryBenchmark() {
        assertThat(BenchmarkList.defaultList()
                        .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of()))
                .extracting(entry -> entry.getUsername())
                .containsExactlyInAnyOrder(
                        ActivationBenchmark.class.getName() + ".quantize",
                        ActivationBenchmark.class.getName() + ".reluSquaredGate",
                        ActivationBenchmark.class.getName() + ".rmsNorm",
                        ActivationBenchmark.class.getName() + ".siluGate",
                        AttentionBenchmark.class.getName() + ".attention",
                        BatchBenchmark.class.getName() + ".step",
                        CallBenchmark.class.getName() + ".addEightFloats",
                        ConvertBenchmark.class.getName() + ".convert",
                        DecodeBenchmark.class.getName() + ".step",
                        DraftBenchmark.class.getName() + ".pass",
                        FloatMatmulBenchmark.class.getName() + ".matmul",
                        HeadBenchmark.class.getName() + ".head",
                        LutMatmulBenchmark.class.getName() + ".matmul",
                        OpenBenchmark.class.getName() + ".header",
                        OpenBenchmark.class.getName() + ".model",
                        OpenBenchmark.class.getName() + ".tokenizer",
                        PrefillBenchmark.class.getName() + ".feed",
                        SamplerBenchmark.class.getName() + ".sample",
                        StageBenchmark.class.getName() + ".emptyStage",
                        TernaryMatmulBenchmark.class.getName() + ".matmul",
                        TokenizerBenchmark.class.getName() + ".decode",
                        TokenizerBenchmark.class.getName() + ".encode",
                        TokenizerBenchmark.class.getName() + ".stream");
    }

    /** The largest logits are those of the head without a screen, and the screen spares rows. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "Q8_0", "Q6_K"})
    void headGivesTheLargestLogits(FloatType type) {
        MemorySegment[] logits = new MemorySegment[2];
        for (HeadScreen screen : new HeadScreen[] {HeadScreen.OFF, HeadScreen.ON}) {
            HeadBenchmark benchmark = new HeadBenchmark();
            benchmark.shape = "4000x512";
            benchmark.type = type;
            benchmark.kind = SyntheticHead.Kind.SPECTRUM;
            benchmark.screen = screen;
            benchmark.top = 1;
            benchmark.threads = 2;
            benchmark.load();
            HeadBenchmark.Spared spared = new HeadBenchmark.Spared();
            float sum = 0;
            for (int i = 0; i < HeadBenchmark.STATES; i++) {
                float[] row = benchmark.head(spared).toArray(ValueLayout.JAVA_FLOAT);
                float largest = Float.NEGATIVE_INFINITY;
                for (float logit : row) {
                    largest = Math.max(largest, logit);
                }
                sum += largest;
            }
            benchmark.free();
            logits[screen == HeadScreen.ON ? 1 : 0] = MemorySegment.ofArray(new float[] {sum});
            if (screen == HeadScreen.ON) {
                assertThat(spared.triedShare()).isBetween(0.05, 1.0);
                assertThat(spared.sparedShare()).isBetween(0.05, spared.triedShare());
                assertThat(spared.rowShare()).isBetween(1.0 / 4000, 1.0);
            } else {
                assertThat(spared.triedShare()).isZero();
                assertThat(spared.sparedShare()).isZero();
            }
        }
        assertThat(logits[0].mismatch(logits[1])).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void stepDecodesEverySequence(int sequences) throws IOException {
        BatchBenchmark benchmark = new BatchBenchmark();
        benchmark.file = "";
        benchmark.sequences = sequences;
        benchmark.slots = 3;
        benchmark.context = 5;
        benchmark.threads = 2;
        benchmark.load();
        BatchBenchmark.Tokens tokens = new BatchBenchmark.Tokens();
        try {
            for (int i = 1; i < 40; i++) {
                assertThat(benchmark.step(tokens)).isEqualTo(5 + (i - 1) % 32 + 1);
            }
            assertThat(tokens.tokens).isEqualTo(39L * sequences);
            assertThat(benchmark.stages()).containsPattern("GATE_UP [0-9.]*[1-9]").contains("ATTENTION", "HEAD");
        } finally {
            benchmark.delete();
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void callAddsEightFloats(Tier tier) {
        assumeAvailable(tier);
        CallBenchmark benchmark = new CallBenchmark();
        benchmark.tier = tier;
        benchmark.allocate();
        for (int i = 0; i < 8; i++) {
            benchmark.x.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
            benchmark.y.setAtIndex(ValueLayout.JAVA_FLOAT, i, 10);
        }
        benchmark.addEightFloats();
        assertThat(benchmark.x.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(10, 11, 12, 13, 14, 15, 16, 17);
    }

    static Stream<Arguments> tiersAndLayouts() {
        return Stream.of(Tier.values())
                .flatMap(tier -> Stream.of(TernaryLayout.values()).map(layout -> Arguments.of(tier, layout)));
    }

    /** Every matrix in turn, against the Java reference; rows and columns that fill no block. */
    @ParameterizedTest
    @MethodSource("tiersAndLayouts")
    void matmulIsTheReferencesProduct(Tier tier, TernaryLayout layout) {
        assumeAvailable(tier);
        TernaryMatmulBenchmark benchmark = new TernaryMatmulBenchmark();
        benchmark.tier = tier;
        benchmark.layout = layout;
        benchmark.shape = "67x200";
        benchmark.tokens = 5;
        benchmark.workingSet = 3 * layout.bytes(67, 200);
        benchmark.allocate();
        ReadWork read = new ReadWork();
        IntegerWork integers = new IntegerWork();
        assertThat(benchmark.weights.all()).hasSize(3);
        try (Arena arena = Arena.ofConfined()) {
            for (int i = 0; i < 4; i++) {
                MemorySegment expected = arena.allocate(4L * 5 * 67, 64);
                TernaryWeights w = benchmark.weights.all().get(i % 3);
                KernelChoice.of(Tier.JAVA).ternaryMatmul(w, benchmark.activations, 5, 0, 67, expected, 67);
                float[] actual = benchmark.matmul(read, integers).toArray(ValueLayout.JAVA_FLOAT);
                assertThat(actual).isEqualTo(expected.toArray(ValueLayout.JAVA_FLOAT));
                assertThat(IntStream.range(0, actual.length).filter(at -> actual[at] == 0)).hasSizeLessThan(5);
            }
        } finally {
            benchmark.free();
        }
        assertThat(integers.integerOps).isEqualTo(4 * 2.0 * 67 * 200 * 5);
        assertThat(read.weightBytes).isEqualTo(4.0 * layout.bytes(67, 200));
    }

    /** Every way, every matrix in turn, against the Java reference. */
    @ParameterizedTest
    @ValueSource(strings = {"mad", "lut", "unpack"})
    void lookingUpIsTheReferencesProduct(String way) throws IOException {
        Tier tier = KernelChoice.best().kernels().tier();
        assumeThat(tier).isNotEqualTo(Tier.JAVA);
        LutMatmulBenchmark benchmark = new LutMatmulBenchmark();
        benchmark.tier = tier;
        benchmark.shape = "192x576"; // libtern has it
        benchmark.way = way;
        benchmark.tiles = "default";
        benchmark.tokens = 5;
        benchmark.workingSet = 3 * 192 * 160;
        benchmark.allocate();
        LutMatmulBenchmark.Work work = new LutMatmulBenchmark.Work();
        ReadWork read = new ReadWork();
        IntegerWork integers = new IntegerWork();
        assertThat(benchmark.matrices.all()).hasSize(3);
        try (Arena results = Arena.ofConfined()) {
            for (int i = 0; i < 4; i++) {
                MemorySegment expected = results.allocate(4L * 5 * 192, 64);
                TernaryWeights w = benchmark.matrices.all().get(i % 3).plain();
                KernelChoice.of(Tier.JAVA).ternaryMatmul(w, benchmark.activations, 5, 0, 192, expected, 192);
                assertThat(benchmark.matmul(work, read, integers).toArray(ValueLayout.JAVA_FLOAT))
                        .isEqualTo(expected.toArray(ValueLayout.JAVA_FLOAT));
            }
        } finally {
            benchmark.free();
        }
        assertThat(work.weights).isEqualTo(4 * 192.0 * 576 * 5);
        assertThat(integers.integerOps).isEqualTo(2 * work.weights);
        LutMatmulBenchmark.Matrix first = benchmark.matrices.all().getFirst();
        assertThat(read.weightBytes)
                .isEqualTo(4.0 * (way.equals("mad") ? first.plain().byteSize() : first.packed().byteSize()));
    }

    @Test
    void conversionsAreOfTheWholeCheckpoint() throws IOException {
        ConvertBenchmark benchmark = new ConvertBenchmark();
        benchmark.outtype = Outtype.TQ1_0;
        benchmark.layers = 1;
        benchmark.synthesize();
        try {
            ConvertBenchmark.Work work = new ConvertBenchmark.Work();
            long weights = 2 * 2560L * 2560 + 2 * 640L * 2560 + 3 * 2560L * 6912;
            benchmark.convert(work);
            assertThat(work.inputBytes).isGreaterThan(2.0 * (weights + 32_064 * 2560L));
            assertThat(benchmark.report.plan().totals().get(GgmlType.TQ1_0))
                    .isEqualTo(new ConversionPlan.TypeTotal(7, weights / 256 * 54));
            assertThat(Validator.validate(benchmark.report.file(), null).problems()).isEmpty();
        } finally {
            benchmark.delete();
        }
        assertThat(Files.exists(benchmark.folder)).isFalse();
    }

    @Test
    void decodeStepsAreThoseOfAPrompt() throws IOException {
        DecodeBenchmark benchmark = new DecodeBenchmark();
        benchmark.file = "";
        benchmark.layers = 1;
        benchmark.load();
        Path folder = benchmark.opened.folder();
        try (Session session = benchmark.opened.model().session()) {
            int[] ids = new int[3];
            Arrays.fill(ids, benchmark.token[0]);
            session.feed(ids);
            benchmark.step();
            benchmark.step();
            float[] third = benchmark.step().toArray(ValueLayout.JAVA_FLOAT);
            assertThat(third).isEqualTo(session.logits().toArray(ValueLayout.JAVA_FLOAT)).doesNotContain(Float.NaN);
            assertThat(benchmark.session.position()).isEqualTo(3);
        } finally {
            benchmark.delete();
        }
        assertThat(Files.exists(folder)).isFalse();
    }

    @Test
    void draftsAreEvaluatedInThePassOfTheTokenBeforeThem() throws IOException {
        DraftBenchmark benchmark = new DraftBenchmark();
        benchmark.file = "";
        benchmark.tokens = 4;
        benchmark.load();
        try (Session session = benchmark.model.session()) {
            for (int i = 0; i < 2; i++) {
                benchmark.rewind();
                assertThat(benchmark.pass()).isEqualTo(3);
            }
            session.feed(benchmark.session.ids());
            session.feed(benchmark.draft);
            benchmark.session.feed(benchmark.draft);
            assertThat(benchmark.session.position()).isEqualTo(68);
            assertThat(benchmark.session.logits().toArray(ValueLayout.JAVA_FLOAT))
                    .isEqualTo(session.logits().toArray(ValueLayout.JAVA_FLOAT))
                    .doesNotContain(Float.NaN);
        } finally {
            benchmark.delete();
        }
        assertThat(Files.exists(benchmark.synthetic.folder())).isFalse();
    }

    /** Values of a parameter are text until JMH runs: one that is no tier or no shape would fail only then. */
    @Test
    void parametersAreWhatTheBenchmarksRead() throws NoSuchFieldException {
        for (Class<?> benchmark : new Class<?>[] {CallBenchmark.class, LutMatmulBenchmark.class, TernaryMatmulBenchmark.class}) {
            for (String tier : benchmark.getField("tier").getAnnotation(Param.class).value()) {
                assertThat(Tier.valueOf(tier)).isNotNull();
            }
        }
        for (String outtype : ConvertBenchmark.class.getField("outtype").getAnnotation(Param.class).value()) {
            assertThat(Outtype.valueOf(outtype)).isNotNull();
        }
        assertThat(TernaryMatmulBenchmark.class.getField("shape").getAnnotation(Param.class).value())
                .allMatch(shape -> shape.matches("[1-9][0-9]*x[1-9][0-9]*"));
    }

    private static void assumeAvailable(Tier tier) {
        try {
            KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            assumeThat(false).as(e.getMessage()).isTrue();
        }
    }
}
