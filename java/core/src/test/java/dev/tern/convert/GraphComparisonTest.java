package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.Token;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.TestCheckpoints;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.gguf.GgufFile;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.model.FfnActivation;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.VocabularyCheck;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GraphComparisonTest {
    private static final Path MODELS = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet");
    private static final ConversionProgress SILENT = (phase, tensor, done, total) -> {};

    @TempDir
    Path folder;

    /** Whatever the type does to the scales: given those, checkpoint and file compute the same bits. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void fileAndCheckpointComputeTheSameBits(Outtype outtype) {
        for (String checkpoint : List.of("packed-u8", "online-bf16")) {
            Path gguf = folder.resolve(checkpoint + ".gguf");
            ValidationReport report = Converter.from(MODELS.resolve(checkpoint))
                    .outtype(outtype)
                    .validate(true)
                    .to(gguf)
                    .validation();
            ValidationReport.Graph graph = report.proof().graph();
            assertThat(report.notes()).isEmpty();
            assertThat(graph.bitEqual()).isTrue();
            assertThat(graph.deviation()).isZero();
            assertThat(graph.agreeing()).isEqualTo(graph.positions()).isEqualTo(graph.prompt() + 3);
            assertThat(report.proof().restored()).isEqualTo(report.proof().texts());
            assertThat(report.proof().matrices()).hasSize(28);
        }
    }

    /** The continuation is the engine's own. */
    @Test
    void theContinuationIsTheEngines() {
        Path gguf = folder.resolve("m.gguf");
        Converter.from(MODELS.resolve("packed-u8")).outtype(Outtype.I2_S).to(gguf);
        ValidationReport.Proof proof = Validator.validate(gguf, MODELS.resolve("packed-u8")).proof();
        assertThat(proof.sha256()).hasSize(64);
        try (Model model = Model.load(gguf, ModelOptions.builder().cacheType(FloatType.F32).build())) {
            int[] all = model.tokenizer().encode(VocabularyCheck.sample(), true, false);
            int[] prompt = Arrays.copyOf(all, proof.graph().prompt());
            Generation answer =
                    model.generate(prompt, GenerationOptions.builder().maxTokens(4).temperature(0).build());
            List<Integer> ids = new ArrayList<>();
            for (Token token : answer) {
                ids.add(token.id());
            }
            assertThat(ids).isEqualTo(proof.graph().continuation());
        }
    }

    /** Weights alone cannot show these. */
    @Test
    void anotherGraphIsFoundOut() {
        assertThat(problems(m -> m.withActivation(FfnActivation.SILU))).contains("behind block 0");
        assertThat(problems(m -> m.withArchitecture("llama"))).contains("logits of position");
        assertThat(problems(m -> new ModelHyperparameters(
                        m.architecture(), m.name(), m.vocabSize(), m.contextLength(), m.hiddenSize(),
                        m.intermediateSize(), m.layers(), m.heads(), m.kvHeads(), m.headDim(), m.ropeDims(), 10_000f,
                        m.normEps(), m.activation(), m.subNorms(), m.tiedHead())))
                .contains("behind block 0");
        assertThat(problems(m -> m)).isEmpty();
    }

    private String problems(UnaryOperator<ModelHyperparameters> change) {
        Path gguf = folder.resolve("m.gguf");
        Converter.from(MODELS.resolve("packed-u8")).outtype(Outtype.I2_S).overwrite(true).to(gguf);
        try (GgufFile file = GgufFile.open(gguf);
                Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("packed-u8"));
                GraphComparison graph = new GraphComparison(
                        file,
                        change.apply(GgufHyperparameters.read(file)),
                        LutTiles.none(),
                        checkpoint,
                        new int[] {4080, 50, 60, 70, 80, 90, 100, 110},
                        KernelChoice.best().kernels())) {
            List<String> problems = new ArrayList<>();
            graph.run(problems);
            return String.join("; ", problems);
        }
    }

    /** By hand: of the logits 1, 2, 3, 6 the mean is 3 and the variance 3.5. */
    @Test
    void logitsOfOnePositionAreCompared() {
        MemorySegment expected = MemorySegment.ofArray(new float[] {0, 0, 0, 0, 1, 2, 3, 6});
        LogitsComparison other = LogitsComparison.of(
                expected, MemorySegment.ofArray(new float[] {0, 0, 0, 0, 1, 2, 7, 6}), 4, 1);
        assertThat(other.expected()).isEqualTo(3);
        assertThat(other.found()).isEqualTo(2);
        assertThat(other.deviation()).isCloseTo(Math.sqrt(16 / 4.0 / 3.5), within(1e-12));
        assertThat(other.lead()).isCloseTo(3 / Math.sqrt(3.5), within(1e-12));
        LogitsComparison same = LogitsComparison.of(expected, expected, 4, 1);
        assertThat(same).isEqualTo(new LogitsComparison(3, 3, 0, 0));

        assertThat(same.within(0)).isTrue();
        assertThat(new LogitsComparison(3, 2, 0.05, 0.09).within(0.1)).isTrue(); // too close to tell
        assertThat(new LogitsComparison(3, 2, 0.05, 0.2).within(0.1)).isFalse(); // another token
        assertThat(new LogitsComparison(3, 3, 0.2, 0).within(0.1)).isFalse();
        assertThat(new LogitsComparison(3, 3, Double.NaN, 0).within(0.1)).isFalse();
    }

    /** q and k are permuted for llama, so sums run in another order: the same tokens, nearly the same logits. */
    @ParameterizedTest
    @CsvSource({"ONLINE,true", "PACKED,false"})
    void randomLlamasAgree(WeightFormat format, boolean tied) {
        ModelHyperparameters llama = new ModelHyperparameters(
                "llama", "l", 512, 64, 256, 512, 3, 8, 2, 32, 32, 10_000f, 1e-5f, FfnActivation.SILU, false, tied);
        Path checkpoint = folder.resolve("llama");
        SyntheticCheckpoint.of(llama).format(format).to(checkpoint);
        ValidationReport report = Converter.from(checkpoint)
                .outtype(Outtype.TQ1_0)
                .validate(true)
                .to(folder.resolve("llama.gguf"))
                .validation();
        assertThat(report.problems()).isEmpty();
        ValidationReport.Graph graph = report.proof().graph();
        assertThat(graph.bitEqual()).isFalse();
        assertThat(graph.deviation()).isBetween(0.0, 0.1);
        assertThat(graph.agreeing()).isEqualTo(graph.positions());
    }

    @Test
    void scalesOfTheOtherDirectionAreTakenAsTheyAreMeant() {
        Path inverse = folder.resolve("inverse");
        inverse.toFile().mkdirs();
        TestCheckpoints.writeInverse(inverse);
        Path gguf = folder.resolve("m.gguf");
        Converter.from(inverse).outtype(Outtype.I2_S).to(gguf);
        ValidationReport report = Validator.validate(gguf, inverse, null, SILENT);
        assertThat(report.problems()).isEmpty();
        assertThat(report.proof().graph().bitEqual()).isTrue();
    }
}
