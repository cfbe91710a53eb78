package dev.tern.cli;

import dev.tern.gguf.GgmlType;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.measure.Machine;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.Origin;
import dev.tern.measure.formats.FormatsInTurns;
import dev.tern.measure.formats.FormatsRequest;
import dev.tern.measure.rivals.Rivals;
import dev.tern.model.Processors;
import dev.tern.source.FetchOptions;
import dev.tern.source.ModelSource;
import dev.tern.ternary.Outtype;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tern compare}: which format for this model on this machine. */
@Command(
        name = "compare",
        description = "Measures the formats of a model on this machine: converts a checkpoint to each and proves it"
                + " lossless, holds its predictions of a text against the checkpoint's own, and lets all take turns:"
                + " size, load, first token, prefill, decode, memory. Prints a table; -o writes a report. Exit status 1"
                + " when something that was asked for could not be measured.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern compare hf://microsoft/bitnet-b1.58-2B-4T-bf16 -o report.html",
            "  tern compare checkpoint/ --outtypes tq1_0,i2_s,tl2 -t 1,2,4 -r 5 -o report.md -o report.json",
            "  tern compare checkpoint/ --text mine.txt --quality-tokens 4096 -p 0 -n 0"
        })
final class CompareCommand implements Callable<Integer> {
    /** Ctrl-C waits for a load to end, and for gigabytes to be removed. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Parameters(paramLabel = "CHECKPOINT", description = SourceOptions.ADDRESSES)
    private String checkpoint = "";

    @Mixin
    private SourceOptions sources = new SourceOptions();

    @Option(
            names = "--outtypes",
            paramLabel = "TYPE",
            split = ",",
            description = "Formats to compare, in this order: tq1_0, tq2_0, i2_s, tl1, tl2, q2_k, q4_0, q8_0, f16,"
                    + " bf16, f32 (default: all that the model's dimensions allow).")
    private List<String> outtypes = new ArrayList<>();

    @Option(
            names = "--embedding-type",
            paramLabel = "TYPE",
            defaultValue = "f16",
            converter = EmbeddingTypeConverter.class,
            description = EmbeddingTypeConverter.DESCRIPTION + "${DEFAULT-VALUE}).")
    private GgmlType embeddingType = GgmlType.F16;

    @Option(
            names = "--arch",
            paramLabel = "NAME",
            defaultValue = "auto",
            description = "Architecture of the files, as convert has it: llama.cpp among the rivals reads bitnet alone"
                    + " (default: ${DEFAULT-VALUE}, as the checkpoint says).")
    private String architecture = "auto";

    @Mixin
    private TestLengthOptions lengths = new TestLengthOptions();

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            split = ",",
            description = "Numbers of threads (default: 1, and one a physical core).")
    private List<Integer> threads = new ArrayList<>();

    @Option(
            names = {"-r", "--rounds"},
            paramLabel = "N",
            defaultValue = "3",
            description = "Rounds, in each of which every format has one turn (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Text for quality, UTF-8; - is standard input (default: fables of Aesop).")
    private @Nullable Path text;

    @Option(
            names = "--quality-tokens",
            paramLabel = "N",
            defaultValue = "1024",
            description = "Tokens of the text to predict at most; 0 leaves quality out (default: ${DEFAULT-VALUE}).")
    private int qualityTokens;

    @Option(
            names = "--no-roofline",
            description = "Leave out what the machine could do at most: its read bandwidth and its peak of products.")
    private boolean noRoofline;

    @Option(
            names = "--rivals",
            paramLabel = "FILE",
            description = "Other engines that take turns with the formats, as bench/rivals/README.md describes them;"
                    + " one that is not there is skipped.")
    private @Nullable Path rivals;

    @Option(
            names = "--keep",
            paramLabel = "DIR",
            description = "Make the files in this folder, a new or an empty one, and leave them there (default: a"
                    + " folder in Tern's cache, removed at the end).")
    private @Nullable Path keep;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Write a report: .html, .md or .json, by its name's end; may be given several times.")
    private List<Path> outputs = new ArrayList<>();

    @Option(names = "--json", description = "Print the report's JSON instead of a table.")
    private boolean json;

    CompareCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        List<Outtype> types = outtypes.stream().map(this::outtype).distinct().toList();
        Usage usage = new Usage(spec);
        lengths.check();
        usage.atLeast("-t", 1, threads);
        usage.atLeast("-r", 1, rounds);
        usage.atLeast("--quality-tokens", 0, qualityTokens);
        if (lengths.neither() && qualityTokens == 0) {
            throw usage.nothingToMeasure(TestLengthOptions.NEITHER + " --quality-tokens 0");
        }
        for (Path output : outputs) {
            ReportFormat.of(output).orElseThrow(() -> usage.error("Invalid value for option '-o': expected a name that"
                    + " ends in .html, .md or .json, found " + output));
            AtomicFile.create(output, true).close(); // finds out in time whether it can be written
        }
        if (terminal.requireNative()) {
            KernelChoice.requireNative(); // not after a download
        }
        interruption.patience(PATIENCE);
        Optional<FormatsRequest.Text> sample = text();
        ModelSource source = ModelSource.parse(checkpoint);
        Path local = sources.fetch(source, FetchOptions.builder(), terminal, interruption).path();
        FormatsRequest request = new FormatsRequest(
                local,
                checkpoint,
                source.name(),
                types,
                embeddingType,
                architecture,
                lengths.prompt(),
                lengths.generated(),
                threads(),
                rounds,
                !noRoofline,
                Optional.ofNullable(rivals).map(Rivals::read),
                sample,
                Optional.ofNullable(keep));
        FormatsInTurns.Outcome outcome;
        try (ComparisonSurroundings surroundings = new ComparisonSurroundings(terminal, interruption)) {
            outcome = new FormatsInTurns(request, surroundings).run(origin());
        }
        report(outcome.comparison());
        return outcome.complete() ? ExitStatus.OK : ExitStatus.INPUT;
    }

    private void report(Comparison comparison) {
        comparison.formats().forEach(format -> format.failure()
                .ifPresent(reason -> terminal.err().println("tern: " + format.outtype() + ": " + reason)));
        for (Path output : outputs) {
            AtomicText.write(output, ReportFormat.of(output).orElseThrow().text(comparison));
        }
        terminal.out().print((json ? ReportFormat.JSON : ReportFormat.MARKDOWN).text(comparison));
    }

    private Optional<FormatsRequest.Text> text() {
        if (qualityTokens == 0) {
            return Optional.empty();
        }
        if (text != null) {
            String name = text.getFileName() == null ? text.toString() : text.getFileName().toString();
            return Optional.of(new FormatsRequest.Text(name, TextFile.read(text, terminal), qualityTokens));
        }
        StringBuilder all = new StringBuilder();
        for (Fables.Fable fable : Fables.packaged().all()) {
            all.append(fable.title()).append("\n\n").append(fable.text()).append("\n\n\n");
        }
        return Optional.of(new FormatsRequest.Text("fables of Aesop", all.toString(), qualityTokens));
    }

    private List<Integer> threads() {
        return threads.isEmpty()
                ? Stream.of(1, Processors.current().threads()).distinct().toList()
                : threads.stream().distinct().toList();
    }

    private Origin origin() {
        Machine machine = Machine.current();
        Build build = Build.current();
        return new Origin(
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                build.version(),
                build.commit(),
                Runtime.version().toString(),
                machine.cpu(),
                machine.processors(),
                machine.memoryBytes().orElse(0),
                machine.os(),
                KernelChoice.best().kernels().tier().label(),
                "tern " + ShellWords.of(spec.commandLine().getParseResult().originalArgs()));
    }

    private Outtype outtype(String word) {
        try {
            return Outtype.parse(word);
        } catch (InputException e) {
            throw new Usage(spec).error(e.getMessage());
        }
    }
}
