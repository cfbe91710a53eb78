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

    /** Those that are there. */
    List<LowRank> all() {
        return Stream.of(q, k, v, attnOutput, gate, up, down).filter(Objects::nonNull).toList();
    }
}
