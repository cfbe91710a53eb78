package dev.tern.model;

import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A tensor that a model of given hyperparameters has, under its GGUF name.
 *
 * @param name under GGUF
 * @param rows output features, 1 for a norm
 * @param cols input features
 * @param kind what it is
 */
public record TensorShape(String name, int rows, int cols, Kind kind) {
    private static final Pattern PROJECTION =
            Pattern.compile("blk\\.\\d+\\.(attn_(q|k|v|output)|ffn_(gate|up|down))\\.weight");

    /** What a tensor is, which decides how it is stored. */
    public enum Kind {
        /** The embedding, or a head of its own: floats. */
        EMBEDDING,
        /** One of the seven ternary matrices of a block. */
        PROJECTION,
        /** The weights of an RMSNorm: one dimension, floats. */
        NORM
    }

    /** Whether a tensor of this name holds ternary weights in a ternary model. */
    public static boolean isProjection(String name) {
        return PROJECTION.matcher(name).matches();
    }

    /** All of them, in the order that converters write: the embedding, the last norm, a head, then block by block. */
    public static List<TensorShape> of(ModelHyperparameters model) {
        List<TensorShape> shapes = new ArrayList<>();
        shapes.add(new TensorShape("token_embd.weight", model.vocabSize(), model.hiddenSize(), Kind.EMBEDDING));
        shapes.add(norm("output_norm.weight", model.hiddenSize()));
        if (!model.tiedHead()) {
            shapes.add(new TensorShape("output.weight", model.vocabSize(), model.hiddenSize(), Kind.EMBEDDING));
        }
        ModelShape shape = model.shape();
        for (int layer = 0; layer < model.layers(); layer++) {
            addBlock(shapes, "blk." + layer + ".", shape, model.subNorms());
        }
        return shapes;
    }

    private static void addBlock(List<TensorShape> shapes, String block, ModelShape shape, boolean subNorms) {
        shapes.add(norm(block + "attn_norm.weight", shape.hiddenSize()));
        shapes.add(projection(block + "attn_q.weight", shape.query()));
        shapes.add(projection(block + "attn_k.weight", shape.keyValue()));
        shapes.add(projection(block + "attn_v.weight", shape.keyValue()));
        if (subNorms) {
            shapes.add(norm(block + "attn_sub_norm.weight", shape.attentionOutput().cols()));
        }
        shapes.add(projection(block + "attn_output.weight", shape.attentionOutput()));
        shapes.add(norm(block + "ffn_norm.weight", shape.hiddenSize()));
        shapes.add(projection(block + "ffn_gate.weight", shape.gateUp()));
        shapes.add(projection(block + "ffn_up.weight", shape.gateUp()));
        if (subNorms) {
            shapes.add(norm(block + "ffn_sub_norm.weight", shape.intermediateSize()));
        }
        shapes.add(projection(block + "ffn_down.weight", shape.down()));
    }

    private static TensorShape projection(String name, MatrixShape shape) {
        return new TensorShape(name, shape.rows(), shape.cols(), Kind.PROJECTION);
    }

    private static TensorShape norm(String name, int cols) {
        return new TensorShape(name, 1, cols, Kind.NORM);
    }
}
