package dev.tern.probe;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryWeights;
import dev.tern.model.LayerWeights;
import dev.tern.model.LowRank;
import dev.tern.model.LowRankWeights;
import dev.tern.model.ModelHyperparameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
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

        /** The low-rank correction beside a projection, such as {@code blk.0.attn_q}. */
        LowRank lowRank(String projection, int rank);
    }

    /** The matrices of a block, largest first, by what follows {@code blk.N.} in their names. */
    List<String> MATRICES = List.of(
            "ffn_gate.weight",
            "ffn_up.weight",
            "ffn_down.weight",
            "attn_q.weight",
            "attn_output.weight",
            "attn_k.weight",
            "attn_v.weight");

    /**
     * Reads the matrices of a block on all processors.
     *
     * @param read reads one, by its GGUF name; called from several threads
     * @return the matrices by name
     */
    static Map<String, TernaryWeights> inParallel(int index, Function<String, TernaryWeights> read) {
        return MATRICES.parallelStream()
                .map(rest -> "blk." + index + "." + rest)
                .collect(Collectors.toConcurrentMap(Function.identity(), read));
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
                tensors.projection(block + "ffn_down.weight"),
                LowRankWeights.of(model.lowRank(), (module, rank) -> tensors.lowRank(block + module, rank)));
    }

    private static @Nullable MemorySegment optional(ModelHyperparameters model, Tensors tensors, String subNorm) {
        return model.subNorms() ? tensors.norm(subNorm) : null;
    }
}
