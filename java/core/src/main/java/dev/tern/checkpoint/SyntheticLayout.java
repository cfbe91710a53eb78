package dev.tern.checkpoint;

import dev.tern.checkpoint.SyntheticTokenizer.Kind;
import dev.tern.model.ModelHyperparameters;
import dev.tern.safetensors.SafetensorsType;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a family of checkpoints is laid out, apart from its dimensions: what its config.json says and leaves out, what
 * its tensors are called and which type they have.
 *
 * @param architecture in {@code architectures}
 * @param modelType {@code model_type}
 * @param floats type of all that is not packed: BF16, F16 or F32
 * @param subNorms the names of the sub-norms
 * @param quantization the {@code quantization_config}
 * @param format how the projections are stored unless another format is asked for
 * @param extraKeys keys of config.json that only this family has
 * @param tokenizer of what kind the tokenizer is
 * @param masked whether the last token is the mask of masked-diffusion models
 * @param statesHeadDim whether {@code head_dim} stands in config.json even where it follows from the other numbers
 */
record SyntheticLayout(
        String architecture,
        String modelType,
        SafetensorsType floats,
        SubNorms subNorms,
        Quantization quantization,
        WeightFormat format,
        Map<String, Integer> extraKeys,
        Kind tokenizer,
        boolean masked,
        boolean statesHeadDim) {

    /** Spellings of the norms before {@code o_proj} and {@code down_proj}. */
    enum SubNorms {
        /** {@code attn_sub_norm}, {@code ffn_sub_norm}. */
        TRANSFORMERS,
        /** {@code inner_attn_ln}, {@code ffn_layernorm}. */
        ONE_BIT_LLM
    }

    /** What {@code quantization_config} says. */
    enum Quantization {
        /** {@code linear_class} is {@code autobitlinear}: a packed matrix's {@code weight_scale} is s. */
        AUTOBITLINEAR(ScaleDirection.DIRECT),
        /** No {@code linear_class}, as in the releases before there was a second one: {@code weight_scale} is 1/s. */
        BITLINEAR(ScaleDirection.INVERSE),
        /** There is none. */
        NONE(ScaleDirection.INVERSE);

        private final ScaleDirection direction;

        Quantization(ScaleDirection direction) {
            this.direction = direction;
        }

        /** What a {@code weight_scale} beside this configuration means. */
        ScaleDirection direction() {
            return direction;
        }
    }

    /** That of BitNet b1.58 2B-4T, or of a Llama that is configured like it. */
    static SyntheticLayout of(String ggufArchitecture) {
        boolean llama = ggufArchitecture.equals("llama");
        return new SyntheticLayout(
                llama ? "LlamaForCausalLM" : "BitNetForCausalLM",
                llama ? "llama" : "bitnet",
                SafetensorsType.BF16,
                SubNorms.TRANSFORMERS,
                Quantization.AUTOBITLINEAR,
                WeightFormat.ONLINE,
                Map.of(),
                Kind.LLAMA3,
                false,
                false);
    }

    /** The same with another tokenizer. */
    SyntheticLayout with(Kind other) {
        return new SyntheticLayout(
                architecture, modelType, floats, subNorms, quantization, format, extraKeys, other, masked,
                statesHeadDim);
    }

    /** That of block-diffusion fine-tunes (Fast-dLLM): one more token. */
    static SyntheticLayout diffusion() {
        SyntheticLayout plain = of("bitnet-b1.58");
        return new SyntheticLayout(
                plain.architecture,
                plain.modelType,
                plain.floats,
                plain.subNorms,
                plain.quantization,
                plain.format,
                Map.of(),
                plain.tokenizer,
                true,
                false);
    }

    /** That of 1bitLLM's models: another spelling of everything, no quantization_config, keys of its own. */
    static SyntheticLayout oneBitLlm(SafetensorsType floats, Kind tokenizer) {
        return new SyntheticLayout(
                "BitnetForCausalLM",
                "llama",
                floats,
                SubNorms.ONE_BIT_LLM,
                Quantization.NONE,
                WeightFormat.ONLINE,
                Map.of("input_bits", 8, "weight_bits", 1),
                tokenizer,
                false,
                false);
    }

    /** That of packed Llamas, whose scales are inverse. */
    static SyntheticLayout packedLlama(Kind tokenizer, boolean statesHeadDim) {
        return new SyntheticLayout(
                "LlamaForCausalLM",
                "llama",
                SafetensorsType.BF16,
                SubNorms.TRANSFORMERS,
                Quantization.BITLINEAR,
                WeightFormat.PACKED,
                Map.of(),
                tokenizer,
                false,
                statesHeadDim);
    }

    /** That of Llamas whose half-precision weights are ternary already, of which nothing in config.json speaks. */
    static SyntheticLayout ternaryLlama() {
        return new SyntheticLayout(
                "LlamaForCausalLM",
                "llama",
                SafetensorsType.F16,
                SubNorms.TRANSFORMERS,
                Quantization.NONE,
                WeightFormat.TERNARY_FLOATS,
                Map.of(),
                Kind.GPT2,
                false,
                false);
    }

    /** What the checkpoint calls a tensor. */
    String source(TensorSpec spec) {
        return spec.vector() && subNorms == SubNorms.ONE_BIT_LLM ? spec.sources().getLast() : spec.source();
    }

    private String torchType() {
        return switch (floats) {
            case BF16 -> "bfloat16";
            case F16 -> "float16";
            case F32 -> "float32";
            default -> throw new IllegalStateException("floats as " + floats);
        };
    }

    /** config.json. */
    ObjectNode config(ModelHyperparameters model, WeightFormat stored, SyntheticTokenizer tokenizer) {
        ObjectNode config = JsonMapper.shared().createObjectNode();
        config.putArray("architectures").add(architecture);
        config.put("attention_bias", false);
        if (model.diffusionBlock() > 0) {
            config.put("bd_size", model.diffusionBlock());
        }
        new TreeMap<>(extraKeys).forEach(config::put);
        config.put("bos_token_id", tokenizer.bosId()).put("eos_token_id", tokenizer.eosId());
        if (statesHeadDim || (long) model.headDim() * model.heads() != model.hiddenSize()) {
            config.put("head_dim", model.headDim());
        }
        config.put("hidden_act", model.activation().label())
                .put("hidden_size", model.hiddenSize())
                .put("intermediate_size", model.intermediateSize())
                .put("max_position_embeddings", model.contextLength())
                .put("model_type", modelType)
                .put("num_attention_heads", model.heads())
                .put("num_hidden_layers", model.layers())
                .put("num_key_value_heads", model.kvHeads())
                .put("rms_norm_eps", Double.parseDouble(Float.toString(model.normEps())))
                .put("rope_theta", Double.parseDouble(Float.toString(model.ropeTheta())))
                .put("tie_word_embeddings", model.tiedHead())
                .put("torch_dtype", torchType())
                .put("vocab_size", model.vocabSize());
        putQuantization(config, stored);
        return config;
    }

    private void putQuantization(ObjectNode config, WeightFormat stored) {
        String mode = stored == WeightFormat.PACKED ? "offline" : "online";
        switch (quantization) {
            case AUTOBITLINEAR -> config.putObject("quantization_config")
                    .put("linear_class", "autobitlinear")
                    .put("quant_method", "bitnet")
                    .put("quantization_mode", mode);
            case BITLINEAR -> {
                ObjectNode node = config.putObject("quantization_config");
                node.putNull("modules_to_not_convert").put("quant_method", "bitnet");
                if (stored != WeightFormat.PACKED) {
                    node.put("linear_class", "autobitlinear").put("quantization_mode", mode);
                }
            }
            case NONE -> { }
        }
    }

    /** The tokenizer that such a checkpoint has. */
    SyntheticTokenizer tokenizer(int vocabSize) {
        return masked
                ? SyntheticTokenizer.of(tokenizer, vocabSize - 1).withMask()
                : SyntheticTokenizer.of(tokenizer, vocabSize);
    }
}
