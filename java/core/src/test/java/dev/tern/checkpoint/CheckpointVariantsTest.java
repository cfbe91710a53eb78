package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.Model;
import dev.tern.checkpoint.TestCheckpoints.Content;
import dev.tern.convert.Converter;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.model.GgufHyperparameters;
import dev.tern.safetensors.SafetensorsType;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/** The same model saved by other programs: configurations and types differ, the file that comes out does not. */
class CheckpointVariantsTest {
    @TempDir
    private Path folder;

    private Path checkpoint(String preset, WeightFormat format) {
        Path checkpoint = folder.resolve("model");
        SyntheticCheckpoint.like(preset)
                .small()
                .layers(1)
                .vocabulary(300)
                .format(format)
                .overwrite(true)
                .to(checkpoint);
        return checkpoint;
    }

    private Path converted(Path checkpoint, String name) {
        Path gguf = folder.resolve(name + ".gguf");
        Converter.from(checkpoint).outtype(Outtype.F32).validate(true).to(gguf);
        return gguf;
    }

    private void assertSameFile(String preset, WeightFormat format, Consumer<Path> change) {
        Path checkpoint = checkpoint(preset, format);
        Path before = converted(checkpoint, "before");
        change.accept(checkpoint);
        assertThat(converted(checkpoint, "after")).hasSameBinaryContentAs(before);
    }

