package dev.tern.model;

import static dev.tern.model.RowShares.ROW_UNIT;
import static dev.tern.model.RowShares.share;

import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Computes the low-rank corrections of a pass: first z = Vᵀ · x, a stage of its own, then, where a projection's rows
 * are computed, y += U · z for the same rows. Every sum is one kernel's, over a whole row, whoever computes it. Of a
 * model without corrections it holds and does nothing. Not thread-safe but as {@link Forward} is.
 */
final class LowRankPass {
    /** Projections of one input: q, k and v. */
    private static final int SLOTS = 3;

    private final Kernels kernels;
    private final ThreadTeam team;
    private final MemorySegment[] reduced = new MemorySegment[SLOTS]; // z: [batch][rank]
    private final MemorySegment[] corrections = new MemorySegment[SLOTS]; // U z, laid out as y: [batch][rows]

    LowRankPass(
            ModelHyperparameters model,
            int batch,
            int widest,
            Kernels kernels,
            ThreadTeam team,
            SegmentAllocator memory) {
        this.kernels = kernels;
        this.team = team;
        long rank = model.lowRank().largest();
        long rows = rank == 0 ? 0 : widest;
        for (int slot = 0; slot < SLOTS; slot++) {
            reduced[slot] = memory.allocate(Math.multiplyExact(4L * batch, rank), 64);
            corrections[slot] = memory.allocate(Math.multiplyExact(4L * batch, rows), 64);
        }
    }

    /**
     * The stage in which z of up to three projections of {@code x} is computed; their slots are 0, 1 and 2. None where
     * none of them has a correction.
     *
     * @param x {@code [tokens][width]}
     */
    void reduce(
            int member,
            MemorySegment x,
            int width,
            int tokens,
            @Nullable LowRank first,
            @Nullable LowRank second,
            @Nullable LowRank third) {
        int a = rank(first);
        int b = a + rank(second);
        int rows = b + rank(third);
        if (rows == 0) {
            return;
        }
        int n = RowShares.rowShares(rows, ROW_UNIT, team.size());
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int begin = share(rows, ROW_UNIT, i, n);
            int end = share(rows, ROW_UNIT, i + 1, n);
            reduce(first, 0, begin, end, x, width, tokens);
            reduce(second, 1, begin - a, end - a, x, width, tokens);
            reduce(third, 2, begin - b, end - b, x, width, tokens);
        }
        team.endStage(member);
    }

    private static int rank(@Nullable LowRank correction) {
        return correction == null ? 0 : correction.rank();
    }

    private void reduce(
            @Nullable LowRank correction, int slot, int begin, int end, MemorySegment x, int width, int tokens) {
        if (correction != null) {
            FloatWeights v = correction.vTransposed();
            int from = Math.max(begin, 0);
            int to = Math.min(end, v.rows());
            if (from < to) {
                kernels.floatMatmul(v, x, width, tokens, from, to, reduced[slot], v.rows());
            }
        }
    }

    /** Adds to rows {@code [from, to)} of the projection's output {@code y}, {@code [tokens][rows]}. */
    void add(LowRank correction, int slot, int tokens, int from, int to, MemorySegment y) {
        FloatWeights u = correction.u();
        MemorySegment sums = corrections[slot];
        kernels.floatMatmul(u, reduced[slot], u.cols(), tokens, from, to, sums, u.rows());
        for (int t = 0; t < tokens; t++) {
            kernels.add(y, sums, (long) t * u.rows() + from, to - from);
        }
    }
}
