package dev.tern.bench;

import dev.tern.ModelOptions;
import dev.tern.Session;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
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
 * A prompt read by a whole model, {@code -p file=MODEL.gguf} or a small one of {@code layers}, from the first token on,
 * with the logits of the last. 128 tokens are one pass of a kernel's full tiles; 512 are the largest pass, whose
 * activations no longer fit an L2 cache; 1024 are two, of which the second attends to all of the first. {@code tokens}
 * is their number a second. {@code TERN_MAX_TIER} sets the tier.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class PrefillBenchmark {
    @Param("")
    public String file;

    @Param("4")
    public int layers;

    @Param({"128", "512", "1024"})
    public int prompt;

    @Param("0")
    public int threads;

    /** Tokens of an iteration. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Tokens {
        public long tokens;
    }

    ModelFile opened;
    Session session;
    int[] ids;

    @Setup
    public void load() throws IOException {
        opened = new ModelFile(
                file,
                layers,
                ModelOptions.builder().threads(threads).contextLength(prompt).build());
        session = opened.model().session();
        ids = new SplittableRandom(1)
                .ints(prompt, 0, opened.model().hyperparameters().vocabSize())
                .toArray();
    }

    @TearDown
    public void delete() throws IOException {
        opened.close();
    }

    @Benchmark
    public int feed(Tokens count) {
        session.rewind(0);
        session.feed(ids);
        count.tokens += ids.length;
        return session.position();
    }
}
