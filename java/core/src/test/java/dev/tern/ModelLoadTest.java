package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufValue;
import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.ThreadAffinity;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.Processors;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What loading takes, refuses, and says. */
class ModelLoadTest {
    private static final ModelHyperparameters GRAPH = new ModelHyperparameters(
            "bitnet", "", 40, 64, 128, 256, 2, 4, 2, 32, 32, 10000, 1e-5f, FfnActivation.SILU, true, true);
    private static final ModelOptions ONE = ModelOptions.builder().threads(1).build();

    private @TempDir Path folder;

    private static TestGguf gguf() {
        return TestGguf.random(GRAPH, Outtype.I2_S, 1);
    }

    private float[] logits(TestGguf gguf) {
        try (Model model = Model.load(gguf.write(folder.resolve("model.gguf")), ONE);
                Session session = model.session()) {
            session.feed(1, 2, 3);
            return session.logits().toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                fault("unknown architecture", g -> g.metadata.put("general.architecture", GgufValue.of("falcon")),
                        "general.architecture", "bitnet-b1.58, bitnet-25, bitnet, llama", "found falcon"),
                fault("key missing", g -> g.metadata.remove("bitnet.block_count"),
                        "bitnet.block_count", "missing"),
                fault("key of another type", g -> g.metadata.put("bitnet.block_count", GgufValue.of("2")),
                        "bitnet.block_count", "an integer"),
                fault("no layers", g -> g.metadata.put("bitnet.block_count", GgufValue.u32(0)),
                        "bitnet.block_count", "found 0"),
                fault("layers without end", g -> g.metadata.put("bitnet.block_count", GgufValue.u32(16000)),
                        "blk.2.attn_norm.weight", "missing"),
                fault("kv heads", g -> g.metadata.put("bitnet.attention.head_count_kv", GgufValue.u32(3)),
                        "head_count_kv", "a divisor of the 4 heads"),
                fault("odd head", g -> g.metadata.put("bitnet.attention.key_length", GgufValue.u32(31)),
                        "attention.key_length", "even"),
                fault("rotation wider than the head",
                        g -> g.metadata.put("bitnet.rope.dimension_count", GgufValue.u32(34)),
                        "rope.dimension_count", "32"),
                fault("rope scaling", g -> {
                            g.metadata.put("bitnet.rope.scaling.type", GgufValue.of("linear"));
                            g.metadata.put("bitnet.rope.scaling.factor", GgufValue.of(4f));
                        },
                        "rope.scaling", "linear by 4"),
                fault("epsilon", g -> g.metadata.put("bitnet.attention.layer_norm_rms_epsilon", GgufValue.of(Float.NaN)),
                        "layer_norm_rms_epsilon", "a positive number"),
                fault("activation", g -> g.metadata.put("bitnet.hidden_activation", GgufValue.of("gelu")),
                        "hidden_activation", "silu or relu2", "found gelu"),
                fault("vocabulary size", g -> g.metadata.put("bitnet.vocab_size", GgufValue.u32(41)),
                        "vocab_size", "40", "found 41"),
                fault("tensor missing", g -> g.tensors.remove("blk.1.ffn_up.weight"),
                        "blk.1.ffn_up.weight", "missing"),
                fault("sub-norm missing", g -> g.tensors.remove("blk.1.ffn_sub_norm.weight"),
                        "blk.1.ffn_sub_norm.weight", "missing"),
                fault("wrong shape", g -> g.tensors.put("blk.0.attn_k.weight", g.tensors.get("blk.0.attn_q.weight")),
                        "blk.0.attn_k.weight", "expected [128, 64]", "found [128, 128]"),
                fault("type of a matrix",
                        g -> g.tensors.put("blk.0.attn_q.weight",
                                new TestGguf.Entry(GgmlType.Q5_1, new long[] {128, 128}, new byte[128 * 96])),
                        "blk.0.attn_q.weight", "Q5_1", "tern convert"),
                fault("type of the embedding",
                        g -> g.tensors.put("token_embd.weight",
                                new TestGguf.Entry(GgmlType.Q5_1, new long[] {128, 40}, new byte[40 * 96])),
                        "token_embd.weight", "F16, BF16, F32, Q8_0, Q6_K", "Q5_1"),
                fault("type of a norm",
                        g -> g.tensors.put("output_norm.weight",
                                new TestGguf.Entry(GgmlType.F16, new long[] {128}, new byte[256])),
                        "output_norm.weight", "F32"),
                fault("norm that is no number",
                        g -> ByteBuffer.wrap(g.tensors.get("blk.1.attn_norm.weight").bytes())
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .putFloat(20, Float.NaN),
                        "blk.1.attn_norm.weight", "element 5 is NaN"),
                fault("code 3", g -> g.tensors.get("blk.1.ffn_down.weight").bytes()[4711] = 0x0C,
                        "blk.1.ffn_down.weight", "offset 4711", "code is 3"),
                fault("scale", g -> {
                            byte[] bytes = g.tensors.get("blk.0.attn_v.weight").bytes();
                            ByteBuffer.wrap(bytes)
                                    .order(ByteOrder.LITTLE_ENDIAN)
                                    .putFloat(bytes.length - 32, Float.POSITIVE_INFINITY);
                        },
                        "blk.0.attn_v.weight", "scale"),
                fault("dense floats",
                        g -> g.floats("blk.0.attn_q.weight", new Random(1), 0, 1, 128, 128),
                        "blk.0.attn_q.weight", "ternary"),
                fault("a bias", g -> g.floats("blk.0.attn_q.bias", new float[128], 128),
                        "blk.0.attn_q.bias", "no place for it"));
    }

