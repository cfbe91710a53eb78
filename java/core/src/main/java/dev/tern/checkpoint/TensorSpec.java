package dev.tern.checkpoint;

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
    /** Names outside the blocks. */
    private static final Map<String, String> GLOBAL = Map.of(
            "token_embd.weight", "model.embed_tokens.weight",
            "output_norm.weight", "model.norm.weight",
            "output.weight", "lm_head.weight");

    /** Names within a block; the sub norms have two spellings, that of transformers and that of 1bitLLM. */
    private static final Map<String, List<String>> BLOCK = Map.ofEntries(
            Map.entry("attn_norm.weight", List.of("input_layernorm.weight")),
            Map.entry("attn_q.weight", List.of("self_attn.q_proj.weight")),
            Map.entry("attn_k.weight", List.of("self_attn.k_proj.weight")),
            Map.entry("attn_v.weight", List.of("self_attn.v_proj.weight")),
            Map.entry("attn_sub_norm.weight",
                    List.of("self_attn.attn_sub_norm.weight", "self_attn.inner_attn_ln.weight")),
            Map.entry("attn_output.weight", List.of("self_attn.o_proj.weight")),
            Map.entry("ffn_norm.weight", List.of("post_attention_layernorm.weight")),
            Map.entry("ffn_gate.weight", List.of("mlp.gate_proj.weight")),
            Map.entry("ffn_up.weight", List.of("mlp.up_proj.weight")),
            Map.entry("ffn_sub_norm.weight", List.of("mlp.ffn_sub_norm.weight", "mlp.ffn_layernorm.weight")),
            Map.entry("ffn_down.weight", List.of("mlp.down_proj.weight")));

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
        String[] parts = name.split("\\.", 3); // blk, layer, rest
        return BLOCK.get(parts[2]).stream()
                .map(rest -> "model.layers." + parts[1] + "." + rest)
                .toList();
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
