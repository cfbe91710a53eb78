package dev.tern.tune;

import dev.tern.codegen.PlannedKernel;
import dev.tern.kernels.Activations;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.LutTables;
import dev.tern.kernels.LutWeights;
import dev.tern.lut.LutSource;
import dev.tern.model.RowShares;
import dev.tern.model.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;

/**
 * Times the tiles of one shape against each other. They take turns, sample by sample, since the speed of a shared
 * machine changes from one tenth of a second to the next; whose turn comes first moves on by one each round. Every
 * sample computes the next matrices of one ring that is larger than the last cache, so that decoding reads from memory,
 * and all tiles read the same bytes: indices from 0 to 7 are valid in every layout.
 *
 * <p>Tables are built beforehand and not timed: they are the same for all tiles.
 */
final class TileTimer {
    /** Bytes of the ring: more than the last-level cache that a virtual machine is given. */
    private static final long RING = 96L << 20;

    /** Matrices of the ring at most; those of tiny shapes stay in a cache, as they do in tiny models. */
    private static final int MOST_MATRICES = 1024;

    /** A sample is as many matrices as take about so long. */
    private static final double SAMPLE_SECONDS = 0.005;

    private static final int MOST_ROUNDS = 31;

    private final ThreadTeam team;
    private final List<PlannedKernel> tiles;
    private final LutWeights[][] matrices; // by tile, then by place in the ring
    private final Activations activations;
    private final LutTables tables;
    private final MemorySegment y;
    private int place;

    /** @param tiles of one format and shape, each of which {@code lut} has */
    TileTimer(Arena arena, List<PlannedKernel> tiles, LutKernels lut, Kernels kernels, ThreadTeam team, int tokens) {
        this.team = team;
        this.tiles = tiles;
        int rows = tiles.getFirst().shape().rows();
        int cols = tiles.getFirst().shape().cols();
        List<LutShape> shapes = tiles.stream().map(LutSource::shape).toList();
        long bytes = shapes.stream().mapToLong(LutShape::packedBytes).max().orElseThrow();
        long step = (bytes + 63) / 64 * 64;
        int count = (int) Math.clamp(RING / step, 1, MOST_MATRICES);
        MemorySegment ring = arena.allocate(count * step, 64);
        SplittableRandom random = new SplittableRandom(1);
        for (long at = 0; at < ring.byteSize(); at += 8) {
            ring.set(ValueLayout.JAVA_LONG, at, random.nextLong() & 0x7777_7777_7777_7777L);
        }
        matrices = new LutWeights[tiles.size()][count];
        for (int tile = 0; tile < matrices.length; tile++) {
            for (int i = 0; i < count; i++) {
                matrices[tile][i] = LutWeights.of(arena, lut, shapes.get(tile), ring.asSlice(i * step, step), 1);
            }
        }
        MemorySegment x = arena.allocate(4L * tokens * cols, 64);
        for (long i = 0; i < (long) tokens * cols; i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
        activations = Activations.allocate(arena, tokens, cols);
        kernels.quantize(x, cols, cols, 0, tokens, activations);
        tables = LutTables.allocate(arena, tokens, cols);
        lut.buildTables(shapes.getFirst().format(), activations, 0, tokens, tables);
        y = arena.allocate(4L * tokens * rows, 64);
    }

    /**
     * Medians over the rounds. The first round warms up and counts only when there is time for no other.
     *
     * @param deadline of {@link System#nanoTime}: no round begins after it but the first
     * @param share hears which share of the work is done, after every sample
     */
    List<TimedTile> measure(long deadline, DoubleConsumer share) {
        int tokens = activations.tokens();
        long begin = System.nanoTime();
        int decoded = matricesOfASample(1);
        int filled = matricesOfASample(tokens);
        int n = tiles.size();
        List<double[]> decode = new ArrayList<>();
        List<double[]> prefill = new ArrayList<>();
        do {
            double[] one = new double[n];
            double[] many = new double[n];
            for (int i = 0; i < n; i++) {
                int tile = (decode.size() + i) % n;
                one[tile] = sample(tile, decoded, 1);
                many[tile] = sample(tile, filled, tokens);
                double time = (System.nanoTime() - begin) / (double) Math.max(1, deadline - begin);
                share.accept(Math.min(1, Math.max(time, (decode.size() + (i + 1.0) / n) / MOST_ROUNDS)));
            }
            decode.add(one);
            prefill.add(many);
        } while (decode.size() < MOST_ROUNDS && System.nanoTime() - deadline < 0);
        double weights = tiles.getFirst().shape().weights();
        List<TimedTile> timed = new ArrayList<>();
        for (int tile = 0; tile < n; tile++) {
            timed.add(new TimedTile(
                    tiles.get(tile).tile(),
                    weights * decoded / median(decode, tile),
                    weights * filled * tokens / median(prefill, tile)));
        }
        return timed;
    }

    private int matricesOfASample(int tokens) {
        sample(0, 1, tokens);
        return (int) Math.clamp(SAMPLE_SECONDS / sample(0, 1, tokens), 1, matrices[0].length);
    }

    private static double median(List<double[]> rounds, int tile) {
        double[] seconds = rounds.stream()
                .skip(rounds.size() > 1 ? 1 : 0)
                .mapToDouble(round -> round[tile])
                .sorted()
                .toArray();
        return seconds[seconds.length / 2];
    }

    /** Seconds that so many matrices take. */
    private double sample(int tile, int count, int tokens) {
        LutWeights[] ring = matrices[tile];
        int first = place;
        place = (place + count) % ring.length;
        long start = System.nanoTime();
        team.run(member -> {
            for (int i = 0; i < count; i++) {
                multiply(member, ring[(first + i) % ring.length], tokens);
            }
        });
        return Math.max(1, System.nanoTime() - start) * 1e-9;
    }

    private void multiply(int member, LutWeights w, int tokens) {
        int unit = RowShares.rowUnit(w, team.size());
        int n = RowShares.rowShares(w.rows(), unit, team.size());
        for (int i; (i = team.claim(member, n)) >= 0; team.complete(n)) {
            int from = RowShares.share(w.rows(), unit, i, n);
            int to = RowShares.share(w.rows(), unit, i + 1, n);
            if (from < to) {
                w.kernels().matmul(w, activations, tables, tokens, from, to, y, w.rows());
            }
        }
        team.endStage(member);
    }
}
