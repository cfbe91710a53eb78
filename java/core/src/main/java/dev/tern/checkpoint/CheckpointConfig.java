package dev.tern.checkpoint;

import dev.tern.codegen.ModelShape;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.model.FfnActivation;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What config.json and generation_config.json say, checked. Whatever the engine could not run faithfully is refused.
 */
final class CheckpointConfig {
    private final Path file;
    private final ObjectNode config;
    private final List<String> notes = new ArrayList<>();
    private final Family family;
    private final QuantizationConfig quantization;

    /** The graphs that checkpoints name in {@code architectures}. */
    private enum Family {
        BITNET,
        LLAMA
    }

    private CheckpointConfig(Path file, ObjectNode config) {
        this.file = file;
        this.config = config;
        this.family = family();
        this.quantization = QuantizationConfig.read(file, config, notes);
    }

    /**
     * Reads a config.json.
     *
     * @throws InputException when it is missing, damaged, or of an architecture that is not supported
     */
    static CheckpointConfig read(Path file) {
        if (!Files.exists(file)) {
            throw InputException.at(file)
                    .problem("no such file; the model's dimensions stand in it")
                    .cure("Download config.json into the folder of the weights.")
                    .exception();
        }
        return new CheckpointConfig(file, JsonFile.read(file));
    }

    Path file() {
        return file;
    }

    QuantizationConfig quantization() {
        return quantization;
    }

    /** What a person should know although it is no error. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    /**
     * Whether continuous weights may be made ternary: BitNet models are trained for it by definition, a Llama only when
     * its configuration says so.
     */
    boolean trainedTernary() {
        return family == Family.BITNET || quantization.declared();
    }

    /** {@code tie_word_embeddings}, or empty when the key is absent. */
    Optional<Boolean> tied() {
        JsonNode node = config.get("tie_word_embeddings");
        return node == null || node.isNull() ? Optional.empty() : Optional.of(bool("tie_word_embeddings"));
    }

    /**
     * The model's numbers.
     *
     * @param name its display name
     * @param tiedHead whether the embedding is the head too
     */
    ModelHyperparameters hyperparameters(String name, boolean tiedHead) {
        refuse("attention_bias", "projections with a bias");
        refuse("mlp_bias", "projections with a bias");
        refuseExperts();
        refuseScaledRope();
        refuseOtherBits();
        ModelShape shape = ModelDimensions.of(file, config);
        if (shape.headDim() % 2 != 0) {
            throw key("head_dim").expected("an even number, as RoPE turns pairs").found(shape.headDim()).exception();
        }
        FfnActivation activation = activation();
        return new ModelHyperparameters(
                architecture(activation),
                name,
                dimension("vocab_size"),
                dimension("max_position_embeddings"),
                shape.hiddenSize(),
                shape.intermediateSize(),
                dimension("num_hidden_layers"),
                shape.heads(),
                shape.kvHeads(),
                shape.headDim(),
                shape.headDim(),
                ropeTheta(),
                positive("rms_norm_eps"),
                activation,
                family == Family.BITNET,
                tiedHead,
                LowRankRanks.NONE,
                diffusionBlock());
    }

    /** {@code bd_size} of a block-diffusion fine-tune (Fast-dLLM), or 0. */
    private int diffusionBlock() {
        return config.hasNonNull("bd_size") ? dimension("bd_size") : 0;
    }

    /** {@code bos_token_id} of config.json, or of generation_config.json. */
    OptionalInt bosTokenId(int vocabSize) {
        return ids("bos_token_id", vocabSize).stream().mapToInt(Integer::intValue).findFirst();
    }

    /** {@code pad_token_id} likewise. */
    OptionalInt padTokenId(int vocabSize) {
        return ids("pad_token_id", vocabSize).stream().mapToInt(Integer::intValue).findFirst();
    }

    /** Every {@code eos_token_id} of config.json, then those that generation_config.json adds. */
    List<Integer> eosTokenIds(int vocabSize) {
        return List.copyOf(ids("eos_token_id", vocabSize));
    }

    private Family family() {
        JsonNode node = config.get("architectures");
        String name = node != null && node.isArray() && !node.isEmpty() ? node.get(0).asString("") : "";
        return switch (name) {
            case "BitNetForCausalLM", "BitnetForCausalLM" -> Family.BITNET;
            case "LlamaForCausalLM" -> Family.LLAMA;
            default -> throw key("architectures")
                    .problem("this architecture is not supported")
                    .expected("BitNetForCausalLM, BitnetForCausalLM, or LlamaForCausalLM with ternary weights")
                    .found(JsonFile.shown(node))
                    .exception();
        };
    }

    /** The GGUF architecture whose graph this is (the formats' facts, section C3). */
    private String architecture(FfnActivation activation) {
        return switch (family) {
            case BITNET -> activation == FfnActivation.RELU_SQUARED ? "bitnet-b1.58" : "bitnet";
            case LLAMA -> "llama";
        };
    }

