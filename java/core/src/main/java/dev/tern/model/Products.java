package dev.tern.model;

import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.Projection;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Products of the quantized tokens with matrices in whatever layout, their low-rank corrections included. */
final class Products {
    private final Kernels kernels;
    private final Scratch scratch;
    private final @Nullable LutMultiplier lut; // where there are packed weights
    private final LowRankPass lowRank;

    Products(
            ModelHyperparameters model,
            ModelWeights weights,
            Kernels kernels,
            ThreadTeam team,
            int batch,
            Scratch scratch,
            SegmentAllocator memory) {
        this.kernels = kernels;
        this.scratch = scratch;
        List<LutWeights> packed = weights.projections().stream()
                .filter(LutWeights.class::isInstance)
                .map(LutWeights.class::cast)
                .toList();
        this.lut = packed.isEmpty() ? null : new LutMultiplier(packed, batch, scratch.widest, team.size(), memory);
        this.lowRank = new LowRankPass(model, batch, scratch.widest, kernels, team, memory);
    }

    /** Who makes the tables that packed weights are looked up in; null where there are none. */
    @Nullable LutMultiplier lut() {
        return lut;
    }

    /** The stage in front of those products of {@code x} that have corrections; none where none has. */
    void reduce(
            int member,
            MemorySegment x,
            int width,
            int tokens,
            @Nullable LowRank first,
            @Nullable LowRank second,
            @Nullable LowRank third) {
        lowRank.reduce(member, x, width, tokens, first, second, third);
    }

    /**
     * The rows of {@code w} that fall into [begin, end) when the matrix starts at row {@code base} of the stage.
     *
     * @param side its correction, which {@link #reduce} has prepared in this slot
     * @param y {@code [tokens][rows]}
     */
    void multiply(
            int member,
            Projection w,
            @Nullable LowRank side,
            int slot,
            int base,
            int begin,
            int end,
            int tokens,
            MemorySegment y) {
        int from = Math.max(begin - base, 0);
        int to = Math.min(end - base, w.rows());
        if (from < to) {
            switch (w) {
                case TernaryWeights plain ->
                    kernels.ternaryMatmul(plain, scratch.quantized, tokens, from, to, y, w.rows());
                case LutWeights packed ->
                    Objects.requireNonNull(lut)
                            .multiply(member, packed, kernels, scratch.quantized, tokens, from, to, y);
            }
            if (side != null) {
                lowRank.add(side, slot, tokens, from, to, y);
            }
        }
    }
}
