package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.TestCheckpoints.Content;
import dev.tern.io.InputException;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.safetensors.SafetensorsType;
import dev.tern.ternary.TernaryMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

/** Small models, whole and damaged: what is accepted, what each refusal says. */
class CheckpointTest {
    private static final String Q = "model.layers.0.self_attn.q_proj.weight";
    private static final String K = "model.layers.1.self_attn.k_proj.weight";

    /** Rows that are no multiples of four: 6 in q, 2 in k and v, 11 in gate and up. */
    private static final ModelHyperparameters TINY = new ModelHyperparameters(
            "bitnet-b1.58", "tiny", 300, 64, 12, 11, 2, 3, 1, 2, 2, 10_000f, 1e-5f,
            FfnActivation.RELU_SQUARED, true, true);

    @TempDir
    private Path folder;

    private SequencedMap<String, Content> tensors;

    @BeforeEach
    void writePackedModel() {
        write(WeightFormat.PACKED, TINY);
    }

    private void write(WeightFormat format, ModelHyperparameters model) {
        SyntheticCheckpoint.of(model).format(format).overwrite(true).to(folder);
        tensors = TestCheckpoints.tensors(weights());
    }

    private Path weights() {
        return folder.resolve("model.safetensors");
    }

    private void config(Consumer<ObjectNode> change) {
        TestCheckpoints.config(folder, folder, change);
    }

