package dev.tern.cli;

import dev.tern.Model;
import dev.tern.ModelInfo;
import dev.tern.ModelOptions;
import dev.tern.Session;
import dev.tern.kernels.FloatType;
import dev.tern.measure.Machine;
import dev.tern.measure.Samples;
import dev.tern.model.HeadScreen;
import dev.tern.model.PassProfile;
import dev.tern.model.Processors;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code tern bench}: prompt processing and generation in tokens a second, as llama-bench measures them: a prompt of
 * random tokens processed in batches; random tokens fed one at a time, without sampling; each after a warm-up run, each
 * from an empty context.
 */
@Command(
        name = "bench",
        description = "Measures prompt processing (pp) and generation (tg) in tokens a second, as llama-bench does.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = {
            "  tern bench -m model.gguf -p 512 -n 128 -t 1,2 -o json",
            "  tern bench -m model.gguf --profile"
        })
final class BenchCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Option(
            names = {"-m", "--model"},
            required = true,
            paramLabel = "F.gguf",
            description = "The model.")
    private Path file = Path.of("");

    @Option(
            names = {"-p", "--n-prompt"},
            paramLabel = "N",
            split = ",",
            defaultValue = "512",
            description = "Tokens of the prompt; 0 leaves the test out (default: ${DEFAULT-VALUE}).")
    private List<Integer> prompts = new ArrayList<>();

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            split = ",",
            defaultValue = "128",
            description = "Tokens to generate; 0 leaves the test out (default: ${DEFAULT-VALUE}).")
    private List<Integer> generations = new ArrayList<>();

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            split = ",",
            description = "Threads that compute, one or several numbers (default: one a physical core).")
    private List<Integer> threads = new ArrayList<>();

    @Option(
            names = "--pin",
            description = "Bind each thread to a processor of its own, physical cores first (Linux).")
    private boolean pin;

    @Option(
            names = {"-r", "--repetitions"},
            paramLabel = "N",
            defaultValue = "5",
            description = "Measured runs of each test, after one to warm up (default: ${DEFAULT-VALUE}).")
    private int repetitions;

    @Option(
            names = {"-b", "--batch-size"},
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of the prompt processed at once (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--cache-type",
            paramLabel = "f16|f32|q8_0",
            converter = CacheTypeConverter.class,
            defaultValue = "f16",
            description = "Numbers of the KV cache (default: ${DEFAULT-VALUE}).")
    private FloatType cacheType = FloatType.F16;

    @Option(
            names = "--profile",
            description = "Also shows what each test's time goes to, stage by stage, in one further run.")
    private boolean profile;

    @Option(
            names = "--screen",
            paramLabel = "auto|on|off",
            defaultValue = "off",
            description = "Measure generation by the most likely token alone, with a screen of the head or, with off,"
                    + " by all logits (default: ${DEFAULT-VALUE}).")
    private HeadScreen screen = HeadScreen.OFF;

    @Mixin
    private KernelFamilyOptions kernels = new KernelFamilyOptions();

    @Mixin
    private LayoutOptions layout = new LayoutOptions();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "md|json|csv",
            defaultValue = "md",
            description = "How to print the results; json has llama-bench's fields (default: ${DEFAULT-VALUE}).")
    private BenchReport.Format format = BenchReport.Format.md;

    BenchCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        requireAtLeast("-p", 0, prompts);
        requireAtLeast("-n", 0, generations);
        requireAtLeast("-t", 1, threads);
        requireAtLeast("-r", 1, List.of(repetitions));
        requireAtLeast("-b", 1, List.of(batch));
        if (Collections.max(prompts) == 0 && Collections.max(generations) == 0) {
            throw new ParameterException(spec.commandLine(), "-p 0 -n 0 leaves nothing to measure");
        }
        if (threads.isEmpty()) {
            threads = List.of(Processors.current().threads());
        }
        BenchReport report = new BenchReport(BenchReport.ModelFile.of(file), Build.current(), Machine.current());
        int context = 1;
        for (int tokens : prompts) {
            context = Math.max(context, tokens);
        }
        for (int tokens : generations) {
            context = Math.max(context, tokens);
        }
        boolean first = true;
        try (Progress progress = new Progress(terminal, interruption)) {
            for (int count : threads) {
                ModelOptions.Builder options = ModelOptions.builder()
                        .threads(count)
                        .pin(pin)
                        .contextLength(context)
                        .cacheType(cacheType)
                        .batchSize(batch)
                        .screen(screen)
                        .requireNative(terminal.requireNative());
                kernels.applyTo(options, terminal);
                layout.applyTo(options);
                try (Model model = Model.load(file, built(options))) {
                    if (first) {
                        model.info().notes().forEach(terminal::note);
                        first = false;
                    }
                    measure(model, setup(model, count), report, progress);
                }
            }
        }
        terminal.out().print(report.text(format));
        return ExitStatus.OK;
    }

    private ModelOptions built(ModelOptions.Builder options) {
        try {
            return options.build();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    private BenchReport.Setup setup(Model model, int count) {
        ModelInfo info = model.info();
        String tier = info.tier().label() + (info.lut().isPresent() ? " lut" : "");
        boolean asked = layout.asked().isPresent();
        return new BenchReport.Setup(
                count, batch, cacheType, tier, info.layout(), asked, layout.mapped(), pin, screen);
    }

    private void measure(Model model, BenchReport.Setup setup, BenchReport report, Progress progress) {
        try (Session session = model.session()) {
            for (int tokens : prompts) {
                if (tokens > 0) {
                    report.add(test(session, model, setup, tokens, 0, progress));
                }
            }
            for (int tokens : generations) {
                if (tokens > 0) {
                    report.add(test(session, model, setup, 0, tokens, progress));
                }
            }
        }
    }

    private BenchReport.Test test(
            Session session, Model model, BenchReport.Setup setup, int prompt, int generated, Progress progress) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(42);
        int vocabulary = model.hyperparameters().vocabSize();
        int[] ids = random.ints(Math.max(prompt, generated), 0, vocabulary).toArray();
        String name = (prompt > 0 ? "pp" + prompt : "tg" + generated) + ", " + setup.threads() + " threads";
        Instant time = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        long[] nanos = new long[repetitions];
        long runs = repetitions + (profile ? 2L : 1L);
        for (int run = -1; run < repetitions; run++) { // -1: warms up caches, clocks and the JIT
            progress.at(name, run + 1L, runs, "runs", 1);
            session.rewind(0);
            long start = System.nanoTime();
            feed(session, ids, prompt > 0);
            if (run >= 0) {
                nanos[run] = System.nanoTime() - start;
            }
        }
        PassProfile stages = null;
        if (profile) {
            progress.at(name, repetitions + 1L, runs, "runs", 1);
            session.rewind(0);
            stages = model.profile(() -> feed(session, ids, prompt > 0));
        }
        return new BenchReport.Test(prompt, generated, setup, time, new Samples(nanos, ids.length), stages);
    }

    private void feed(Session session, int[] ids, boolean atOnce) {
        if (atOnce) {
            session.feed(ids);
        } else {
            int[] one = new int[1];
            for (int id : ids) {
                interruption.check();
                one[0] = id;
                session.feedLargest(screen == HeadScreen.OFF ? 0 : 1, one);
            }
        }
    }

    private void requireAtLeast(String option, int least, List<Integer> values) {
        for (int value : values) {
            if (value < least) {
                throw new ParameterException(
                        spec.commandLine(),
                        "Invalid value for option '" + option + "': expected at least " + least + ", found " + value);
            }
        }
    }
}
