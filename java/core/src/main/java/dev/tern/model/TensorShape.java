package dev.tern.model;

import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.ModelShape;
import dev.tern.gguf.GgmlType;
import dev.tern.ternary.Outtype;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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

    private static final Pattern LOW_RANK =
            Pattern.compile("blk\\.\\d+\\.(attn_(q|k|v|output)|ffn_(gate|up|down))\\.lrc_[uv]");

    /** What a tensor is, which decides how it is stored. */
    public enum Kind {
        /** The embedding, or a head of its own: floats. */
        EMBEDDING,
        /** One of the seven ternary matrices of a block. */
        PROJECTION,
        /** U or V of a low-rank correction beside a projection: floats. */
        LOW_RANK,
        /** The weights of an RMSNorm: one dimension, floats. */
        NORM;

        /** The element types that Tern computes with, in the order in which they are told. */
        public Set<GgmlType> types() {
            return switch (this) {
                case EMBEDDING -> types(
                        GgmlType.F16, GgmlType.BF16, GgmlType.F32, GgmlType.Q8_0, GgmlType.Q6_K);
                case PROJECTION -> types(
                        Arrays.stream(Outtype.values()).map(Outtype::type).toArray(GgmlType[]::new));
                case LOW_RANK -> types(GgmlType.F16, GgmlType.BF16, GgmlType.F32);
                case NORM -> types(GgmlType.F32);
            };
        }

        private static Set<GgmlType> types(GgmlType... types) {
            return new LinkedHashSet<>(List.of(types));
        }

        /** In the plural: "projections". */
        public String words() {
            return switch (this) {
                case EMBEDDING -> "embedding and head";
                case PROJECTION -> "projections";
                case LOW_RANK -> "low-rank corrections";
                case NORM -> "norms";
            };
        }
    }

    /** Whether a tensor of this name holds ternary weights in a ternary model. */
    public static boolean isProjection(String name) {
        return PROJECTION.matcher(name).matches();
    }

    /** Whether a tensor of this name is U or V of a low-rank correction ({@link LowRankRanks}). */
    public static boolean isLowRank(String name) {
        return LOW_RANK.matcher(name).matches();
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
            addBlock(shapes, "blk." + layer + ".", shape, model);
        }
        return shapes;
    }

    private static void addBlock(
            List<TensorShape> shapes, String block, ModelShape shape, ModelHyperparameters model) {
        LowRankRanks ranks = model.lowRank();
        shapes.add(norm(block + "attn_norm.weight", shape.hiddenSize()));
        addProjection(shapes, block + "attn_q", shape.query(), ranks.q());
        addProjection(shapes, block + "attn_k", shape.keyValue(), ranks.k());
        addProjection(shapes, block + "attn_v", shape.keyValue(), ranks.v());
        if (model.subNorms()) {
            shapes.add(norm(block + "attn_sub_norm.weight", shape.attentionOutput().cols()));
        }
        addProjection(shapes, block + "attn_output", shape.attentionOutput(), ranks.attnOutput());
        shapes.add(norm(block + "ffn_norm.weight", shape.hiddenSize()));
        addProjection(shapes, block + "ffn_gate", shape.gateUp(), ranks.gate());
        addProjection(shapes, block + "ffn_up", shape.gateUp(), ranks.up());
        if (model.subNorms()) {
            shapes.add(norm(block + "ffn_sub_norm.weight", shape.intermediateSize()));
        }
        addProjection(shapes, block + "ffn_down", shape.down(), ranks.down());
    }

    private static void addProjection(List<TensorShape> shapes, String name, MatrixShape shape, int rank) {
        shapes.add(new TensorShape(name + ".weight", shape.rows(), shape.cols(), Kind.PROJECTION));
        if (rank > 0) {
            shapes.add(new TensorShape(name + ".lrc_u", shape.rows(), rank, Kind.LOW_RANK));
            shapes.add(new TensorShape(name + ".lrc_v", shape.cols(), rank, Kind.LOW_RANK));
        }
    }

    private static TensorShape norm(String name, int cols) {
        return new TensorShape(name, 1, cols, Kind.NORM);
    }
}
