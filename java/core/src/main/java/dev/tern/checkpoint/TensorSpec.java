package dev.tern.checkpoint;

import dev.tern.model.ModelHyperparameters;
import java.util.ArrayList;
import java.util.List;

/**
 * A tensor that a model of given hyperparameters must have.
 *
 * @param name under GGUF
 * @param sources its possible names under Hugging Face, the usual one first
 * @param ternary whether it is one of the seven projections
 * @param vector whether it has one dimension; then {@code rows} is 1
 */
record TensorSpec(String name, List<String> sources, boolean ternary, boolean vector, int rows, int cols) {

    /** The name under Hugging Face that a new checkpoint gets. */
    String source() {
        return sources.getFirst();
    }

    /** All tensors in GGUF order: the embedding, the last norm, an untied head, then block by block. */
    static List<TensorSpec> of(ModelHyperparameters model) {
        int hidden = model.hiddenSize();
        List<TensorSpec> specs = new ArrayList<>();
        specs.add(matrix("token_embd.weight", model.vocabSize(), hidden, "model.embed_tokens.weight"));
        specs.add(norm("output_norm.weight", hidden, "model.norm.weight"));
        if (!model.tiedHead()) {
            specs.add(matrix("output.weight", model.vocabSize(), hidden, "lm_head.weight"));
        }
        for (int layer = 0; layer < model.layers(); layer++) {
            addLayer(specs, model, "blk." + layer + ".", "model.layers." + layer + ".");
        }
        return specs;
    }

    /** The spellings of the sub norms: transformers, then 1bitLLM. */
    private static void addLayer(List<TensorSpec> specs, ModelHyperparameters model, String blk, String layer) {
        int hidden = model.hiddenSize();
        int inner = model.intermediateSize();
        int query = model.heads() * model.headDim();
        int keyValue = model.kvHeads() * model.headDim();
        String attention = layer + "self_attn.";
        String mlp = layer + "mlp.";
        specs.add(norm(blk + "attn_norm.weight", hidden, layer + "input_layernorm.weight"));
        specs.add(projection(blk + "attn_q.weight", query, hidden, attention + "q_proj.weight"));
        specs.add(projection(blk + "attn_k.weight", keyValue, hidden, attention + "k_proj.weight"));
        specs.add(projection(blk + "attn_v.weight", keyValue, hidden, attention + "v_proj.weight"));
        if (model.subNorms()) {
            specs.add(norm(blk + "attn_sub_norm.weight", query,
                    attention + "attn_sub_norm.weight", attention + "inner_attn_ln.weight"));
        }
        specs.add(projection(blk + "attn_output.weight", hidden, query, attention + "o_proj.weight"));
        specs.add(norm(blk + "ffn_norm.weight", hidden, layer + "post_attention_layernorm.weight"));
        specs.add(projection(blk + "ffn_gate.weight", inner, hidden, mlp + "gate_proj.weight"));
        specs.add(projection(blk + "ffn_up.weight", inner, hidden, mlp + "up_proj.weight"));
        if (model.subNorms()) {
            specs.add(norm(blk + "ffn_sub_norm.weight", inner, mlp + "ffn_sub_norm.weight",
                    mlp + "ffn_layernorm.weight"));
        }
        specs.add(projection(blk + "ffn_down.weight", hidden, inner, mlp + "down_proj.weight"));
    }

    private static TensorSpec matrix(String name, int rows, int cols, String source) {
        return new TensorSpec(name, List.of(source), false, false, rows, cols);
    }

    private static TensorSpec projection(String name, int rows, int cols, String source) {
        return new TensorSpec(name, List.of(source), true, false, rows, cols);
    }

    private static TensorSpec norm(String name, int cols, String... sources) {
        return new TensorSpec(name, List.of(sources), false, true, 1, cols);
    }
}
