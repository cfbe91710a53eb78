package dev.tern.bench;

import dev.tern.codegen.MatrixShape;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.KernelChoice;
import dev.tern.model.Engine;
import dev.tern.model.FfnActivation;
import dev.tern.model.HeadScreen;
import dev.tern.model.KvCache;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ModelWeights;
import dev.tern.model.ScreenUse;
import dev.tern.model.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The head alone: a model without blocks, whose "embeddings" are {@link SyntheticHead}'s hidden states, evaluated one
 * after the other, with and without a screen. {@code triedShare}, {@code sparedShare} and {@code rowShare} say how often
 * it was tried, how often it spared something, and which part of the rows it then computed.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class HeadBenchmark {
    static final int STATES = 256;

    @Param({"128256x2560"})
    public String shape;

    @Param({"Q6_K", "F16"})
    public FloatType type;

    @Param({"SPECTRUM", "RANDOM"})
    public SyntheticHead.Kind kind;

    @Param({"OFF", "ON"})
    public HeadScreen screen;

    @Param({"1", "40"})
    public int top;

    @Param({"2", "1"})
    public int threads;

    /** Over an iteration. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Spared {
        private double tries;
        private double spared;
        private double rows;
        private double evaluated;
        private int vocabulary;

        @Setup(Level.Iteration)
        public void clear() {
            tries = spared = rows = evaluated = 0;
        }

        /** Tokens that the screen was tried for, of all. */
        public double triedShare() {
            return evaluated == 0 ? 0 : tries / evaluated;
        }

        /** Tokens that had not to read the whole head, of all. */
        public double sparedShare() {
            return evaluated == 0 ? 0 : spared / evaluated;
        }

        /** Rows that such a token computed, of all. */
        public double rowShare() {
            return spared == 0 ? 0 : rows / spared / vocabulary;
        }

        void add(ScreenUse before, ScreenUse after, int rowsOfHead) {
            evaluated++;
            tries += after.tries() - before.tries();
            spared += after.spared() - before.spared();
            rows += after.rows() - before.rows();
            vocabulary = rowsOfHead;
        }
    }

    Engine engine;
    KvCache cache;
    MemorySegment logits;
    int rows;
    private final int[] token = {0};

    @Setup
    public void load() {
        MatrixShape matrix = MatrixShape.parse(shape);
        rows = matrix.rows();
        int cols = matrix.cols();
        Arena arena = Arena.ofAuto();
        SyntheticHead synthetic = new SyntheticHead(kind, rows, cols);
        FloatWeights head = synthetic.head(arena, type);
        FloatWeights states = synthetic.states(arena, STATES);
        MemorySegment ones = arena.allocate(4L * cols, 64);
        for (int c = 0; c < cols; c++) {
            ones.setAtIndex(ValueLayout.JAVA_FLOAT, c, 1);
        }
        ModelHyperparameters model = new ModelHyperparameters(
                "llama", "head", rows, 8, cols, 32, 1, 1, 1, 32, 32, 10_000f, 1e-6f, FfnActivation.SILU, false, false);
        engine = new Engine(
                model,
                new ModelWeights(states, List.of(), ones, head),
                KernelChoice.best().kernels(),
                new ThreadTeam(threads),
                8,
                8,
                FloatType.F16,
                screen,
                () -> {});
        cache = engine.newCache();
        logits = arena.allocate(4L * rows, 64);
    }

    @TearDown
    public void free() {
        cache.close();
        engine.close();
    }

    @Benchmark
    public MemorySegment head(Spared spared) {
        ScreenUse before = engine.screenUse();
        engine.evaluate(cache, 0, token, 0, 1, 0, logits, top);
        spared.add(before, engine.screenUse(), rows);
        token[0] = (token[0] + 1) % STATES;
        return logits;
    }
}