    private FfnActivation activation() {
        String name = string("hidden_act");
        return switch (name) {
            case "relu2" -> {
                if (family == Family.LLAMA) {
                    throw key("hidden_act").expected("silu for LlamaForCausalLM").found(name).exception();
                }
                yield FfnActivation.RELU_SQUARED;
            }
            case "silu", "swish" -> FfnActivation.SILU;
            default -> throw key("hidden_act").expected("relu2 or silu").found("'" + name + "'").exception();
        };
    }

    /** In newer transformers the base stands in {@code rope_parameters}; absent, it is what transformers assumes. */
    private float ropeTheta() {
        JsonNode parameters = config.get("rope_parameters");
        if (config.hasNonNull("rope_theta")) {
            return positive("rope_theta");
        }
        if (parameters != null && parameters.hasNonNull("rope_theta")) {
            return positive("rope_parameters.rope_theta", parameters.get("rope_theta"));
        }
        float theta = config.path("model_type").asString("").equals("bitnet") ? 500_000f : 10_000f;
        notes.add("config.json has no rope_theta: " + theta + " is assumed, as in transformers");
        return theta;
    }

    private void refuseScaledRope() {
        for (String key : List.of("rope_scaling", "rope_parameters")) {
            JsonNode node = config.get(key);
            if (node == null || node.isNull()) {
                continue;
            }
            if (!node.isObject()) {
                throw key(key).expected("an object").found(JsonFile.shown(node)).exception();
            }
            String kind = node.path("rope_type").asString(node.path("type").asString("default"));
            boolean plain = kind.equals("default") || kind.equals("none");
            boolean unit = kind.equals("linear") && node.path("factor").asDouble(0) == 1.0;
            if (!plain && !unit) {
                throw key(key)
                        .problem("scaled rotary embeddings are not supported; the model would run with wrong positions")
                        .expected("none, 'default', or 'linear' with factor 1")
                        .found(JsonFile.shown(node))
                        .exception();
            }
        }
        JsonNode partial = config.get("partial_rotary_factor");
        if (partial != null && !partial.isNull() && partial.asDouble(0) != 1.0) {
            throw key("partial_rotary_factor").expected("1").found(JsonFile.shown(partial)).exception();
        }
    }

    /**
     * 1bitLLM's keys: the quantizers' widths. Its weights are ternary whatever {@code weight_bits}, usually 1, says.
     */
    private void refuseOtherBits() {
        JsonNode bits = config.get("input_bits");
        if (bits != null && !bits.isNull() && bits.asInt(0) != 8) {
            throw key("input_bits")
                    .problem("activations of another width than the engine's are not supported")
                    .expected("8")
                    .found(JsonFile.shown(bits))
                    .exception();
        }
    }

    private void refuseExperts() {
        for (String key : List.of("num_local_experts", "num_experts")) {
            if (config.path(key).asLong(0) > 1) {
                throw key(key)
                        .problem("mixtures of experts are not supported")
                        .found(JsonFile.shown(config.get(key)))
                        .exception();
            }
        }
    }

    private void refuse(String key, String what) {
        if (config.hasNonNull(key) && bool(key)) {
            throw key(key).problem(what + " are not supported").expected("false").found("true").exception();
        }
    }

    private SequencedSet<Integer> ids(String key, int vocabSize) {
        SequencedSet<Integer> ids = new LinkedHashSet<>();
        addIds(ids, file, config.get(key), key, vocabSize);
        Path generation = file.resolveSibling("generation_config.json");
        if (Files.exists(generation)) {
            addIds(ids, generation, JsonFile.read(generation).get(key), key, vocabSize);
        }
        return ids;
    }

    private void addIds(SequencedSet<Integer> ids, Path where, @Nullable JsonNode node, String key, int vocabSize) {
        if (node == null || node.isNull()) {
            return;
        }
        for (JsonNode id : node.isArray() ? node : List.of(node)) {
            if (!id.canConvertToInt() || !id.isIntegralNumber()) {
                throw InputException.at(where)
                        .key(key)
                        .expected("a token id or a list of them")
                        .found(JsonFile.shown(node))
                        .exception();
            }
            if (id.intValue() < 0 || id.intValue() >= vocabSize) {
                notes.add(where.getFileName() + ": " + key + " " + id + " is outside the vocabulary and ignored");
            } else {
                ids.add(id.intValue());
            }
        }
    }

    private int dimension(String key) {
        return ModelDimensions.dimension(file, config, key);
    }

    private float positive(String key) {
        return positive(key, config.get(key));
    }

    private float positive(String key, @Nullable JsonNode node) {
        float value = node != null && node.isNumber() ? (float) node.asDouble(Double.NaN) : Float.NaN;
        if (!(value > 0) || Float.isInfinite(value)) {
            throw key(key).expected("a positive number").found(JsonFile.shown(node)).exception();
        }
        return value;
    }

    private boolean bool(String key) {
        JsonNode node = config.get(key);
        if (node == null || !node.isBoolean()) {
            throw key(key).expected("true or false").found(JsonFile.shown(node)).exception();
        }
        return node.booleanValue();
    }

    private String string(String key) {
        JsonNode node = config.get(key);
        if (node == null || !node.isString()) {
            throw key(key).expected("a string").found(JsonFile.shown(node)).exception();
        }
        return node.stringValue();
    }

    private InputException.Builder key(String key) {
        return InputException.at(file).key(key);
    }
}
