package dev.tern.model;

import dev.tern.kernels.Activations;
import dev.tern.kernels.HugePages;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutTables;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Times a token through the first matrices of a model, as they lie in the file and repacked into the layout that is
 * multiplied: what decoding spends its time on.
 * The two take turns, since the speed of a shared machine changes from one tenth of a second to the next. Takes a few tenths of a
 * second.
 */
final class LutContest {
    /** Bytes of weights that a token passes through: more than the last-level cache that a virtual machine is given. */
    private static final long WORKING_SET = 96L << 20;

    private static final int ROUNDS = 20;
    private static final double ROUND_SECONDS = 0.01;
    private static final double WARM_UP_SECONDS = 0.1;

    private final Kernels kernels;
    private final ThreadTeam team;
    private final List<LutWeights> packed = new ArrayList<>();
    private final List<TernaryWeights> plain = new ArrayList<>();
    private final Activations activations;
    private final LutTables tables;
    private final MemorySegment x;
    private final MemorySegment y;

    /**
     * Speeds of decoding in the best round: what the machine does when nothing else is at work, such as the JIT, which in the
     * first second of a process is.
     *
     * @param lut weights a second through look-up tables
     * @param mad weights a second through multiply-add
     */
    record Result(double lut, double mad) {}

    private LutContest(
            List<LutWeights> weights, Kernels kernels, LayoutChoice layouts, ThreadTeam team, Arena arena) {
        this.kernels = kernels;
        this.team = team;
        int widest = 0;
        int tallest = 0;
        long bytes = 0;
        for (LutWeights w : weights) {
            long codeBytes = w.rows() * TernaryWeights.rowBytes(w.cols());
            if (bytes > 0 && bytes + codeBytes > WORKING_SET) {
                break;
            }
            bytes += codeBytes;
            widest = Math.max(widest, w.cols());
            tallest = Math.max(tallest, w.rows());
            packed.add(w);
            plain.add(repacked(w, layouts.of(w.cols(), false), arena));
        }
        this.activations = Activations.allocate(arena, 1, widest);
        this.tables = LutTables.allocate(arena, 1, widest);
        this.x = arena.allocate(4L * widest, 64);
        this.y = arena.allocate(4L * tallest, 64);
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < widest; i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
    }

    private TernaryWeights repacked(LutWeights w, TernaryLayout layout, Arena arena) {
        long codeBytes = w.rows() * TernaryWeights.rowBytes(w.cols());
        if (layout == TernaryLayout.ROWS) {
            MemorySegment codes = HugePages.allocate(arena, codeBytes);
            w.kernels().unpack(w, 0, w.rows(), codes);
            return TernaryWeights.of(arena, codes, w.rows(), w.cols(), 1);
        }
        MemorySegment codes = HugePages.allocate(arena, layout.bytes(w.rows(), w.cols()));
        TernaryWeights panels = TernaryWeights.of(arena, codes, w.rows(), w.cols(), 1, layout);
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment rows = scratch.allocate(codeBytes, 64);
            w.kernels().unpack(w, 0, w.rows(), rows);
            kernels.ternaryPack(rows, 0, w.rows(), panels);
        }
        return panels;
    }

    /**
     * Measures.
     *
     * @param weights the model's matrices in the order of a token, as they lie; at least one
     * @param layouts in which the kernels multiply
     */
    static Result measure(List<LutWeights> weights, Kernels kernels, LayoutChoice layouts, ThreadTeam team) {
        try (Arena arena = Arena.ofShared()) {
            return new LutContest(weights, kernels, layouts, team, arena).run();
        }
    }

    private Result run() {
        double weights = plain.stream().mapToDouble(w -> (double) w.rows() * w.cols()).sum();
        tokens(true, WARM_UP_SECONDS); // the code around the kernels is compiled meanwhile
        tokens(false, WARM_UP_SECONDS);
        double lut = Double.MAX_VALUE;
        double mad = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            lut = Math.min(lut, tokens(true, ROUND_SECONDS));
            mad = Math.min(mad, tokens(false, ROUND_SECONDS));
        }
        return new Result(weights / lut, weights / mad);
    }

    /** Seconds of one token, on average over as many as fit the time; one at least. */
    private double tokens(boolean lut, double atLeast) {
        long start = System.nanoTime();
        for (int n = 1; ; n++) {
            team.run(member -> {
                for (int i = 0; i < plain.size(); i++) {
                    matrix(member, lut, packed.get(i), plain.get(i));
                }
            });
            double seconds = (System.nanoTime() - start) * 1e-9;
            if (seconds >= atLeast) {
                return seconds / n;
            }
        }
    }

    private void matrix(int member, boolean lut, LutWeights w, TernaryWeights codes) {
        for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
            kernels.quantize(x, w.cols(), w.cols(), 0, 1, activations);
            if (lut) {
                w.kernels().buildTables(w.shape().format(), activations, 0, 1, tables);
            }
        }
        team.endStage(member);
        int unit = RowShares.rowUnit(lut ? w : codes, team.size()); // as the forward pass deals out either
        int n = RowShares.rowShares(w.rows(), unit, team.size());
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int from = RowShares.share(w.rows(), unit, i, n);
            int to = RowShares.share(w.rows(), unit, i + 1, n);
            if (from < to && lut) {
                w.kernels().matmul(w, activations, tables, 1, from, to, y, w.rows());
            } else if (from < to) {
                kernels.ternaryMatmul(codes, activations, 1, from, to, y, w.rows());
            }
        }
        team.endStage(member);
    }
}
