package dev.tern.model;

import dev.tern.kernels.Activations;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.LutTables;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Times a token through the first matrices of a model, in both layouts, with random weights: what decoding spends its time on.
 * The two take turns, since the speed of a shared machine changes from one tenth of a second to the next. Takes a few tenths of a
 * second.
 */
final class LutContest {
    /** Bytes of weights that a token passes through: more than the last-level cache that a virtual machine is given. */
    private static final long WORKING_SET = 96L << 20;

    private static final int ROUNDS = 7;
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
     * Median speeds of decoding.
     *
     * @param lut weights a second through look-up tables
     * @param mad weights a second through multiply-add
     */
    record Result(double lut, double mad) {}

    private LutContest(List<LutShape> shapes, LutKernels lut, Kernels kernels, ThreadTeam team, Arena arena) {
        this.kernels = kernels;
        this.team = team;
        int widest = 0;
        int tallest = 0;
        long bytes = 0;
        SplittableRandom random = new SplittableRandom(1);
        for (LutShape shape : shapes) {
            long rowBytes = TernaryWeights.rowBytes(shape.cols());
            if (bytes > 0 && bytes + shape.rows() * rowBytes > WORKING_SET) {
                break;
            }
            bytes += shape.rows() * rowBytes;
            widest = Math.max(widest, shape.cols());
            tallest = Math.max(tallest, shape.rows());
            // Indices from 0 to 7 and codes 0 and 2 are valid in either layout.
            MemorySegment of = randomBits(arena, shape.packedBytes(), 0x7777_7777_7777_7777L, random);
            MemorySegment codes = randomBits(arena, shape.rows() * rowBytes, 0xAAAA_AAAA_AAAA_AAAAL, random);
            packed.add(LutWeights.of(arena, lut, shape, of, 1));
            plain.add(TernaryWeights.of(arena, codes, shape.rows(), shape.cols(), 1));
        }
        this.activations = Activations.allocate(arena, 1, widest);
        this.tables = LutTables.allocate(arena, 1, widest);
        this.x = arena.allocate(4L * widest, 64);
        this.y = arena.allocate(4L * tallest, 64);
        for (int i = 0; i < widest; i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
    }

    private static MemorySegment randomBits(Arena arena, long bytes, long mask, SplittableRandom random) {
        MemorySegment segment = arena.allocate((bytes + 7) / 8 * 8, 64);
        for (long at = 0; at < segment.byteSize(); at += 8) {
            segment.set(ValueLayout.JAVA_LONG, at, random.nextLong() & mask);
        }
        return segment;
    }

    /**
     * Measures.
     *
     * @param shapes of the model's matrices in the order of a token; at least one
     * @param lut kernels that have all of them
     */
    static Result measure(List<LutShape> shapes, LutKernels lut, Kernels kernels, ThreadTeam team) {
        try (Arena arena = Arena.ofShared()) {
            return new LutContest(shapes, lut, kernels, team, arena).run();
        }
    }

    private Result run() {
        double weights = plain.stream().mapToDouble(w -> (double) w.rows() * w.cols()).sum();
        double[] lutSeconds = new double[ROUNDS];
        double[] madSeconds = new double[ROUNDS];
        tokens(true, WARM_UP_SECONDS); // the code around the kernels is compiled meanwhile
        tokens(false, WARM_UP_SECONDS);
        for (int round = 0; round < ROUNDS; round++) {
            lutSeconds[round] = tokens(true, ROUND_SECONDS);
            madSeconds[round] = tokens(false, ROUND_SECONDS);
        }
        Arrays.sort(lutSeconds);
        Arrays.sort(madSeconds);
        return new Result(weights / lutSeconds[ROUNDS / 2], weights / madSeconds[ROUNDS / 2]);
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
        int unit = RowShares.rowUnit(w, team.size());
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
