package dev.tern.cli;

import dev.tern.Pooling;
import dev.tern.io.InputException;
import dev.tern.server.ServerOptions;
import dev.tern.server.slots.SlotOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a server answers, and how many at once. */
final class AnsweringOptions {
    /** How embeddings are pooled. */
    enum PoolingChoice {
        MEAN(Optional.of(Pooling.MEAN)),
        LAST(Optional.of(Pooling.LAST)),
        NONE(Optional.empty());

        private final Optional<Pooling> pooling;

        PoolingChoice(Optional<Pooling> pooling) {
            this.pooling = pooling;
        }
    }

    @Option(
            names = {"-np", "--parallel"},
            paramLabel = "N",
            defaultValue = "8",
            description = "Requests computed at once, each with a context of its own (default: ${DEFAULT-VALUE}).")
    private int parallel;

    @Option(
            names = "--queue",
            paramLabel = "N",
            defaultValue = "256",
            description = "Requests that may wait; more are sent away with 503 (default: ${DEFAULT-VALUE}).")
    private int queue;

    @Option(
            names = {"-a", "--alias"},
            paramLabel = "NAME",
            description = "The model's name for clients (default: its path).")
    private @Nullable String alias;

    @Option(
            names = "--pooling",
            paramLabel = "mean|last|none",
            defaultValue = "mean",
            description = "What a text's embedding is: the mean of its tokens' states, the last one's, or each one's"
                    + " (default: ${DEFAULT-VALUE}).")
    private PoolingChoice pooling = PoolingChoice.MEAN;

    @Option(names = "--metrics", description = "Answer /metrics, for Prometheus.")
    private boolean metrics;

    @Option(names = "--props", description = "Answer POST /props.")
    private boolean props;

    @Option(names = "--no-slots", description = "Do not answer /slots.")
    private boolean noSlots;

    @Option(
            names = "--slot-save-path",
            paramLabel = "FOLDER",
            description = "Let clients save the contexts of slots to this folder, and restore them (default: no).")
    private @Nullable Path slotSavePath;

    SlotOptions slots() {
        return new SlotOptions(parallel, queue);
    }

    void applyTo(ServerOptions.Builder options) {
        options.pooling(pooling.pooling).metrics(metrics).props(props).slots(!noSlots);
        if (alias != null) {
            options.alias(alias);
        }
        if (slotSavePath != null) {
            if (!Files.isDirectory(slotSavePath)) {
                throw InputException.at(slotSavePath)
                        .problem("no such folder")
                        .cure("Make it first, for the server alone to write to.")
                        .exception();
            }
            options.slotSavePath(slotSavePath);
        }
    }
}
