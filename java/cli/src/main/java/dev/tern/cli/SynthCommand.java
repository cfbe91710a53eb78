package dev.tern.cli;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tern synth}: a checkpoint of a real model's dimensions and layout, with random weights. */
@Command(
        name = "synth",
        description = "Writes a checkpoint with the dimensions and the layout of a real model and random weights,"
                + " for measuring and trying things out.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern synth --like 2b-4t -o synthetic-2b",
            "  tern synth --like Falcon3-7B --small -o little-falcon"
        })
final class SynthCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @ArgGroup(multiplicity = "1")
    private Dimensions dimensions = new Dimensions();

    @Option(
            names = "--format",
            paramLabel = "online|packed|ternary",
            description = "online: continuous weights, made ternary on reading; packed: 2 bits a weight; ternary:"
                    + " floats of three values (default: what the model is published as; else online).")
    private @Nullable Format format;

    @Option(
            names = "--small",
            description = "With --like: two layers and a few million weights, with what is peculiar to the model.")
    private boolean small;

    @Option(names = "--layers", paramLabel = "N", description = "So many layers instead of the model's.")
    private @Nullable Integer layers;

    @Option(names = "--vocab", paramLabel = "N", description = "So many tokens instead of the model's.")
    private @Nullable Integer vocab;

    @Option(
            names = {"-s", "--seed"},
            paramLabel = "S",
            defaultValue = "0",
            description = "Seed of the weights; the same seed gives the same bytes (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "DIR",
            description = "The folder to write; it is made if need be.")
    private Path output = Path.of("");

    @Option(names = "--overwrite", description = "Replace a checkpoint in that folder.")
    private boolean overwrite;

    /** The words of {@code --format}. */
    private enum Format {
        online(WeightFormat.ONLINE),
        packed(WeightFormat.PACKED),
        ternary(WeightFormat.TERNARY_FLOATS);

        private final WeightFormat weights;

        Format(WeightFormat weights) {
            this.weights = weights;
        }
    }

    static final class Dimensions {
        @Option(
                names = "--like",
                required = true,
                paramLabel = "NAME",
                completionCandidates = Presets.class,
                description = "Dimensions and layout of a known model: ${COMPLETION-CANDIDATES}; 2b-4t is short for"
                        + " the first.")
        private @Nullable String preset;

        @Option(
                names = "--config",
                required = true,
                paramLabel = "config.json",
                description = "Or the dimensions in a checkpoint's config.json.")
        private @Nullable Path config;

        SyntheticCheckpoint checkpoint(CommandLine command) {
            if (preset != null) {
                if (!SyntheticCheckpoint.isPreset(preset)) {
                    throw new ParameterException(
                            command,
                            "Invalid value for option '--like': expected " + String.join(", ", SyntheticCheckpoint.presets())
                                    + ", found '" + preset + "'; --config takes any dimensions");
                }
                return SyntheticCheckpoint.like(preset);
            }
            if (config == null) {
                throw new IllegalStateException("neither --like nor --config");
            }
            return SyntheticCheckpoint.ofConfig(config);
        }
    }

    /** The names for {@code --like}, for the help. */
    private static final class Presets implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return SyntheticCheckpoint.presets().iterator();
        }
    }

    private SyntheticCheckpoint checkpoint() {
        SyntheticCheckpoint checkpoint = dimensions.checkpoint(spec.commandLine()).seed(seed).overwrite(overwrite);
        if (format != null) {
            checkpoint.format(format.weights);
        }
        if (small && dimensions.preset == null) {
            throw new ParameterException(spec.commandLine(), "--small needs --like: only known models have a small"
                    + " form");
        }
        if (small) {
            checkpoint.small();
        }
        if (layers != null) {
            checkpoint.layers(positive("--layers", layers));
        }
        if (vocab != null) {
            checkpoint.vocabulary(positive("--vocab", vocab));
        }
        return checkpoint;
    }

    private int positive(String option, int value) {
        if (value < 1) {
            throw new ParameterException(
                    spec.commandLine(), "Invalid value for option '" + option + "': expected 1 or more, found "
                            + value);
        }
        return value;
    }

    SynthCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        long start = System.nanoTime();
        SyntheticCheckpoint checkpoint = checkpoint();
        try (Progress progress = new Progress(terminal, interruption)) {
            checkpoint.progress((bytes, total) -> progress.at("synth", bytes, total, "MiB", 1 << 20)).to(output);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        terminal.print(
                "%s: %s, %s of weights, %s, in %.1f s%n",
                output,
                checkpoint.hyperparameters().architecture(),
                Sizes.binary(checkpoint.byteSize()),
                checkpoint.format().label(),
                seconds);
        return ExitStatus.OK;
    }
}
