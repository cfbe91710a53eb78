package dev.tern.bench;

import dev.tern.ModelOptions;
import dev.tern.Session;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
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
 * One decode step of a whole model, {@code -p file=MODEL.gguf -p layers=0} or small ones, between {@code context}
 * tokens and {@link #STEPS} more. With {@code -prof gc}, the bytes allocated per step must not depend on the number of
 * layers, which is why there are two: the engine allocates nothing that grows with the model. Their 4 and 8 layers of 3
 * MB lie in a last-level cache, where what is done between the products shows most; a model of gigabytes shows the
 * memory. {@code TERN_MAX_TIER} sets the tier.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class DecodeBenchmark {
    static final int STEPS = 512;

    @Param("")
    public String file;

    @Param({"4", "8"})
    public int layers;

    /** A step at 4096 reads 2.5 KiB a layer and position of BitNet-b1.58-2B-4T's cache, 300 MB in all. */
    @Param("0")
    public int context;

    @Param("0")
    public int threads;

    ModelFile opened;
    Session session;
    int[] token;

    @Setup
    public void load() throws IOException {
        opened = new ModelFile(
                file,
                layers,
                ModelOptions.builder().threads(threads).contextLength(context + STEPS).build());
        session = opened.model().session();
        token = new int[] {1};
        if (context > 0) {
            session.feed(new SplittableRandom(1)
                    .ints(context, 0, opened.model().hyperparameters().vocabSize())
                    .toArray());
        }
    }

    @TearDown
    public void delete() throws IOException {
        opened.close();
    }

    @Benchmark
    public MemorySegment step() {
        if (session.position() == context + STEPS) {
            session.rewind(context);
        }
        session.feed(token);
        return session.logits();
    }
}
