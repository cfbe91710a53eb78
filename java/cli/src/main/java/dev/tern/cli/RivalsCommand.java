package dev.tern.cli;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.measure.Machine;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineProbe;
import dev.tern.measure.rivals.RivalBench;
import dev.tern.measure.rivals.Rivals;
import dev.tern.measure.rivals.Workload;
import dev.tern.model.Processors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tern rivals}: other engines and Tern in turns, without a checkpoint to convert. */
@Command(
        name = "rivals",
        description = "Measures other engines that are installed, as a file describes them (bench/rivals/README.md),"
                + " and with -m Tern in the same turns; what is not there is skipped. Exit status 1 when an engine that"
                + " is there failed, or none is.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = {"  tern rivals bench/rivals/rivals.json -m model.gguf -t 1,2 -r 3"})
final class RivalsCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Parameters(paramLabel = "FILE", description = "The engines and how to run them, JSON.")
    private Path file = Path.of("");

    @Option(
            names = {"-m", "--model"},
            paramLabel = "F.gguf",
            description = "A file for Tern to run in the same turns, and for engines that ask for one of its type; may"
                    + " be given several times.")
    private List<Path> models = new ArrayList<>();

    @Mixin
    private TestLengthOptions lengths = new TestLengthOptions();

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            split = ",",
            description = "Numbers of threads, one or several (default: one a physical core).")
    private List<Integer> threads = new ArrayList<>();

    @Option(
            names = {"-r", "--rounds"},
            paramLabel = "N",
            defaultValue = "3",
            description = "Rounds, in each of which every engine has one turn (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--no-roofline",
            description = "Do not measure before the first round and after the last, for some seconds, how fast this"
                    + " machine reads memory and multiplies bytes.")
    private boolean noRoofline;

    @Option(names = "--json", description = "Print the results as JSON.")
    private boolean json;

    RivalsCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws InterruptedException {
        Usage usage = new Usage(spec);
        lengths.check();
        usage.atLeast("-t", 1, threads);
        usage.atLeast("-r", 1, rounds);
        if (lengths.neither()) {
            throw usage.nothingToMeasure(TestLengthOptions.NEITHER);
        }
        List<RivalBench> benches = benches();
        List<RivalBench> there =
                benches.stream().filter(bench -> bench.failure().isEmpty()).toList();
        Optional<MachineLimits> before = Optional.empty();
        Optional<MachineLimits> after = Optional.empty();
        try (Progress progress = new Progress(terminal, interruption)) {
            boolean limits = !noRoofline && !there.isEmpty();
            if (limits) {
                before = Optional.of(limits(progress, true));
            }
            measure(there, progress);
            if (limits) {
                after = Optional.of(limits(progress, false));
            }
        }
        RivalsReport report = new RivalsReport(Machine.current(), Build.current(), rounds, benches, before, after);
        terminal.out().print(json ? report.json() : report.markdown());
        boolean measured = !there.isEmpty() && there.stream().allMatch(bench -> bench.failure().isEmpty());
        return measured ? ExitStatus.OK : ExitStatus.INPUT;
    }

    private void measure(List<RivalBench> benches, Progress progress) throws InterruptedException {
        long done = 0;
        long all = (long) rounds * benches.size();
        for (int round = 1; round <= rounds; round++) {
            for (RivalBench bench : benches) {
                progress.at("round " + round + ", " + bench.engine(), done++, all, "turns", 1);
                bench.round();
                interruption.check(); // Ctrl-C ends the engine, which is not its failure
            }
        }
    }

    private MachineLimits limits(Progress progress, boolean first) {
        MachineProbe.Result result =
                MachineProbe.measure(counts(), (what, done, all) -> progress.at(what, done, all, "runs", 1));
        if (first) {
            result.notes().forEach(terminal::note);
        }
        return result.limits();
    }

    private List<Integer> counts() {
        return threads.isEmpty()
                ? List.of(Processors.current().threads())
                : threads.stream().distinct().toList();
    }

    private List<RivalBench> benches() {
        Rivals rivals = Rivals.read(file);
        Map<String, Path> files = new LinkedHashMap<>();
        for (Path model : models) {
            files.putIfAbsent(type(model), model);
        }
        Workload workload = new Workload(lengths.prompt(), lengths.generated(), counts(), files);
        List<RivalBench> benches = new ArrayList<>();
        for (Path model : models) {
            benches.add(Rivals.tern(TernCommand.of(List.of()), model, type(model), workload));
        }
        benches.addAll(rivals.benches(workload));
        return benches;
    }

    /** The type of most weights of the blocks, as {@code --outtype} spells it. */
    private static String type(Path model) {
        try (GgufFile gguf = GgufFile.open(model)) {
            return gguf.tensors().stream()
                    .filter(tensor -> tensor.name().startsWith("blk."))
                    .collect(Collectors.groupingBy(
                            tensor -> tensor.type().toString(), Collectors.summingLong(GgufTensor::byteSize)))
                    .entrySet()
                    .stream()
                    .max(Map.Entry.comparingByValue())
                    .map(entry -> entry.getKey().toLowerCase(Locale.ROOT))
                    .orElse("gguf");
        }
    }
}
