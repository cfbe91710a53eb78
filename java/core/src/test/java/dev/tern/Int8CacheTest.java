package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A KV cache of Q8_0: the same bits whoever computes, and a loss that is small beside what the trained model is. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class Int8CacheTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));

    private final int[] ids = JsonFile.read(DATA.resolve("golden/golden.json"))
            .path("prompts")
            .path(3)
            .path("ids")
            .valueStream()
            .mapToInt(node -> node.asInt())
            .toArray();

    private Path file = Path.of("");
    private int[][] expected = {};

    @BeforeAll
    void computeOnce(@TempDir Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(DATA.resolve("tiny-bitnet/packed-u8"))) {
            file = TestGguf.of(checkpoint, Outtype.I2_S).write(folder.resolve("model.gguf"));
        }
        try (Model model = load(FloatType.Q8_0)) {
            expected = bits(model);
        }
        assertThat(expected).hasDimensions(62, 4096);
    }

    private Model load(FloatType type) {
        return Model.load(file, ModelOptions.builder().threads(1).cacheType(type).build());
    }

    private int[][] bits(Model model) {
        int[][] rows = new int[ids.length][];
        try (Session session = model.session()) {
            session.feed(ids, (position, logits) -> rows[position] = logits.toArray(ValueLayout.JAVA_INT));
        }
        return rows;
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void computedBy(Tier tier) {
        Kernels kernels;
        try {
            kernels = KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            assumeThat(false).as(e.getMessage()).isTrue();
            return;
        }
        ModelOptions options = ModelOptions.builder()
                .threads(1)
                .cacheType(FloatType.Q8_0)
                .kernels(kernels)
                .build();
        try (Model model = Model.load(file, options)) {
            assertThat(bits(model)).isDeepEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 7", "2, 1", "2, 64", "3, 7"})
    void withThreadsAndBatch(int threads, int batch) {
        ModelOptions options = ModelOptions.builder()
                .threads(threads)
                .batchSize(batch)
                .cacheType(FloatType.Q8_0)
                .build();
        try (Model model = Model.load(file, options)) {
            assertThat(model.info().cacheType()).isEqualTo(FloatType.Q8_0);
            assertThat(bits(model)).isDeepEqualTo(expected);
        }
    }

    @Test
    void savedSessionGoesOnWhereItWas(@TempDir Path folder) throws IOException {
        Path eight = folder.resolve("q8_0");
        Path sixteen = folder.resolve("f16");
        try (Model model = load(FloatType.Q8_0)) {
            try (Session session = model.session()) {
                session.feed(Arrays.copyOf(ids, 40));
                session.save(eight);
            }
            try (Session session = model.restore(eight)) {
                session.feed(Arrays.copyOfRange(ids, 40, 62));
                assertThat(session.logits().toArray(ValueLayout.JAVA_INT)).isEqualTo(expected[61]);
            }
        }
        try (Model model = load(FloatType.F16)) {
            assertThatThrownBy(() -> model.restore(eight))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("cache type");
            try (Session session = model.session()) {
                session.feed(Arrays.copyOf(ids, 40));
                session.save(sixteen);
            }
        }
        // 4 layers, 2 key heads of 64, keys and values: 2 blocks of 34 bytes instead of 64 halves of 2.
        assertThat(Files.size(sixteen) - Files.size(eight)).isEqualTo(40L * 4 * 2 * 2 * (128 - 68));
    }

    @Test
    void growsLikeAnyCache() {
        int[] repeated = new int[300]; // the first cache has room for 256
        for (int i = 0; i < repeated.length; i++) {
            repeated[i] = ids[i % ids.length];
        }
        try (Model model = load(FloatType.Q8_0);
                Session whole = model.session();
                Session piecewise = model.session()) {
            whole.feed(repeated);
            for (int i = 0; i < repeated.length; i += 50) {
                piecewise.feed(Arrays.copyOfRange(repeated, i, i + 50));
            }
            assertThat(piecewise.logits().toArray(ValueLayout.JAVA_INT))
                    .isEqualTo(whole.logits().toArray(ValueLayout.JAVA_INT));
        }
    }

    @Test
    void perplexityStaysNearTheFloatOne() throws IOException {
        FloatType[] types = {FloatType.F32, FloatType.Q8_0};
        double[] perplexities = new double[2];
        String text = Files.readString(DATA.resolve("golden/heldout_text.txt")).substring(0, 12_000);
        for (int i = 0; i < 2; i++) {
            ModelOptions options = ModelOptions.builder().cacheType(types[i]).build();
            try (Model model = Model.load(file, options)) {
                perplexities[i] = Perplexity.measure(
                                model, text, 256, Perplexity.Method.CHUNKED, (done, total, value) -> {})
                        .value();
            }
        }
        assertThat(perplexities[1]).isNotEqualTo(perplexities[0]);
        assertThat(perplexities[1] / perplexities[0]).isBetween(0.995, 1.005);
    }

    @Test
    void headsThatAreNoWholeBlocksAreRefused(@TempDir Path folder) {
        ModelHyperparameters graph = new ModelHyperparameters(
                "bitnet", "", 40, 64, 128, 256, 2, 8, 2, 16, 16, 10000, 1e-5f, FfnActivation.SILU, true, true);
        Path narrow = TestGguf.random(graph, Outtype.I2_S, 1).write(folder.resolve("narrow.gguf"));
        ModelOptions options = ModelOptions.builder().cacheType(FloatType.Q8_0).build();
        assertThatThrownBy(() -> Model.load(narrow, options))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(narrow.toString())
                .hasMessageContaining("multiple of 32")
                .hasMessageContaining("16")
                .hasMessageContaining("Use the cache type f16.");
        assertThatThrownBy(() -> ModelOptions.builder().cacheType(FloatType.BF16).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("F16, F32 or Q8_0");
    }
}
