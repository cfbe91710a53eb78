package dev.tern.bench;

import dev.tern.sampling.Sampler;
import dev.tern.sampling.SamplingOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
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
 * Choosing a token from the logits of a whole vocabulary: that of BitNet-b1.58-2B-4T and that of BitNet 3B. Logits are
 * normal numbers of deviation 3 and some that stand out, new ones each time: 32 rows of 128,256 are 16 MB, so that a
 * row is not in the L2 cache, as one that the head's threads have just written is not in the sampler's.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SamplerBenchmark {
    private static final int ROWS = 32;

    /** What chooses. */
    public enum Chain {
        /** Temperature 0. */
        GREEDY,
        /** The default chain: top-k 40, top-p, min-p, temperature. */
        DEFAULT,
        /** No filter before top-p, which then looks at all. */
        TOP_P,
        /** The default with the penalties and DRY, which need all logits. */
        PENALTIES
    }

    @Param({"128256", "32002"})
    public int vocabulary;

    @Param({"GREEDY", "DEFAULT", "TOP_P", "PENALTIES"})
    public Chain chain;

    MemorySegment[] logits;
    int last;
    private final Arena arena = Arena.ofConfined();
    private Sampler sampler;

    @Setup
    public void fill() {
        SplittableRandom random = new SplittableRandom(1);
        logits = new MemorySegment[ROWS];
        for (int row = 0; row < ROWS; row++) {
            logits[row] = arena.allocate(4L * vocabulary, 64);
            for (int i = 0; i < vocabulary; i++) {
                logits[row].setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian(0, 3));
            }
            for (int i = 0; i < 8; i++) {
                logits[row].setAtIndex(ValueLayout.JAVA_FLOAT, random.nextInt(vocabulary), 15 + i * 0.5f);
            }
        }
        sampler = new Sampler(options(), vocabulary, 1);
        last = ROWS - 1;
    }

    private SamplingOptions options() {
        return switch (chain) {
            case GREEDY -> SamplingOptions.greedy();
            case DEFAULT -> SamplingOptions.builder().build();
            case TOP_P -> SamplingOptions.builder().topK(0).topP(0.9).build();
            case PENALTIES -> SamplingOptions.builder()
                    .repeatPenalty(1.1)
                    .presencePenalty(0.5)
                    .dryMultiplier(0.8)
                    .dryPenaltyLastN(1024)
                    .build();
        };
    }

    @TearDown
    public void free() {
        arena.close();
    }

    @Benchmark
    public int sample() {
        last = (last + 1) % ROWS;
        int id = sampler.sample(logits[last]);
        sampler.accept(id);
        return id;
    }
}