    private void assertRefused(String... parts) {
        TestCheckpoints.write(weights(), tensors);
        assertThatThrownBy(() -> {
                    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                        readAll(checkpoint);
                    }
                })
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(parts);
    }

    static void readAll(Checkpoint checkpoint) {
        try (Arena arena = Arena.ofConfined()) {
            for (CheckpointTensor tensor : checkpoint.tensors()) {
                if (tensor.ternary()) {
                    checkpoint.readTernary(tensor);
                } else {
                    checkpoint.readFloats(tensor, 0, (int) tensor.elements(), arena.allocate(4 * tensor.elements()));
                }
            }
        }
    }

    // ---- what is accepted

    @Test
    void listsTensorsInGgufOrder() {
        try (Checkpoint checkpoint = Checkpoint.open(TestCheckpoints.ONLINE)) {
            assertThat(checkpoint.tensors()).hasSize(2 + 4 * 11);
            assertThat(checkpoint.tensors().subList(0, 13).stream().map(CheckpointTensor::name))
                    .containsExactly("token_embd.weight", "output_norm.weight", "blk.0.attn_norm.weight",
                            "blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight",
                            "blk.0.attn_sub_norm.weight", "blk.0.attn_output.weight", "blk.0.ffn_norm.weight",
                            "blk.0.ffn_gate.weight", "blk.0.ffn_up.weight", "blk.0.ffn_sub_norm.weight",
                            "blk.0.ffn_down.weight");
            assertThat(checkpoint.hyperparameters())
                    .isEqualTo(new ModelHyperparameters("bitnet-b1.58", "online-bf16", 4096, 512, 512, 1536, 4, 8, 2,
                            64, 64, 500_000f, 1e-5f, FfnActivation.RELU_SQUARED, true, true));
            assertThat(checkpoint.eosTokenId()).hasValue(4081);
            assertThat(checkpoint.eosTokenIds()).containsExactly(4081, 4089);
            assertThat(checkpoint.bosTokenId()).hasValue(4080);
            assertThat(checkpoint.padTokenId()).isEmpty();
        }
    }

    @Test
    void neverTouchesTheFiles() throws IOException {
        Map<Path, Object> before = state();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            readAll(checkpoint);
        }
        assertThat(state()).isEqualTo(before);
    }

    private Map<Path, Object> state() throws IOException {
        Map<Path, Object> state = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                FileTime modified = Files.getLastModifiedTime(file);
                state.put(file, List.of(modified, Arrays.hashCode(Files.readAllBytes(file))));
            }
        }
        return state;
    }

    @Test
    void readsFloatsOfEveryTypeExactlyFromAnyElement() {
        float[] values = {1.5f, -2.25f, 0f, -0f, 0x1p-14f, 96f, 3f, 0.0078125f, -1f, 7f, 9f, 11f};
        for (Content content : List.of(Content.bf16(List.of(12L), values), Content.f16(List.of(12L), values),
                Content.f32(List.of(12L), values))) {
            tensors.put("model.norm.weight", content);
            TestCheckpoints.write(weights(), tensors);
            try (Checkpoint checkpoint = Checkpoint.open(folder); Arena arena = Arena.ofConfined()) {
                CheckpointTensor norm = checkpoint.tensors().get(1);
                MemorySegment out = arena.allocate(49).asSlice(1); // unaligned
                checkpoint.readFloats(norm, 3, 9, out);
                for (int i = 0; i < 9; i++) {
                    assertThat(out.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i)).isEqualTo(values[3 + i]);
                }
                assertThatThrownBy(() -> checkpoint.readFloats(norm, 4, 9, out))
                        .isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
    }

    @Test
    void takesTheOneFileWithItsConfigBeside() throws IOException {
        Path renamed = Files.move(weights(), folder.resolve("other.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(renamed)) {
            assertThat(checkpoint.folder()).isEqualTo(folder);
            readAll(checkpoint);
        }
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .hasMessageContainingAll("no weights", "other.safetensors", "path of the safetensors file itself");
    }

    @Test
    void readsBothSpellingsOfTheArchitectureAndOfTheSubNorms() {
        config(config -> config.putArray("architectures").add("BitnetForCausalLM"));
        for (int layer = 0; layer < 2; layer++) {
            String prefix = "model.layers." + layer + ".";
            tensors.put(prefix + "self_attn.inner_attn_ln.weight",
                    tensors.remove(prefix + "self_attn.attn_sub_norm.weight"));
            tensors.put(prefix + "mlp.ffn_layernorm.weight", tensors.remove(prefix + "mlp.ffn_sub_norm.weight"));
        }
        TestCheckpoints.write(weights(), tensors);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.hyperparameters().architecture()).isEqualTo("bitnet-b1.58");
            assertThat(checkpoint.tensors()).anyMatch(tensor -> tensor.name().equals("blk.1.ffn_sub_norm.weight")
                    && tensor.source().equals("model.layers.1.mlp.ffn_layernorm.weight"));
        }
    }

    @Test
    void choosesTheGraphByArchitectureAndActivation() {
        config(config -> config.put("hidden_act", "silu"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.hyperparameters().architecture()).isEqualTo("bitnet");
            assertThat(checkpoint.hyperparameters().activation()).isEqualTo(FfnActivation.SILU);
        }
        write(WeightFormat.PACKED, LLAMA);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.hyperparameters().architecture()).isEqualTo("llama");
            assertThat(checkpoint.hyperparameters().subNorms()).isFalse();
            assertThat(checkpoint.tensors()).anyMatch(tensor -> tensor.name().equals("output.weight"));
        }
    }

    private static final ModelHyperparameters LLAMA = new ModelHyperparameters(
            "llama", "llama", 300, 64, 12, 11, 2, 3, 1, 4, 4, 10_000f, 1e-5f, FfnActivation.SILU, false, false);

    @Test
    void readsRopeThetaAndTheEndTokensWhereNewerVersionsPutThem() {
        config(config -> {
            config.remove("rope_theta");
            config.putObject("rope_parameters").put("rope_theta", 777.5).put("rope_type", "default");
            config.putArray("eos_token_id").add(5).add(6).add(300);
        });
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.hyperparameters().ropeTheta()).isEqualTo(777.5f);
            assertThat(checkpoint.eosTokenIds()).containsExactly(5, 6, 285, 293);
            assertThat(checkpoint.notes()).containsExactly(
                    "config.json: eos_token_id 300 is outside the vocabulary and ignored");
        }
    }

    @Test
    void followsTheHeadThatIsThereWhenTheConfigDoesNotSay() {
        config(config -> config.remove("tie_word_embeddings"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.hyperparameters().tiedHead()).isTrue();
        }
        tensors.put("lm_head.weight", tensors.get("model.embed_tokens.weight"));
        TestCheckpoints.write(weights(), tensors);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.hyperparameters().tiedHead()).isFalse();
        }
    }

    @Test
    void notesWhatItIgnores() throws IOException {
        tensors.put("model.layers.0.self_attn.rotary_emb.inv_freq", Content.f32(List.of(1L), 1f));
        tensors.put("lm_head.weight", Content.f32(List.of(1L), 1f));
        tensors.put("vision_tower.weight", Content.f32(List.of(1L), 1f));
        TestCheckpoints.write(weights(), tensors);
        Files.writeString(folder.resolve("stray.safetensors"), "not even one");
        config(config -> config.remove("quantization_config"));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.notes()).containsExactly(
                    "not part of the model and ignored: stray.safetensors",
                    "tensors that the model does not need are ignored: model.layers.0.self_attn.rotary_emb.inv_freq,"
                            + " lm_head.weight, vision_tower.weight",
                    "config.json has no quantization_config: weight_scale is taken as transformers' default class"
                            + " 'bitlinear' has it, s = 1 / weight_scale");
        }
    }

    // ---- ternary values

    /** Seven rows in two packed rows: the eighth is padding, whatever its bits. */
    @Test
    void unpacksRowsInBlocksAndIgnoresPadding() {
        write(WeightFormat.PACKED, new ModelHyperparameters("bitnet-b1.58", "x", 300, 64, 7, 4, 1, 1, 1, 2, 2, 1e4f,
                1e-5f, FfnActivation.RELU_SQUARED, true, true));
        byte[] packed = new byte[2 * 2];
        packed[0] = (byte) 0b10_01_00_10; // column 0 of rows 6, 4, 2, 0
        packed[1] = (byte) 0b01_01_01_01; // column 1 of rows 6, 4, 2, 0
        packed[2] = (byte) 0b11_00_10_01; // column 0 of padding, rows 5, 3, 1
        packed[3] = (byte) 0b00_01_01_01; // column 1 of padding, rows 5, 3, 1
        tensors.put("model.layers.0.self_attn.o_proj.weight", Content.u8(List.of(2L, 2L), packed));
        TestCheckpoints.write(weights(), tensors);
        assertThat(read("blk.0.attn_output.weight").values())
                .containsExactly(1, 0, 0, 0, -1, 0, 1, 0, 0, 0, -1, 0, 1, 0);
    }

    @Test
    void anAllZeroMatrixIsTernaryWithTheLeastScale() {
        write(WeightFormat.ONLINE, TINY);
        tensors.put(Q, Content.bf16(List.of(6L, 12L), new float[72]));
        TestCheckpoints.write(weights(), tensors);
        assertThat(read("blk.0.attn_q.weight").values()).containsOnly(0);
        assertThat(read("blk.0.attn_q.weight").scale()).isEqualTo(1e-5f);
    }

    /**
     * The threshold 0.5 * mean itself goes to zero (half to even); tiny weights are divided by 1e-5, not by their mean.
     */
    @Test
    void absmeanRoundsHalfToEvenAndClampsTheMean() {
        write(WeightFormat.ONLINE, TINY);
        float[] values = new float[72];
        Arrays.fill(values, 1f);
        values[0] = 0.5f;
        values[1] = -0.5f;
        values[2] = 0.75f;
        values[3] = -2.25f; // |values| add up to 72: the mean is 1
        float[] tiny = new float[72];
        tiny[0] = 1e-6f;
        tiny[1] = -9e-6f;
        tensors.put("model.layers.0.self_attn.o_proj.weight", Content.f32(List.of(12L, 6L), tiny));
        for (Content content : List.of(Content.bf16(List.of(6L, 12L), values), Content.f16(List.of(6L, 12L), values),
                Content.f32(List.of(6L, 12L), values))) {
            tensors.put(Q, content);
            TestCheckpoints.write(weights(), tensors);
            assertThat(read("blk.0.attn_q.weight").values()).startsWith(0, 0, 1, -1, 1).endsWith(1);
            assertThat(read("blk.0.attn_q.weight").scale()).isEqualTo(1f);
        }
        assertThat(read("blk.0.attn_output.weight").values()).startsWith(0, -1, 0);
        assertThat(read("blk.0.attn_output.weight").scale()).isEqualTo(1e-5f);
    }

    private TernaryMatrix read(String name) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return checkpoint.readTernary(checkpoint.tensors().stream()
                    .filter(tensor -> tensor.name().equals(name))
                    .findFirst()
                    .orElseThrow());
        }
    }

    // ---- what is refused

    @Test
    void refusesCodeThreeWithItsPlace() {
        byte[] bytes = tensors.get(Q).bytes();
        bytes[12 + 5] |= 0b1100; // packed row 1, second quarter: row 2 + 1
        assertRefused("model.safetensors", "'" + Q + "'", "expected 0, 1 or 2", "found 3 at row 3, column 5");
    }

    @Test
    void refusesScalesThatAreNone() {
        for (float bad : new float[] {0f, -1f, Float.NaN, Float.POSITIVE_INFINITY}) {
            tensors.put(Q + "_scale", Content.bf16(List.of(1L), bad));
            assertRefused("'" + Q + "_scale'", "is no scale", "found " + bad);
        }
        config(config -> config.remove("quantization_config"));
        tensors.put(Q + "_scale", Content.f32(List.of(1L), Float.MIN_VALUE)); // its reciprocal is infinite
        assertRefused("'" + Q + "_scale'", "is no scale", "found 1.4E-45");
        tensors.put(Q + "_scale", Content.bf16(List.of(2L), 1f, 1f));
        assertRefused("expected one BF16, F16 or F32 value", "found BF16 [2]");
        tensors.remove(Q + "_scale");
        assertRefused("'" + Q + "'", "'" + Q + "_scale' is missing");
    }

    @Test
    void refusesNaNWithItsIndex() {
        write(WeightFormat.ONLINE, TINY);
        byte[] good = tensors.get(K).bytes().clone();
        tensors.get(K).bytes()[2 * 17] = (byte) 0xc0;
        tensors.get(K).bytes()[2 * 17 + 1] = 0x7f;
        assertRefused("'" + K + "'", "found NaN at index 17");
        tensors.put(K, Content.f32(List.of(2L, 12L), tensors.get(K).bf16Values()));
        assertRefused("'" + K + "'", "found NaN at index 17");
        tensors.put(K, new Content(SafetensorsType.BF16, List.of(2L, 12L), new byte[48]));
        System.arraycopy(good, 0, tensors.get(K).bytes(), 0, good.length);
        tensors.get("model.norm.weight").bytes()[2 * 3] = (byte) 0x80;
        tensors.get("model.norm.weight").bytes()[2 * 3 + 1] = (byte) 0xff;
        assertRefused("'model.norm.weight'", "found -Infinity at index 3");
    }

    @Test
    void refusesMissingTensorsAndNamesThem() {
        tensors.remove(Q);
        tensors.remove("model.norm.weight");
        assertRefused("2 tensors are missing: model.norm.weight, " + Q, "incomplete");
        tensors.keySet().removeIf(name -> name.contains(".layers.0."));
        assertRefused("12 tensors are missing: model.norm.weight, model.layers.0.input_layernorm.weight",
                " and 4 more. ");
    }

    @Test
    void refusesAnotherShape() {
        config(config -> config.put("intermediate_size", 15));
        assertRefused("'model.layers.0.mlp.gate_proj.weight'", "expected [4, 12] (15 rows, four to a byte)",
                "found [3, 12]");
        write(WeightFormat.ONLINE, TINY);
        config(config -> config.put("vocab_size", 301));
        assertRefused("'model.embed_tokens.weight'", "expected [301, 12], found [300, 12]");
    }

    @Test
    void refusesTypesThatHoldNoWeights() {
        tensors.put("model.norm.weight", Content.u8(List.of(12L), new byte[12]));
        assertRefused("'model.norm.weight'", "expected BF16, F16 or F32, found U8");
        tensors.put("model.norm.weight", Content.f32(List.of(12L), new float[12]));
        tensors.put(Q, Content.f32(List.of(6L, 12L), new float[72]));
        assertRefused("'" + Q + "_scale'", "belongs to packed weights, but the matrix is stored as F32");
        tensors.remove(Q + "_scale");
        assertRefused("some projections are packed and others are floats", "'" + Q + "' as F32");
    }

    @Test
    void refusesTensorsOfTheGraphThatItDoesNotCompute() {
        tensors.put("model.layers.0.self_attn.q_proj.bias", Content.f32(List.of(6L), new float[6]));
        tensors.put("model.layers.2.input_layernorm.weight", Content.f32(List.of(12L), new float[12]));
        assertRefused("2 tensors have no place in a bitnet-b1.58 model of 2 layers",
                "model.layers.0.self_attn.q_proj.bias, model.layers.2.input_layernorm.weight");
        tensors.remove("model.layers.0.self_attn.q_proj.bias");
        tensors.remove("model.layers.2.input_layernorm.weight");
        tensors.put("model.layers.0.mlp.ffn_layernorm.weight", Content.f32(List.of(11L), new float[11]));
        assertRefused("'model.layers.0.mlp.ffn_sub_norm.weight'", "stands for the same norm");
    }

    @Test
    void refusesAnOrdinaryLlama() {
        write(WeightFormat.ONLINE, LLAMA);
        TestCheckpoints.write(weights(), tensors);
        Checkpoint.open(folder).close();
        config(config -> config.remove("quantization_config"));
        assertRefused("'" + Q + "'", "the weights are continuous", "quant_method 'bitnet'");
    }

    @Test
    void refusesConfigurationsThatItCannotRun() {
        Map<String, Consumer<ObjectNode>> changes = new TreeMap<>();
        changes.put("'architectures'; BitNetForCausalLM, BitnetForCausalLM, or LlamaForCausalLM; QwenForCausalLM",
                config -> config.putArray("architectures").add("QwenForCausalLM"));
        changes.put("'architectures'; found nothing", config -> config.remove("architectures"));
        changes.put("'hidden_act'; expected relu2 or silu", config -> config.put("hidden_act", "gelu"));
        changes.put("'hidden_size'; found nothing", config -> config.remove("hidden_size"));
        changes.put("'hidden_size'; whole number from 1; found -1", config -> config.put("hidden_size", -1));
        changes.put("'vocab_size'; found \"300\"", config -> config.put("vocab_size", "300"));
        changes.put("'num_hidden_layers'; cannot hold so many layers; at most", config ->
                config.put("num_hidden_layers", 16_000_000));
        changes.put("'num_key_value_heads'; a divisor of the 3 heads", config -> config.put("num_key_value_heads", 2));
        changes.put("'head_dim'; expected an even number", config -> config.put("head_dim", 3));
        changes.put("'head_dim'; are too many", config -> config.put("head_dim", 16_000_000));
        changes.put("'num_attention_heads'; the heads do not divide hidden_size", config -> {
            config.remove("head_dim");
            config.put("num_attention_heads", 5).put("num_key_value_heads", 5);
        });
        changes.put("'attention_bias'; not supported", config -> config.put("attention_bias", true));
        changes.put("'rope_scaling'; wrong positions", config ->
                config.putObject("rope_scaling").put("rope_type", "llama3").put("factor", 8.0));
        changes.put("'rope_parameters'; wrong positions", config ->
                config.putObject("rope_parameters").put("rope_type", "linear").put("factor", 2.0));
        changes.put("'rms_norm_eps'; expected a positive number; found 0", config -> config.put("rms_norm_eps", 0));
        changes.put("'rope_theta'; expected a positive number; found 1.0E300", config ->
                config.put("rope_theta", 1e300));
        changes.put("'quantization_config.quant_method'; found 'gptq'", config ->
                config.putObject("quantization_config").put("quant_method", "gptq"));
        changes.put("'quantization_config.linear_class'; found 'x'", config ->
                config.putObject("quantization_config").put("linear_class", "x"));
        changes.put("'quantization_config.use_rms_norm'; not supported", config ->
                config.putObject("quantization_config").put("use_rms_norm", true));
        changes.put("'quantization_config.modules_to_not_convert'; not supported", config ->
                config.putObject("quantization_config")
                        .putArray("modules_to_not_convert").add("lm_head").add("down_proj"));
        changes.put("'input_bits'; expected 8, found 4", config -> config.put("input_bits", 4));
        changes.put("'bd_size'; whole number from 1; found 0", config -> config.put("bd_size", 0));
        changes.put("'eos_token_id'; expected a token id", config -> config.put("eos_token_id", "</s>"));
        changes.put("'tie_word_embeddings'; expected true or false", config -> config.put("tie_word_embeddings", 1));
        changes.forEach((expected, change) -> {
            write(WeightFormat.PACKED, TINY);
            config(change);
            assertRefused(("config.json; " + expected).split("; "));
        });
    }

    @Test
    void acceptsRopeScalingThatScalesNothing() {
        config(config -> {
            config.putObject("rope_scaling").put("type", "linear").put("factor", 1.0);
            config.putObject("rope_parameters").put("rope_type", "default");
        });
        Checkpoint.open(folder).close();
    }

    @Test
    void refusesFoldersWithoutAModel() throws IOException {
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve("nowhere")))
                .hasMessageContaining("no such file or folder");
        Files.delete(folder.resolve("config.json"));
        assertThatThrownBy(() -> Checkpoint.open(folder)).hasMessageContaining("Download config.json");
        Files.delete(weights());
        assertThatThrownBy(() -> Checkpoint.open(folder)).hasMessageContaining("the folder holds no weights");
        Path pickle = Files.writeString(folder.resolve("pytorch_model.bin"), "x");
        for (Path path : List.of(folder, pickle)) {
            assertThatThrownBy(() -> Checkpoint.open(path))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll("pytorch_model.bin", "pickle", "safe_serialization=True");
        }
    }

    // ---- shards

    @Test
    void refusesAnIndexThatLeadsNowhere() throws IOException {
        Files.delete(weights());
        TestCheckpoints.writeSharded(folder, tensors, name -> name.equals(Q));
        Checkpoint.open(folder).close();
        Path index = folder.resolve("model.safetensors.index.json");
        String good = Files.readString(index);
        String shard = "model-00001-of-00002.safetensors";
        List<String> outside = List.of("../" + shard, "/etc/passwd", "a/" + shard, "..\\\\" + shard, "c:x.safetensors",
                "a\\u0000.safetensors", "model.bin", "");
        for (String name : outside) {
            Files.writeString(index, good.replace(shard, name));
            assertThatThrownBy(() -> Checkpoint.open(folder))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll(
                            "weight_map." + Q, "expected the name of a safetensors file in the same folder");
        }
        Files.writeString(index, good.replace(shard, "model-00009-of-00002.safetensors"));
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .hasMessageContainingAll("model-00009-of-00002.safetensors", "no such file", "fetch this shard");
        Files.writeString(index, good.replace(shard, "model-00002-of-00002.safetensors"));
        assertThatThrownBy(() -> Checkpoint.open(folder))
                .hasMessageContainingAll("model-00002-of-00002.safetensors", "'" + Q + "'", "is missing, though");
        for (String map : List.of("[]", "{}", "{\"a\":1}", "null", "\"a\"")) {
            Files.writeString(index, "{\"weight_map\":" + map + "}");
            assertThatThrownBy(() -> Checkpoint.open(folder)).isInstanceOf(InputException.class);
        }
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve(shard)))
                .hasMessageContaining("give the folder, not one shard");
    }

    @Test
    void notesTensorsThatTheIndexDoesNotList() throws IOException {
        Files.delete(weights());
        tensors.put("extra", Content.f32(List.of(1L), 1f));
        TestCheckpoints.writeSharded(folder, tensors, name -> name.equals(Q));
        Path index = folder.resolve("model.safetensors.index.json");
        Files.writeString(index, Files.readString(index)
                .replace(",\"extra\":\"model-00002-of-00002.safetensors\"", ""));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.notes()).containsExactly("model-00002-of-00002.safetensors: 1 tensors that"
                    + " model.safetensors.index.json does not list are ignored");
        }
    }
}
