package dev.tern.bench;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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
 * What drafts cost: a pass over a token and the drafted ones behind it, with logits of all, of the model {@code -p
 * file=MODEL.gguf} or, without one, of a small one. By how much n tokens together are faster than n passes is what
 * drafts that come true can gain at most; what n tokens take more than one is what wrong ones lose.
 * {@code TERN_MAX_TIER} sets the tier.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class DraftBenchmark {
    private static final int PROMPT = 64;

    @Param("")
    public String file;

    @Param({"1", "2", "3", "4", "5", "6", "7", "8", "12", "16"})
    public int tokens;

    @Param("0")
    public int threads;

    SyntheticModel synthetic;
    Model model;
    Session session;
    SplittableRandom random = new SplittableRandom(1);
    int[] draft;

    @Setup
    public void load() throws IOException {
        synthetic = file.isEmpty() ? new SyntheticModel(4) : null;
        model = Model.load(
                synthetic == null ? Path.of(file) : synthetic.file(),
                ModelOptions.builder().threads(threads).contextLength(256).build());
        session = model.session();
        session.feed(ids(PROMPT));
    }

    @Setup(Level.Invocation)
    public void rewind() {
        session.rewind(PROMPT);
        draft = ids(tokens - 1);
    }

    private int[] ids(int count) {
        return random.ints(count, 0, model.hyperparameters().vocabSize()).toArray();
    }

    @TearDown
    public void delete() throws IOException {
        model.close();
        if (synthetic != null) {
            synthetic.close();
        }
    }

    @Benchmark
    public int pass() {
        return session.feedAhead(1, draft, draft.length);
    }
}
