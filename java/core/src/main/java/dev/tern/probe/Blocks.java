package dev.tern.probe;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Projection;
import dev.tern.model.LayerWeights;
import dev.tern.model.ModelHyperparameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A model whose weights are read piece by piece, from whatever file they lie in. */
public interface Blocks {
    /** Rows of the head in a piece: of 2560 columns in fp32, 40 MiB. */
    int HEAD_PIECE = 4096;

    /** The graph. */
    ModelHyperparameters model();

    /**
     * Reads one block.
     *
     * @param arena holds the weights
     */
    LayerWeights layer(int index, Arena arena);

    /** Reads the last norm, {@code [hidden]} float32. */
    MemorySegment outputNorm(Arena arena);

    /** Writes the embeddings of tokens, float32 {@code [ids.length][hidden]}. */
    void embed(int[] ids, MemorySegment states);

    /** Hands over the head in pieces of consecutive rows, first to last; a piece is gone after the call. */
    void head(HeadSink sink);

    /** Receives the head. */
    @FunctionalInterface
    interface HeadSink {
        /**
         * A piece.
         *
         * @param firstRow the vocabulary's id of its first row
         */
        void accept(FloatWeights piece, int firstRow);
    }

    /** Where the tensors of a block come from, by their GGUF names. */
    interface Tensors {
        /** A projection, such as {@code blk.0.attn_q.weight}. */
        Projection projection(String name);

        /** A norm, {@code [width]} float32. */
        MemorySegment norm(String name);
    }

    /** Puts a block together from its tensors. */
    static LayerWeights assemble(ModelHyperparameters model, int index, Tensors tensors) {
        String block = "blk." + index + ".";
        return new LayerWeights(
                tensors.norm(block + "attn_norm.weight"),
                tensors.projection(block + "attn_q.weight"),
                tensors.projection(block + "attn_k.weight"),
                tensors.projection(block + "attn_v.weight"),
                optional(model, tensors, block + "attn_sub_norm.weight"),
                tensors.projection(block + "attn_output.weight"),
                tensors.norm(block + "ffn_norm.weight"),
                tensors.projection(block + "ffn_gate.weight"),
                tensors.projection(block + "ffn_up.weight"),
                optional(model, tensors, block + "ffn_sub_norm.weight"),
                tensors.projection(block + "ffn_down.weight"));
    }

    private static @Nullable MemorySegment optional(ModelHyperparameters model, Tensors tensors, String subNorm) {
        return model.subNorms() ? tensors.norm(subNorm) : null;
    }
}
