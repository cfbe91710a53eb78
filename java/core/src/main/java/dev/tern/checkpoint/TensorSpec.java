package dev.tern.checkpoint;

import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import java.util.List;
import java.util.Map;

/**
 * A tensor that a checkpoint of given hyperparameters must have.
 *
 * @param shape its GGUF name and dimensions
 * @param sources its possible names under Hugging Face, the usual one first
 */
record TensorSpec(TensorShape shape, List<String> sources) {
    private static final long MAX_RANK = 1 << 16;

    /** Names outside the blocks. */
    private static final Map<String, String> GLOBAL = Map.of(
            "token_embd.weight", "model.embed_tokens.weight",
            "output_norm.weight", "model.norm.weight",
            "output.weight", "lm_head.weight");

    /**
     * Names within a block, without ".weight"; the sub norms have two spellings, that of transformers and of 1bitLLM.
     */
    private static final Map<String, List<String>> BLOCK = Map.ofEntries(
            Map.entry("attn_norm", List.of("input_layernorm")),
            Map.entry("attn_q", List.of("self_attn.q_proj")),
            Map.entry("attn_k", List.of("self_attn.k_proj")),
            Map.entry("attn_v", List.of("self_attn.v_proj")),
            Map.entry("attn_sub_norm", List.of("self_attn.attn_sub_norm", "self_attn.inner_attn_ln")),
            Map.entry("attn_output", List.of("self_attn.o_proj")),
            Map.entry("ffn_norm", List.of("post_attention_layernorm")),
            Map.entry("ffn_gate", List.of("mlp.gate_proj")),
            Map.entry("ffn_up", List.of("mlp.up_proj")),
            Map.entry("ffn_sub_norm", List.of("mlp.ffn_sub_norm", "mlp.ffn_layernorm")),
            Map.entry("ffn_down", List.of("mlp.down_proj")));

    /** What follows a module's name: here under GGUF, there under Hugging Face. */
    private static final Map<String, List<String>> SUFFIXES = Map.of(
            "weight", List.of("weight"),
            "lrc_u", List.of("lrc_U"),
            "lrc_v", List.of("lrc_V"));

    /** Layers with a low-rank correction may keep the ternary floats made from their weights, or nothing but those. */
    static final String DERIVED = "weight_quantized";

    /** All tensors in GGUF order. */
    static List<TensorSpec> of(ModelHyperparameters model) {
        return TensorShape.of(model).stream()
                .map(shape -> new TensorSpec(shape, sources(shape.name())))
                .toList();
    }

    private static List<String> sources(String name) {
        String global = GLOBAL.get(name);
        if (global != null) {
            return List.of(global);
        }
        String[] parts = name.split("\\.", 4); // blk, layer, module, suffix
        List<String> suffixes = TensorShape.isProjection(name)
                ? List.of("weight", DERIVED)
                : SUFFIXES.get(parts[3]);
        return BLOCK.get(parts[2]).stream()
                .flatMap(module -> suffixes.stream()
                        .map(suffix -> "model.layers." + parts[1] + "." + module + "." + suffix))
                .toList();
    }

    /** The ranks of the low-rank corrections that the first block has; those of the others must be the same. */
    static LowRankRanks lowRankRanks(Map<String, StoredTensor> stored) {
        return LowRankRanks.of(module -> {
            StoredTensor u = stored.get(sources("blk.0." + module + ".lrc_u").getFirst());
            List<Long> shape = u == null ? List.of() : u.tensor().shape();
            // A rank that is none is found out when the shapes are checked.
            return u == null ? 0 : shape.isEmpty() ? 1 : (int) Math.clamp(shape.getLast(), 1, MAX_RANK);
        });
    }

    String name() {
        return shape.name();
    }

    int rows() {
        return shape.rows();
    }

    int cols() {
        return shape.cols();
    }

    /** Whether it is one of the seven projections. */
    boolean ternary() {
        return shape.kind() == TensorShape.Kind.PROJECTION;
    }

    /** Whether it has one dimension; then {@link #rows} is 1. */
    boolean vector() {
        return shape.kind() == TensorShape.Kind.NORM;
    }

    /** The name under Hugging Face that a new checkpoint gets. */
    String source() {
        return sources.getFirst();
    }
}
