package dev.tern.measure;

import dev.tern.DraftOptions;
import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.Session;
import dev.tern.model.PassProfile;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Measures a model as llama-bench does: a prompt of random tokens processed in batches; random tokens fed one at a
 * time, without sampling; each after a run that warms up caches, clocks and the JVM's compiler. Its load is measured,
 * too, and its first token. For one thread at a time.
 */
public final class ModelBench implements AutoCloseable {
    /** Tokens of the prompt to which the first token is measured. */
    public static final int FIRST_PROMPT = 16;

    /** Context that a model needs for that. */
    public static final int FIRST_CONTEXT = FIRST_PROMPT + 1;

    private final Model model;
    private final Start start;
    private final Session session;

    /**
     * How a model started. In a process that has done nothing before it is what a user waits for; later loads find a
     * warm JVM.
     *
     * @param loadNanos from opening the file to a model that can be asked
     * @param firstTokenNanos from there to the first token after a prompt of {@link #FIRST_PROMPT} tokens
     * @param processNanos from the start of the process to that token, in hundredths of a second (Linux)
     * @param peakForgotten whether {@link BenchResult#peakBytes} counts from this load
     */
    public record Start(long loadNanos, long firstTokenNanos, OptionalLong processNanos, boolean peakForgotten) {
        /** As of a process that had done other things before, whose age says nothing. */
        public Start inAWarmProcess() {
            return new Start(loadNanos, firstTokenNanos, OptionalLong.empty(), peakForgotten);
        }
    }

    /** Hears how far a test is; may throw to end it. */
    @FunctionalInterface
    public interface Watch {
        /**
         * Called between runs and between generated tokens, at the expense of the test.
         *
         * @param done runs that are over, the one that warms up included
         * @param all runs
         */
        void at(BenchTest test, int done, int all);
    }

    private ModelBench(Model model, Start start, Session session) {
        this.model = model;
        this.start = start;
        this.session = session;
    }

    /**
     * Loads a model and generates a first token.
     *
     * @param options with a context of {@link #FIRST_CONTEXT} tokens or more, and of {@link BenchTest#contextLength}
     * @throws dev.tern.io.InputException as {@link Model#load(Path, ModelOptions)}
     */
    public static ModelBench load(Path file, ModelOptions options) {
        boolean forgotten = ThisProcess.forgetPeak();
        long begin = System.nanoTime();
        Model model = Model.load(file, options);
        try {
            long loaded = System.nanoTime();
            firstToken(model);
            long first = System.nanoTime();
            Start start = new Start(loaded - begin, first - loaded, ThisProcess.ageNanos(), forgotten);
            return new ModelBench(model, start, model.session());
        } catch (Throwable thrown) {
            model.close();
            throw thrown;
        }
    }

    private static void firstToken(Model model) {
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(1)
                .temperature(0)
                .ignoreEos(true)
                .draft(DraftOptions.off())
                .build();
        try (Generation generation = model.generate(ids(model, FIRST_PROMPT), options)) {
            generation.iterator().next();
        }
    }

    /** What is measured; closed with this. */
    public Model model() {
        return model;
    }

    public Start start() {
        return start;
    }

    /**
     * Runs a test.
     *
     * @param top how many of the largest logits of a generated token matter, 0 for all: see {@link Session#feedLargest}
     * @param repetitions measured runs, at least one
     * @param profiled whether to measure in one further run what its passes spend their time on
     * @throws dev.tern.io.InputException when the context is too small for it
     */
    public BenchResult run(BenchTest test, int top, int repetitions, boolean profiled, Watch watch) {
        int[] ids = ids(model, test.contextLength());
        Instant time = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        int all = repetitions + (profiled ? 2 : 1);
        watch.at(test, 0, all);
        session.rewind(0);
        int batch = model.info().batchSize();
        for (int from = 0; from < test.depth(); from += batch) {
            session.feed(Arrays.copyOfRange(ids, from, Math.min(test.depth(), from + batch)));
            watch.at(test, 0, all);
        }
        feed(test, ids, top, watch, 0, all);
        long[] nanos = new long[repetitions];
        for (int run = 0; run < repetitions; run++) {
            watch.at(test, run + 1, all);
            session.rewind(test.depth());
            long begin = System.nanoTime();
            feed(test, ids, top, watch, run + 1, all);
            nanos[run] = System.nanoTime() - begin;
        }
        Optional<PassProfile> profile = Optional.empty();
        if (profiled) {
            watch.at(test, all - 1, all);
            session.rewind(test.depth());
            profile = Optional.of(model.profile(() -> feed(test, ids, top, watch, all - 1, all)));
        }
        Samples samples = new Samples(nanos, test.tokens());
        return new BenchResult(test, model.info().threads(), time, samples, ThisProcess.peakBytes(), profile);
    }

    private void feed(BenchTest test, int[] ids, int top, Watch watch, int done, int all) {
        int generatedFrom = test.depth() + test.prompt();
        if (test.prompt() > 0) {
            session.feed(Arrays.copyOfRange(ids, test.depth(), generatedFrom));
        }
        int[] one = new int[1];
        for (int i = generatedFrom; i < ids.length; i++) {
            watch.at(test, done, all);
            one[0] = ids[i];
            session.feedLargest(top, one);
        }
    }

    /** The same for every model of this vocabulary. */
    private static int[] ids(Model model, int count) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(42);
        return random.ints(count, 0, model.hyperparameters().vocabSize()).toArray();
    }

    /** Closes the model. */
    @Override
    public void close() {
        model.close();
    }
}
