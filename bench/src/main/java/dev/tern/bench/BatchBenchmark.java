package dev.tern.bench;

import dev.tern.Batch;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.Session;
import dev.tern.model.PassProfile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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
 * Sequences that decode together: a pass over the next token of each, of the model {@code -p file=MODEL.gguf} or,
 * without one, of a small one. {@code tokens} is their number a second, of all together; what it is of one sequence is
 * what the others are to be compared with. Each begins with {@code context} tokens and grows by {@link #STEPS}, then
 * starts over. The model is loaded as a server of {@code slots} does. After a trial the stages of its passes are shown.
 * {@code TERN_MAX_TIER} sets the tier.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 1, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(1)
public class BatchBenchmark {
    private static final int STEPS = 32;
    private static final int PROFILED = 32; // passes

    @Param("")
    public String file;

    @Param({"1", "2", "4", "8", "16"})
    public int sequences;

    /** Sequences that the model is to be quick for: whether there are several decides how weights lie in memory. */
    @Param("8")
    public int slots;

    @Param("64")
    public int context;

    /** How many of the largest logits matter; 0 for all. */
    @Param("0")
    public int top;

    @Param("0")
    public int threads;

    /** Tokens of an iteration. */
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    @State(Scope.Thread)
    public static class Tokens {
        public long tokens;

        @Setup(Level.Iteration)
        public void clear() {
            tokens = 0;
        }
    }

    private SyntheticModel synthetic;
    private Model model;
    private Batch batch;
    private Session[] sessions;
    private final SplittableRandom random = new SplittableRandom(1);
    private final int[] token = new int[1];
    private int vocabulary;

    @Setup
    public void load() throws IOException {
        synthetic = file.isEmpty() ? new SyntheticModel(4) : null;
        model = Model.load(
                synthetic == null ? Path.of(file) : synthetic.file(),
                ModelOptions.builder()
                        .threads(threads)
                        .sequences(slots)
                        .contextLength(context + STEPS)
                        .build());
        batch = model.batch();
        vocabulary = model.hyperparameters().vocabSize();
        sessions = new Session[sequences];
        for (int i = 0; i < sequences; i++) {
            sessions[i] = model.session();
            sessions[i].feed(random.ints(context, 0, vocabulary).toArray());
        }
    }

    @TearDown
    public void delete() throws IOException {
        System.out.println(stages());
        model.close();
        if (synthetic != null) {
            synthetic.close();
        }
    }

    @Benchmark
    public int step(Tokens count) {
        count.tokens += sequences;
        return step();
    }

    private int step() {
        for (Session session : sessions) {
            if (session.position() == context + STEPS) {
                session.rewind(context);
            }
            token[0] = random.nextInt(vocabulary);
            batch.add(session, top, token, 0, 1, true);
        }
        batch.run();
        return sessions[0].position();
    }

    /** What a pass spends its time on. */
    String stages() {
        PassProfile profile = model.profile(() -> {
            for (int i = 0; i < PROFILED; i++) {
                step();
            }
        });
        return profile.stages().stream()
                .map(entry -> String.format(
                        Locale.ROOT, "%s %.2f", entry.stage(), entry.nanos() / 1e6 / profile.passes()))
                .collect(Collectors.joining(", ", "stages of a pass, ms: ", ""));
    }
}
