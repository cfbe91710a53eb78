package dev.tern.model;

import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The low-rank corrections of one block; null beside a projection that has none. */
public record LowRankWeights(
        @Nullable LowRank q,
        @Nullable LowRank k,
        @Nullable LowRank v,
        @Nullable LowRank attnOutput,
        @Nullable LowRank gate,
        @Nullable LowRank up,
        @Nullable LowRank down) {
    /** A block without corrections. */
    public static final LowRankWeights NONE = new LowRankWeights(null, null, null, null, null, null, null);

    /** Reads a correction. */
    @FunctionalInterface
    public interface Source {
        /**
         * The correction beside a projection.
         *
         * @param module the projection's GGUF name within the block, such as {@code attn_q}
         * @param rank at least 1
         */
        LowRank read(String module, int rank);
    }

    /** The corrections that a block has by its ranks. */
    public static LowRankWeights of(LowRankRanks ranks, Source source) {
        return ranks.largest() == 0
                ? NONE
                : new LowRankWeights(
                        read(source, "attn_q", ranks.q()),
                        read(source, "attn_k", ranks.k()),
                        read(source, "attn_v", ranks.v()),
                        read(source, "attn_output", ranks.attnOutput()),
                        read(source, "ffn_gate", ranks.gate()),
                        read(source, "ffn_up", ranks.up()),
                        read(source, "ffn_down", ranks.down()));
    }

    private static @Nullable LowRank read(Source source, String module, int rank) {
        return rank == 0 ? null : source.read(module, rank);
    }

    /** Those that are there. */
    List<LowRank> all() {
        return Stream.of(q, k, v, attnOutput, gate, up, down).filter(Objects::nonNull).toList();
    }
}
