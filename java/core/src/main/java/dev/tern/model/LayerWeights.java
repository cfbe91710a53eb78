package dev.tern.model;

import dev.tern.kernels.Projection;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one block. Norms are float32 vectors; matrices are {@code [out][in]}.
 *
 * @param attnNorm {@code [hidden]}
 * @param q {@code [heads * headDim][hidden]}
 * @param k {@code [kvHeads * headDim][hidden]}
 * @param v {@code [kvHeads * headDim][hidden]}
 * @param attnSubNorm {@code [heads * headDim]}, before {@code attnOutput}; null in graphs without sub-norms
 * @param attnOutput {@code [hidden][heads * headDim]}
 * @param ffnNorm {@code [hidden]}
 * @param gate {@code [intermediate][hidden]}
 * @param up {@code [intermediate][hidden]}
 * @param ffnSubNorm {@code [intermediate]}, before {@code down}; null in graphs without sub-norms
 * @param down {@code [hidden][intermediate]}
 * @param lowRank corrections beside the projections
 */
public record LayerWeights(
        MemorySegment attnNorm,
        Projection q,
        Projection k,
        Projection v,
        @Nullable MemorySegment attnSubNorm,
        Projection attnOutput,
        MemorySegment ffnNorm,
        Projection gate,
        Projection up,
        @Nullable MemorySegment ffnSubNorm,
        Projection down,
        LowRankWeights lowRank) {

    /** A block without low-rank corrections. */
    public LayerWeights(
            MemorySegment attnNorm,
            Projection q,
            Projection k,
            Projection v,
            @Nullable MemorySegment attnSubNorm,
            Projection attnOutput,
            MemorySegment ffnNorm,
            Projection gate,
            Projection up,
            @Nullable MemorySegment ffnSubNorm,
            Projection down) {
        this(attnNorm, q, k, v, attnSubNorm, attnOutput, ffnNorm, gate, up, ffnSubNorm, down, LowRankWeights.NONE);
    }
}