    private static Arguments fault(String name, Consumer<TestGguf> change, String... message) {
        return Arguments.of(name, change, message);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void faultIsAnErrorThatNamesItsPlace(String name, Consumer<TestGguf> change, String[] message) {
        TestGguf gguf = gguf();
        change.accept(gguf);
        Path file = gguf.write(folder.resolve("bad.gguf"));
        for (int threads = 1; threads <= 2; threads++) {
            ModelOptions options = ModelOptions.builder().threads(threads).build();
            assertThatThrownBy(() -> Model.load(file, options).close())
                    .isInstanceOf(InputException.class)
                    .hasMessageStartingWith(file.toString())
                    .hasMessageContainingAll(message);
        }
    }

    @Test
    void scaleTensorMultipliesTheScale() {
        TestGguf twice = gguf();
        twice.floats("blk.1.attn_q.scale", new float[] {2}, 1);
        TestGguf inPlace = gguf();
        byte[] bytes = inPlace.tensors.get("blk.1.attn_q.weight").bytes();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putFloat(bytes.length - 32, 2 * buffer.getFloat(bytes.length - 32));
        assertThat(logits(twice)).isEqualTo(logits(inPlace)).isNotEqualTo(logits(gguf()));
    }

    @Test
    void activationOfTheFileWins() {
        TestGguf relu = gguf();
        relu.metadata.put("bitnet.hidden_activation", GgufValue.of("relu2"));
        TestGguf renamed = TestGguf.random(GRAPH, Outtype.I2_S, 1);
        renamed.metadata.clear();
        renamed.hyperparameters(new ModelHyperparameters(
                "bitnet-b1.58", "", 40, 64, 128, 256, 2, 4, 2, 32, 32, 10000, 1e-5f, FfnActivation.RELU_SQUARED, true,
                true));
        assertThat(logits(relu)).isEqualTo(logits(renamed)).isNotEqualTo(logits(gguf()));
    }

    @Test
    void linearScalingByOneIsNone() {
        TestGguf scaled = gguf();
        scaled.metadata.put("bitnet.rope.scaling.type", GgufValue.of("linear"));
        scaled.metadata.put("bitnet.rope.scaling.factor", GgufValue.of(1f));
        assertThat(logits(scaled)).isEqualTo(logits(gguf()));
    }

    @Test
    void modelWithoutTokenizerRunsOnIds() {
        try (Model model = Model.load(gguf().write(folder.resolve("model.gguf")), ONE)) {
            assertThat(model.info().notes()).anyMatch(note -> note.contains("only token ids"));
            assertThatThrownBy(() -> model.generate("text", GenerationOptions.builder().build()))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("tokenizer");
            Generation generation = model.generate(
                    new int[] {1, 2}, GenerationOptions.builder().maxTokens(5).build());
            assertThat(generation.text()).isEmpty();
            assertThat(generation.ids()).hasSize(5);
        }
    }

    @Test
    void threadsAreOneACoreUnlessSaidAndCanBeBound() {
        Path file = gguf().write(folder.resolve("model.gguf"));
        try (Model model = Model.load(file)) {
            assertThat(model.info().threads())
                    .isEqualTo(Processors.current().threads())
                    .isLessThanOrEqualTo(Runtime.getRuntime().availableProcessors());
        }
        ModelOptions tooMany = ModelOptions.builder().threads(1024).pin(true).build();
        Assumptions.assumeTrue(Processors.current().order().size() < 1024);
        assertThatThrownBy(() -> Model.load(file, tooMany))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("cannot be bound to processors");
        Assumptions.assumeTrue(ThreadAffinity.obstacle().isEmpty());
        try (Model free = Model.load(file);
                Model bound = Model.load(file, ModelOptions.builder().pin(true).build())) {
            GenerationOptions greedy =
                    GenerationOptions.builder().maxTokens(4).temperature(0).build();
            assertThat(bound.generate(new int[] {1, 2, 3}, greedy).ids())
                    .isEqualTo(free.generate(new int[] {1, 2, 3}, greedy).ids());
        }
    }

    @Test
    void infoSaysWhatRuns() {
        Path file = gguf().write(folder.resolve("model.gguf"));
        ModelOptions options = ModelOptions.builder()
                .threads(2)
                .contextLength(100)
                .batchSize(16)
                .cacheType(FloatType.F32)
                .layout(TernaryLayout.ROWS)
                .build();
        try (Model model = Model.load(file, options)) {
            ModelInfo info = model.info();
            assertThat(info.path()).isEqualTo(file);
            assertThat(info.weightType()).isEqualTo("I2_S");
            assertThat(info.layout()).contains(TernaryLayout.ROWS);
            assertThat(info.embeddingType()).isEqualTo("F32");
            assertThat(info.threads()).isEqualTo(2);
            assertThat(info.contextLength()).isEqualTo(100);
            assertThat(info.batchSize()).isEqualTo(16);
            assertThat(info.notes()).anyMatch(note -> note.contains("longer than the 64"));
            long perLayer = 128 * (128 + 64 + 64 + 128) + 3 * 128 * 256;
            assertThat(info.parameters()).isEqualTo(40 * 128 + 128 + 2 * (perLayer + 3 * 128 + 256));
            assertThat(info.weightBytes()).isEqualTo(4 * (40 * 128 + 128) + 2 * (perLayer / 4 + 4 * (3 * 128 + 256)));
        }
    }

    @Test
    void brokenLogitsAreAnErrorOfTheModel() {
        TestGguf broken = gguf();
        ByteBuffer.wrap(broken.tensors.get("token_embd.weight").bytes())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(4 * 128 * 7, Float.NaN);
        try (Model model = Model.load(broken.write(folder.resolve("model.gguf")), ONE)) {
            Generation generation =
                    model.generate(new int[] {1}, GenerationOptions.builder().build());
            assertThatThrownBy(generation::text)
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("NaN for token 7");
        }
    }
}
