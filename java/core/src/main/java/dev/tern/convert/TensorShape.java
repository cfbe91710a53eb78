package dev.tern.convert;

import dev.tern.model.ModelHyperparameters;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A tensor that a model of given hyperparameters has in a GGUF file.
 *
 * @param name under GGUF
 * @param rows output features, 1 for a norm
 * @param cols input features
 * @param ternary whether it is one of the seven projections of a block
 */
record TensorShape(String name, int rows, int cols, boolean ternary) {
    private static final Pattern PROJECTION =
            Pattern.compile("blk\\.\\d+\\.(attn_(q|k|v|output)|ffn_(gate|up|down))\\.weight");

    /** Whether a tensor of this name holds ternary weights in a ternary model. */
    static boolean isProjection(String name) {
        return PROJECTION.matcher(name).matches();
    }

    /** All of them, in the order that converters write. */
    static List<TensorShape> of(ModelHyperparameters m) {
        List<TensorShape> shapes = new ArrayList<>();
        int hidden = m.hiddenSize();
        int inner = m.intermediateSize();
        int queries = m.heads() * m.headDim();
        int keys = m.kvHeads() * m.headDim();
        shapes.add(new TensorShape("token_embd.weight", m.vocabSize(), hidden, false));
        shapes.add(new TensorShape("output_norm.weight", 1, hidden, false));
        if (!m.tiedHead()) {
            shapes.add(new TensorShape("output.weight", m.vocabSize(), hidden, false));
        }
        for (int layer = 0; layer < m.layers(); layer++) {
            String block = "blk." + layer + ".";
            shapes.add(new TensorShape(block + "attn_norm.weight", 1, hidden, false));
            shapes.add(new TensorShape(block + "attn_q.weight", queries, hidden, true));
            shapes.add(new TensorShape(block + "attn_k.weight", keys, hidden, true));
            shapes.add(new TensorShape(block + "attn_v.weight", keys, hidden, true));
            if (m.subNorms()) {
                shapes.add(new TensorShape(block + "attn_sub_norm.weight", 1, queries, false));
            }
            shapes.add(new TensorShape(block + "attn_output.weight", hidden, queries, true));
            shapes.add(new TensorShape(block + "ffn_norm.weight", 1, hidden, false));
            shapes.add(new TensorShape(block + "ffn_gate.weight", inner, hidden, true));
            shapes.add(new TensorShape(block + "ffn_up.weight", inner, hidden, true));
            if (m.subNorms()) {
                shapes.add(new TensorShape(block + "ffn_sub_norm.weight", 1, inner, false));
            }
            shapes.add(new TensorShape(block + "ffn_down.weight", hidden, inner, true));
        }
        return shapes;
    }
}
