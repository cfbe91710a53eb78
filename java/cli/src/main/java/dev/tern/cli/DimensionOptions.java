package dev.tern.cli;

import dev.tern.codegen.ModelShape;
import dev.tern.source.ModelSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Which model's matrices: a checkpoint's, a config.json's, or those of dimensions that are given. */
final class DimensionOptions {
    private static final int MOST = 1 << 24;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create(); // replaced by picocli

    @Parameters(
            arity = "0..1",
            paramLabel = "CHECKPOINT",
            description = "Folder with config.json; weights in it must agree. Or an address (hf://, gs://,"
                    + " https://), which is fetched without its weights.")
    private @Nullable String checkpoint;

    @Mixin
    private SourceOptions fetching = new SourceOptions();

    @Option(names = "--config", paramLabel = "config.json", description = "Or a config.json alone, of any architecture.")
    private @Nullable Path config;

    @Option(names = "--hidden-size", paramLabel = "H", description = "Or the dimensions, named as in config.json.")
    private @Nullable Integer hidden;

    @Option(names = "--intermediate-size", paramLabel = "I", description = "Width of the feed-forward network.")
    private @Nullable Integer intermediate;

    @Option(
            names = "--num-attention-heads",
            paramLabel = "N",
            description = "Without them q, k, v and o are all taken as H x H.")
    private @Nullable Integer heads;

    @Option(
            names = "--num-key-value-heads",
            paramLabel = "K",
            description = "Heads of k and v (default: as many as there are heads).")
    private @Nullable Integer kvHeads;

    @Option(names = "--head-dim", paramLabel = "D", description = "Width of a head (default: H / N).")
    private @Nullable Integer headDim;

    /** The model asked for, or empty when none is. */
    Optional<ModelMatrices> matrices(Terminal terminal, Interruption interruption) {
        boolean numbers =
                hidden != null || intermediate != null || heads != null || kvHeads != null || headDim != null;
        int sources = (checkpoint == null ? 0 : 1) + (config == null ? 0 : 1) + (numbers ? 1 : 0);
        if (sources > 1) {
            throw usage("a CHECKPOINT, --config and dimensions exclude each other; give one of them");
        }
        if (checkpoint != null) {
            if (checkpoint.endsWith(".json") && !ModelSource.parse(checkpoint).remote()) {
                throw usage("a CHECKPOINT is a folder; for the file alone: --config " + checkpoint);
            }
            return Optional.of(ModelMatrices.ofCheckpoint(fetching.configuration(checkpoint, terminal, interruption)));
        }
        if (config != null) {
            return Optional.of(ModelMatrices.ofConfig(config));
        }
        return numbers ? Optional.of(ofNumbers()) : Optional.empty();
    }

    private ModelMatrices ofNumbers() {
        int h = dimension("--hidden-size", hidden);
        int i = dimension("--intermediate-size", intermediate);
        List<String> notes = new ArrayList<>();
        if (heads == null) {
            if (kvHeads != null || headDim != null) {
                throw usage((kvHeads != null ? "--num-key-value-heads" : "--head-dim") + " needs --num-attention-heads");
            }
            notes.add("without --num-attention-heads q, k, v and o are all taken as " + h + "x" + h
                    + "; a model with fewer key/value heads has other k and v, for which there will be no kernel");
            return new ModelMatrices("command line", new ModelShape(h, i, 1, 1, h), false, notes);
        }
        int n = dimension("--num-attention-heads", heads);
        int k = kvHeads == null ? n : dimension("--num-key-value-heads", kvHeads);
        if (kvHeads == null) {
            notes.add("without --num-key-value-heads k and v are taken to have " + n + " heads too");
        }
        if (n % k != 0) {
            throw usage("Invalid value for option '--num-key-value-heads': expected a divisor of the " + n
                    + " heads, found " + k);
        }
        if (headDim == null && h % n != 0) {
            throw usage("Invalid value for option '--num-attention-heads': expected a divisor of the hidden size " + h
                    + ", or --head-dim, found " + n);
        }
        int d = headDim == null ? h / n : dimension("--head-dim", headDim);
        if ((long) n * d > MOST) {
            throw usage("Invalid value for option '--head-dim': " + n + " heads of " + d + " are too many");
        }
        return new ModelMatrices("command line", new ModelShape(h, i, n, k, d), true, notes);
    }

    private int dimension(String option, @Nullable Integer value) {
        if (value == null) {
            throw usage("Missing required option: '" + option + "'");
        }
        if (value < 1 || value > MOST) {
            throw usage("Invalid value for option '" + option + "': expected a whole number from 1 to " + MOST + ", found "
                    + value);
        }
        return value;
    }

    private ParameterException usage(String message) {
        return new ParameterException(command.commandLine(), message);
    }
}
