package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.convert.Converter;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import dev.tern.model.Npy;
import dev.tern.ternary.Outtype;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Embeddings of the trained model: what its head is multiplied with, whoever computes it and in however many passes. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmbeddingTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));

    private final int[] ids = new Random(3).ints(70, 0, 4096).toArray();
    private Path file = Path.of("");
    private float[][] states = {};

    @BeforeAll
    void computeOnce(@TempDir Path folder) {
        file = folder.resolve("model.gguf");
        Converter.from(DATA.resolve("tiny-bitnet/online-bf16"))
                .outtype(Outtype.I2_S)
                .embeddingType(GgmlType.F32)
                .to(file);
        try (Model model = load(1, 512)) {
            states = model.embedEach(ids);
        }
    }

    private Model load(int threads, int batch) {
        return Model.load(file, ModelOptions.builder().threads(threads).batchSize(batch).build());
    }

    /** The head times a state is the token's logits, to the bit: it is what the head sees. */
    @Test
    void theHeadTimesAStateIsTheTokensLogits() {
        Kernels kernels = KernelChoice.of(Tier.JAVA);
        try (Model model = load(2, 16);
                Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/online-bf16"));
                Session session = model.session()) {
            int hidden = model.hyperparameters().hiddenSize();
            int vocabulary = model.hyperparameters().vocabSize();
            MemorySegment head = Arena.ofAuto().allocate(4L * vocabulary * hidden, 64);
            CheckpointTensor embedding = checkpoint.tensors().stream()
                    .filter(tensor -> tensor.name().equals("token_embd.weight"))
                    .findFirst()
                    .orElseThrow();
            checkpoint.readFloats(embedding, 0, vocabulary * hidden, head);
            FloatWeights weights = FloatWeights.of(Arena.ofAuto(), head, vocabulary, hidden, FloatType.F32);
            MemorySegment x = Arena.ofAuto().allocate(4L * hidden, 64);
            MemorySegment y = Arena.ofAuto().allocate(4L * vocabulary, 64);
            session.feed(ids, (position, logits) -> {
                x.copyFrom(MemorySegment.ofArray(states[position]));
                kernels.floatMatmul(weights, x, hidden, 1, 0, vocabulary, y, vocabulary);
                assertThat(y.mismatch(logits)).as("token %d", position).isEqualTo(-1);
            });
        }
    }

    /** The last hidden states that transformers gives for the same checkpoint. */
    @Test
    void theStatesAreHuggingFaces() {
        int[] prompt = JsonFile.read(DATA.resolve("golden/golden.json")).path("prompts").path(0).path("ids").valueStream()
                .mapToInt(node -> node.asInt())
                .toArray();
        float[] golden = Npy.floats(DATA.resolve("golden/prompt0_hidden_states.npy")); // [5][tokens][512]
        float[] expected = Arrays.copyOfRange(golden, 4 * prompt.length * 512, 5 * prompt.length * 512);
        try (Model model = Model.load(
                file, ModelOptions.builder().threads(2).cacheType(FloatType.F32).build())) {
            float[][] actual = model.embedEach(prompt);
            assertThat(actual).hasDimensions(prompt.length, 512);
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i / 512][i % 512]).isCloseTo(expected[i], within(2e-5f));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 512, 512", "2, 16, 512", "3, 512, 7", "2, 512, 1", "2, 512, 69"})
    void theSameInAnyNumberOfPasses(int threads, int batch, int passTokens) {
        try (Model model = load(threads, batch)) {
            assertThat(model.embed(ids, Pooling.LAST, passTokens)).containsExactly(states[69]);
            float[] mean = model.embed(ids, Pooling.MEAN, passTokens);
            for (int i = 0; i < mean.length; i++) {
                double sum = 0;
                for (float[] state : states) {
                    sum += state[i];
                }
                assertThat(mean[i]).isEqualTo((float) (sum / 70));
            }
            assertThat(model.embedEach(Arrays.copyOf(ids, 20), passTokens)).isDeepEqualTo(Arrays.copyOf(states, 20));
            assertThat(model.embed(Arrays.copyOf(ids, 1), Pooling.MEAN)).containsExactly(states[0]);
            assertThat(states[5]).isNotEqualTo(states[6]);
        }
    }

    @Test
    void besideAGenerationThatGoesOn() {
        GenerationOptions options =
                GenerationOptions.builder().temperature(0).maxTokens(40).ignoreEos(true).build();
        int[] prompt = Arrays.copyOf(ids, 9);
        try (Model model = load(2, 512)) {
            Generation alone = model.generate(prompt, options);
            alone.text();
            CompletableFuture<int[]> beside = CompletableFuture.supplyAsync(() -> {
                Generation generation = model.generate(prompt, options);
                generation.text();
                return generation.ids();
            });
            for (int i = 0; i < 5; i++) {
                assertThat(model.embed(ids, Pooling.LAST, 8)).containsExactly(states[69]);
            }
            assertThat(beside.join()).isEqualTo(alone.ids());
        }
    }

    @Test
    void whatCannotBeEmbeddedIsSaid() {
        Model model = load(1, 512);
        assertThatThrownBy(() -> model.embed(new int[0], Pooling.LAST))
                .isInstanceOf(InputException.class)
                .hasMessage("input: empty; expected at least one token");
        assertThatThrownBy(() -> model.embed(new int[] {1, 4096}, Pooling.MEAN))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("not in the vocabulary");
        assertThatThrownBy(() -> model.embedEach(new int[model.info().contextLength() + 1]))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("longer than the context");
        assertThatThrownBy(() -> model.embed(ids, Pooling.LAST, 0)).isInstanceOf(IllegalArgumentException.class);
        model.close();
        assertThatThrownBy(() -> model.embed(ids, Pooling.LAST)).isInstanceOf(IllegalStateException.class);
    }
}
