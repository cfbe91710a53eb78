package dev.tern.cli;

import dev.tern.ModelInfo;
import dev.tern.ModelOptions;
import dev.tern.kernels.FloatType;
import dev.tern.measure.BenchTest;
import dev.tern.measure.Machine;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineProbe;
import dev.tern.measure.ModelBench;
import dev.tern.model.HeadScreen;
import dev.tern.model.Processors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code tern bench}: prompt processing and generation in tokens a second, as llama-bench measures them ({@link
 * ModelBench}).
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
            "  tern bench -m model.gguf -p 0 -n 64 -pg 512,64 -d 0,1024,4096",
            "  tern bench -m model.gguf --roofline --profile"
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
            converter = Counts.Converter.class,
            defaultValue = "512",
            description = "Tokens of the prompt, one or several numbers or ranges such as 128-2048*2 or 0-4096+1024; 0"
                    + " leaves the test out (default: ${DEFAULT-VALUE}).")
    private List<Counts> prompts = new ArrayList<>();

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            split = ",",
            converter = Counts.Converter.class,
            defaultValue = "128",
            description = "Tokens to generate; 0 leaves the test out (default: ${DEFAULT-VALUE}).")
    private List<Counts> generations = new ArrayList<>();

    @Option(
            names = "-pg",
            paramLabel = "PP,TG",
            converter = Both.Converter.class,
            description = "Also a prompt with tokens generated behind it, as one test; may be given several times.")
    private List<Both> both = new ArrayList<>();

    @Option(
            names = {"-d", "--n-depth"},
            paramLabel = "N",
            split = ",",
            converter = Counts.Converter.class,
            defaultValue = "0",
            description = "Tokens in the context before each test, which are not measured (default: ${DEFAULT-VALUE}).")
    private List<Counts> depths = new ArrayList<>();

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            split = ",",
            converter = Counts.Converter.class,
            description = "Threads that compute, one or several numbers (default: one a physical core).")
    private List<Counts> threads = new ArrayList<>();

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
            split = ",",
            converter = Counts.Converter.class,
            defaultValue = "512",
            description = "Tokens of the prompt processed at once (default: ${DEFAULT-VALUE}).")
    private List<Counts> batches = new ArrayList<>();

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
            names = "--roofline",
            description = "First measures for some seconds how fast this machine reads memory and multiplies bytes;"
                    + " shows what share of that each test reaches.")
    private boolean roofline;

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

    /** A prompt and what is generated behind it. */
    private record Both(int prompt, int generated) {

        static final class Converter implements ITypeConverter<Both> {
            private static final Pattern PAIR = Pattern.compile("(\\d{1,9}),(\\d{1,9})");

            @Override
            public Both convert(String value) {
                Matcher pair = PAIR.matcher(value.strip());
                if (!pair.matches()) {
                    throw new TypeConversionException("expected two numbers such as 512,128, found '" + value + "'");
                }
                return new Both(Integer.parseInt(pair.group(1)), Integer.parseInt(pair.group(2)));
            }
        }
    }

    BenchCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        Usage usage = new Usage(spec);
        usage.atLeast("-r", 1, repetitions);
        List<BenchTest> tests = tests();
        List<Integer> threadCounts = threads.isEmpty()
                ? List.of(Processors.current().threads())
                : usage.atLeast("-t", 1, Counts.all(threads));
        List<Integer> batchSizes = usage.atLeast("-b", 1, Counts.all(batches));
        if (tests.isEmpty()) {
            throw usage.nothingToMeasure(TestLengthOptions.NEITHER);
        }
        BenchReport.ModelFile modelFile = BenchReport.ModelFile.of(file);
        int context = tests.stream().mapToInt(BenchTest::contextLength).reduce(ModelBench.FIRST_CONTEXT, Math::max);
        boolean first = true;
        BenchReport report;
        try (Progress progress = new Progress(terminal, interruption)) {
            report = new BenchReport(modelFile, Build.current(), Machine.current(), limits(threadCounts, progress));
            for (int count : threadCounts) {
                for (int batch : batchSizes) {
                    measure(tests, count, options(count, batch, context), first, report, progress);
                    first = false;
                }
            }
        }
        terminal.out().print(report.text(format));
        return ExitStatus.OK;
    }

    /** In llama-bench's order: prompts, generations, both; each at every depth. */
    private List<BenchTest> tests() {
        Usage usage = new Usage(spec);
        List<Both> lengths = new ArrayList<>();
        usage.atLeast("-p", 0, Counts.all(prompts)).forEach(tokens -> lengths.add(new Both(tokens, 0)));
        usage.atLeast("-n", 0, Counts.all(generations)).forEach(tokens -> lengths.add(new Both(0, tokens)));
        lengths.addAll(both);
        List<Integer> before = usage.atLeast("-d", 0, Counts.all(depths));
        List<BenchTest> tests = new ArrayList<>();
        for (Both length : lengths) {
            if (length.prompt() + length.generated() > 0) {
                before.forEach(depth -> tests.add(test(length.prompt(), length.generated(), depth)));
            }
        }
        return tests;
    }

    private BenchTest test(int prompt, int generated, int depth) {
        try {
            return new BenchTest(prompt, generated, depth);
        } catch (IllegalArgumentException e) {
            throw new Usage(spec).error(e.getMessage());
        }
    }

    /** Measured before a model takes memory. */
    private Optional<MachineLimits> limits(List<Integer> counts, Progress progress) {
        if (!roofline) {
            return Optional.empty();
        }
        MachineProbe.Result result =
                MachineProbe.measure(counts, (what, done, all) -> progress.at(what, done, all, "runs", 1));
        result.notes().forEach(terminal::note);
        return Optional.of(result.limits());
    }

    private ModelOptions options(int count, int batch, int context) {
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
        try {
            return options.build();
        } catch (IllegalArgumentException e) {
            throw new Usage(spec).error(e.getMessage());
        }
    }

    private void measure(
            List<BenchTest> tests,
            int count,
            ModelOptions options,
            boolean first,
            BenchReport report,
            Progress progress) {
        int top = screen == HeadScreen.OFF ? 0 : 1;
        String batch = Counts.all(batches).size() > 1 ? ", batch " + options.batchSize() : "";
        String where = ", " + count + " threads" + batch;
        try (ModelBench bench = ModelBench.load(file, options)) {
            if (first) {
                bench.model().info().notes().forEach(terminal::note);
            }
            BenchReport.Setup setup = setup(bench, options, first);
            for (BenchTest test : tests) {
                report.add(new BenchReport.Test(setup, bench.run(test, top, repetitions, profile, (at, done, all) ->
                        progress.at(at.name() + where, done, all, "runs", 1))));
            }
        }
    }

    private BenchReport.Setup setup(ModelBench bench, ModelOptions options, boolean first) {
        ModelInfo info = bench.model().info();
        ModelBench.Start start = bench.start();
        return new BenchReport.Setup(
                info.threads(),
                options.batchSize(),
                cacheType,
                info.tier().label(),
                info.lut().isPresent(),
                info.layout(),
                layout.asked().isPresent(),
                layout.mapped(),
                pin,
                screen,
                first && !roofline ? start : start.inAWarmProcess(),
                bench.model().tokenWork());
    }
}