    private static void config(Path checkpoint, Consumer<ObjectNode> change) {
        TestCheckpoints.config(checkpoint, checkpoint, change);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Falcon3-7B", "Llama3-8B-1.58-100B-tokens", "SmolLM2-135M", "bitnet-b1.58-2B-4T"})
    void keysThatFollowFromOthersMayBeAbsentOrElsewhere(String preset) {
        assertSameFile(preset, WeightFormat.PACKED, checkpoint -> {
            config(checkpoint, config -> {
                double theta = config.remove("rope_theta").asDouble();
                config.putObject("rope_parameters").put("rope_theta", theta).put("rope_type", "default");
                config.remove("tie_word_embeddings");
                config.remove("head_dim"); // in all of these it is hidden_size / heads
                config.putNull("rope_scaling").put("_name_or_path", "./merged").put("use_cache", true);
            });
            TestCheckpoints.writeText(checkpoint.resolve("adapter_model.safetensors"), "a stray adapter");
            TestCheckpoints.writeText(checkpoint.resolve("adapter_config.json"), "{}");
        });
    }

    /** Merges of adapters lose it; what it would have said of these is what an absent one means. */
    @ParameterizedTest
    @EnumSource
    void quantizationConfigMayBeLost(WeightFormat format) {
        String preset = format == WeightFormat.PACKED ? "Falcon-E-1B" : "bitnet-b1.58-2B-4T";
        assertSameFile(
                preset, format, checkpoint -> config(checkpoint, config -> config.remove("quantization_config")));
        try (Checkpoint open = Checkpoint.open(folder.resolve("model"))) {
            assertThat(open.notes().toString().contains("config.json has no quantization_config"))
                    .isEqualTo(format != WeightFormat.TERNARY_FLOATS);
        }
    }

    /**
     * A Llama's continuous weights alone do not show that they were trained to be ternary; the message tells the way
     * out.
     */
    @Test
    void aLlamaThatLostItIsRefusedAndTheCureWorks() {
        Path checkpoint = checkpoint("Falcon-E-1B", WeightFormat.ONLINE);
        Path before = converted(checkpoint, "before");
        config(checkpoint, config -> config.remove("quantization_config"));
        assertThatThrownBy(() -> Checkpoint.open(checkpoint))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("{\"quant_method\": \"bitnet\", \"quantization_mode\": \"online\"}");
        config(checkpoint, config -> config.putObject("quantization_config")
                .put("quant_method", "bitnet")
                .put("quantization_mode", "online"));
        assertThat(converted(checkpoint, "after")).hasSameBinaryContentAs(before);
    }

    /** bf16 widened to f32 is the same number. */
    @Test
    void typesMayBeMixed() {
        assertSameFile("bitnet-b1.58-2B-4T", WeightFormat.ONLINE, checkpoint -> {
            Path weights = checkpoint.resolve("model.safetensors");
            SequencedMap<String, Content> tensors = TestCheckpoints.tensors(weights);
            for (String name : List.of(
                    "model.embed_tokens.weight", "model.norm.weight", "model.layers.0.self_attn.q_proj.weight",
                    "model.layers.0.mlp.ffn_sub_norm.weight")) {
                Content content = tensors.get(name);
                assertThat(content.type()).isEqualTo(SafetensorsType.BF16);
                tensors.put(name, Content.f32(content.shape(), content.bf16Values()));
            }
            TestCheckpoints.write(weights, tensors);
        });
    }

    /** One token more than Llama 3 has, named in no file but among the added ones; a block size. */
    @ParameterizedTest
    @EnumSource
    void aDiffusionFineTuneKeepsItsMaskAndBlockSize(WeightFormat format) {
        Path checkpoint = folder.resolve("model");
        SyntheticCheckpoint.like("DLM-2B").small().format(format).to(checkpoint);
        Path gguf = folder.resolve("dlm.gguf");
        Converter.from(checkpoint).validate(true).to(gguf);
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(file.integer("bitnet-b1.58.bd_size")).contains(32);
            assertThat(file.integer("tokenizer.ggml.mask_token_id")).contains(1024);
            assertThat(file.require("token_embd.weight").rows()).isEqualTo(1025);
            assertThat(GgufHyperparameters.read(file).diffusionBlock()).isEqualTo(32);
            Vocabulary vocabulary = Vocabulary.ofGguf(file.metadata(), gguf);
            assertThat(vocabulary.token(SpecialToken.MASK)).contains("|<MASK>|");
            assertThat(vocabulary.id(SpecialToken.BOS)).hasValue(1024 - 16);
        }
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            assertThat(open.notes()).anyMatch(note -> note.contains("bd_size"));
        }
        try (Model model = Model.load(gguf)) {
            assertThat(model.info().notes())
                    .anyMatch(note -> note.contains("blocks of 32 tokens by diffusion") && note.contains("causal"));
        }
    }

    @Test
    void itsMaskMayBeNamedByTheConfiguration() {
        Path checkpoint = checkpoint("bitnet-b1.58-2B-4T", WeightFormat.PACKED);
        config(checkpoint, config -> config.put("bd_size", 16).put("mask_token_id", 7));
        try (GgufFile file = GgufFile.open(converted(checkpoint, "masked"))) {
            assertThat(file.integer("bitnet-b1.58.bd_size")).contains(16);
            assertThat(file.integer("tokenizer.ggml.mask_token_id")).contains(7);
        }
    }

    /** 1bitLLM's names and keys; nothing of them is in the file, which is the same as from transformers' names. */
    @Test
    void bothSpellingsGiveTheSameFile() {
        assertSameFile("bitnet_b1_58-large", WeightFormat.ONLINE, checkpoint -> {
            Path weights = checkpoint.resolve("model.safetensors");
            SequencedMap<String, Content> tensors = TestCheckpoints.tensors(weights);
            assertThat(tensors).containsKey("model.layers.0.self_attn.inner_attn_ln.weight");
            assertThat(tensors.get("model.layers.0.mlp.ffn_layernorm.weight").type()).isEqualTo(SafetensorsType.F32);
            for (String[] names : new String[][] {
                {"self_attn.inner_attn_ln", "self_attn.attn_sub_norm"}, {"mlp.ffn_layernorm", "mlp.ffn_sub_norm"}
            }) {
                String from = "model.layers.0." + names[0] + ".weight";
                tensors.put("model.layers.0." + names[1] + ".weight", tensors.remove(from));
            }
            TestCheckpoints.write(weights, tensors);
            config(checkpoint, config -> {
                assertThat(config.remove("weight_bits").asInt()).isEqualTo(1);
                assertThat(config.remove("input_bits").asInt()).isEqualTo(8);
                config.putArray("architectures").add("BitNetForCausalLM");
            });
        });
    }
}
