package dev.tern.cli;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tern synth}: a checkpoint of a real model's dimensions, with random weights, for measuring. */
@Command(
        name = "synth",
        description = "Writes a checkpoint with the dimensions of a real model and random weights, for measuring.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = "  tern synth --like 2b-4t -o synthetic-2b")
final class SynthCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @ArgGroup(multiplicity = "1")
    private Dimensions dimensions = new Dimensions();

    @Option(
            names = "--format",
            paramLabel = "online|packed",
            defaultValue = "online",
            description = "online: bf16 weights, ternarised on reading; packed: 2 bits a weight (default: ${DEFAULT-VALUE}).")
    private Format format = Format.online;

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
        packed(WeightFormat.PACKED);

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
                description = "Dimensions of a known model: 2b-4t.")
        private @Nullable String preset;

        @Option(
                names = "--config",
                required = true,
                paramLabel = "config.json",
                description = "Or the dimensions in a checkpoint's config.json.")
        private @Nullable Path config;

        SyntheticCheckpoint checkpoint(CommandLine command) {
            if (preset != null) {
                if (!SyntheticCheckpoint.presets().contains(preset)) {
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

    SynthCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        long start = System.nanoTime();
        SyntheticCheckpoint checkpoint = dimensions.checkpoint(spec.commandLine()).format(format.weights).seed(seed).overwrite(overwrite);
        try (Progress progress = new Progress(terminal, interruption)) {
            checkpoint.progress((bytes, total) -> progress.at("synth", bytes, total, "MiB", 1 << 20)).to(output);
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        terminal.print(
                "%s: %s, %s of weights, %s, in %.1f s%n",
                output,
                checkpoint.hyperparameters().architecture(),
                Sizes.binary(checkpoint.byteSize()),
                format.name().toLowerCase(Locale.ROOT),
                seconds);
        return ExitStatus.OK;
    }
}
