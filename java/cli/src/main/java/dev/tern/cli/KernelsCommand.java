package dev.tern.cli;

import dev.tern.codegen.BitnetCppHeader;
import dev.tern.codegen.HeaderGenerator;
import dev.tern.codegen.KernelBuild;
import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelLibraryFile;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelCache;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryWeights;
import dev.tern.lut.BackgroundBuild;
import dev.tern.lut.LutSource;
import dev.tern.model.Processors;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.tune.KernelTuner;
import dev.tern.tune.Tuning;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tern kernels}: look-up-table kernels for exactly one model's matrices. */
@Command(
        name = "kernels",
        description = "Generates look-up-table kernels (tl2, tl1) for exactly the ternary matrices of a model:"
                + " bitnet-lut-kernels.h and kernel_config.ini, for Tern or for bitnet.cpp.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern kernels bitnet-b1.58-2B-4T/ --build",
            "  tern kernels --config config.json --tune --out kernels",
            "  tern kernels --hidden-size 2560 --intermediate-size 6912 \\",
            "      --num-attention-heads 20 --num-key-value-heads 5 --dry-run",
            "  tern kernels CHECKPOINT --abi bitnet.cpp --out BitNet/include --overwrite"
        })
final class KernelsCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Mixin
    private DimensionOptions dimensions = new DimensionOptions();

    @Option(
            names = "--format",
            paramLabel = "tl2|tl1",
            description = "tl2, 1.7 bits a weight, made for AVX2 (default), or tl1, 2 bits, made for NEON.")
    private @Nullable LutFormat format;

    @Option(
            names = "--abi",
            paramLabel = "tern|bitnet.cpp",
            defaultValue = "tern",
            description = "Whose functions the header has: Tern's, or those that bitnet.cpp's ggml calls (default:"
                    + " ${DEFAULT-VALUE}).")
    private String abi = "tern";

    @Option(
            names = "--kernel-config",
            paramLabel = "INI",
            description = "Take the tiles of this kernel_config.ini instead of choosing them. Without a model: for all its"
                    + " shapes.")
    private @Nullable Path kernelConfig;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "DIR",
            defaultValue = "include",
            description = "The folder for both files; it is made if need be (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("include");

    @Option(
            names = "--tune",
            description = "Time the best few tiles of each shape on this machine and take the fastest. What was measured is"
                    + " kept, so that a run that was stopped goes on.")
    private boolean tune;

    @Option(
            names = "--tune-seconds",
            paramLabel = "N",
            description = "How long to measure at most (default: 60); compiling comes on top.")
    private @Nullable Integer tuneSeconds;

    @Option(names = "--retune", description = "Tune, and measure what is known already.")
    private boolean retune;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads to tune for (default: one a physical core, as models run).")
    private @Nullable Integer threads;

    @Option(names = "--build", description = "Compile the kernels into a library in Tern's cache, where Tern finds it.")
    private boolean build;

    @Option(names = "--dry-run", description = "Show the plan, and write, compile and measure nothing.")
    private boolean dryRun;

    @Option(names = "--overwrite", description = "Replace files that are there.")
    private boolean overwrite;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    KernelsCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        boolean bitnetCpp = bitnetCpp();
        requireSense();
        Optional<ModelMatrices> model = dimensions.matrices(terminal, interruption);
        if (model.isEmpty() && kernelConfig == null) {
            throw usage("a model is missing: give a CHECKPOINT, --config, --hidden-size and --intermediate-size, or the"
                    + " tiles of --kernel-config");
        }
        List<String> notes = new ArrayList<>();
        model.ifPresent(m -> notes.addAll(m.notes()));
        KernelPlan plan = plan(model, notes);
        requireWidth(plan);
        List<PlannedKernel> candidates = List.of();
        Optional<Tuning> tuning = Optional.empty();
        if (tunes() && dryRun) {
            candidates = plan.kernels().stream()
                    .flatMap(kernel -> KernelTuner.candidates(kernel.format(), kernel.shape()).stream())
                    .toList();
        } else if (tunes()) {
            tuning = Optional.of(tune(plan));
            notes.addAll(tuning.get().notes());
            plan = tuning.get().plan();
        }
        GeneratedFiles files = new GeneratedFiles(
                out, bitnetCpp ? BitnetCppHeader.generate(plan) : HeaderGenerator.generate(plan), KernelConfig.text(plan));
        Optional<KernelsReport.Library> library = Optional.empty();
        if (build && !dryRun) {
            files.requireFree(overwrite);
            library = Optional.of(library(plan, notes)); // first: a compiler that fails leaves no files
        }
        SequencedMap<Path, Boolean> written = dryRun ? files.changes() : files.write(overwrite);
        int inLibtern = LutSource.inLibtern(plan).size();
        KernelsReport report = new KernelsReport(
                model, plan, bitnetCpp, dryRun, written, inLibtern, library, tuning, candidates, List.copyOf(notes));
        notes.forEach(terminal::note);
        terminal.out().print(json ? Json.document(KernelsText.json(report)) : KernelsText.text(report, terminal.verbose()));
        return ExitStatus.OK;
    }

    private boolean bitnetCpp() {
        return switch (abi.toLowerCase(Locale.ROOT)) {
            case "tern" -> false;
            case "bitnet.cpp" -> true;
            default -> throw usage("Invalid value for option '--abi': expected tern or bitnet.cpp, found '" + abi + "'");
        };
    }

    private void requireSense() {
        if (kernelConfig != null && tunes()) {
            throw usage("--kernel-config names the tiles, and --tune would choose others; give one of them");
        }
        if (!tunes() && (threads != null || tuneSeconds != null)) {
            throw usage((threads != null ? "--threads" : "--tune-seconds") + " is for --tune");
        }
        if (threads != null && (threads < 1 || threads > 1024)) {
            throw usage("Invalid value for option '--threads': expected 1 to 1024, found " + threads);
        }
        if (tuneSeconds != null) {
            new Usage(spec).atLeast("--tune-seconds", 1, tuneSeconds.intValue());
        }
    }

    private boolean tunes() {
        return tune || retune;
    }

    private KernelPlan plan(Optional<ModelMatrices> model, List<String> notes) {
        if (kernelConfig == null) {
            return KernelPlanner.plan(model.orElseThrow().model(), format == null ? LutFormat.TL2 : format);
        }
        KernelConfig config = KernelConfigFile.read(kernelConfig, Optional.ofNullable(format));
        return model.isEmpty() ? config.plan() : configured(model.get(), config, notes);
    }

    /** The configuration's tiles for the model's shapes, in the model's order, by which a library for it is found. */
    private KernelPlan configured(ModelMatrices model, KernelConfig config, List<String> notes) {
        List<PlannedKernel> kernels = new ArrayList<>();
        for (MatrixShape shape : model.projections().keySet()) {
            Tile tile = config.plan().tile(config.format(), shape).orElseThrow(() -> InputException.at(kernelConfig)
                    .problem("has no tile for the matrices " + String.join(", ", model.projections().get(shape)) + " of "
                            + model.source())
                    .expected("a section with m = " + shape.rows() + " and k = " + shape.cols())
                    .found(shapes(config.plan().kernels()))
                    .cure("Add it, or leave --kernel-config away: Tern then chooses tiles for every shape.")
                    .exception());
            kernels.add(new PlannedKernel(config.format(), shape, tile));
        }
        List<PlannedKernel> others = config.plan().kernels().stream()
                .filter(kernel -> !kernels.contains(kernel))
                .toList();
        if (!others.isEmpty()) {
            notes.add(kernelConfig + ": the model has no matrix of " + shapes(others) + ", left out");
        }
        return new KernelPlan(kernels);
    }

    private static String shapes(List<PlannedKernel> kernels) {
        return kernels.stream().map(kernel -> kernel.shape().toString()).collect(Collectors.joining(", "));
    }

    private static void requireWidth(KernelPlan plan) {
        for (PlannedKernel kernel : plan.kernels()) {
            if (kernel.shape().cols() > TernaryWeights.MAX_COLS) {
                throw InputException.at("matrix " + kernel.shape())
                        .problem("a row is so long that its sum could leave int32")
                        .expected("at most " + TernaryWeights.MAX_COLS + " columns")
                        .found(kernel.shape().cols())
                        .exception();
            }
        }
    }

    private Tuning tune(KernelPlan plan) {
        Kernels kernels = KernelChoice.requireNative().kernels();
        int team = threads == null ? Processors.current().threads() : threads;
        try (Progress progress = new Progress(terminal, interruption)) {
            return new KernelTuner(KernelCache.folder(LutSource.CACHE), kernels, team)
                    .budget(Duration.ofSeconds(tuneSeconds == null ? 60 : tuneSeconds))
                    .again(retune)
                    .progress((part, done, total) -> progress.at(part, done, total, "shapes", 100))
                    .tune(plan.kernels().stream().map(PlannedKernel::shape).toList(), plan.kernels().getFirst().format());
        }
    }

    /** The library, built unless it is there. */
    private KernelsReport.Library library(KernelPlan plan, List<String> notes) {
        KernelBuild kernels = new KernelBuild(KernelCache.folder(LutSource.CACHE), plan);
        Optional<KernelLibraryFile> there = Optional.empty();
        try {
            there = kernels.find();
        } catch (KernelBuildException e) {
            notes.add("built again, since it was damaged: " + e.getMessage());
        }
        if (there.isPresent()) {
            return new KernelsReport.Library(there.get().library(), false);
        }
        try (Progress progress = new Progress(terminal, interruption)) {
            KernelLibraryFile built = BackgroundBuild.build(kernels, () -> progress.at("build", 0, 1, "libraries", 1));
            return new KernelsReport.Library(built.library(), true);
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
