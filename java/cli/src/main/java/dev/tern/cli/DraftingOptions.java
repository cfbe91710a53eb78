package dev.tern.cli;

import dev.tern.DraftOptions;
import picocli.CommandLine.Option;

/** Whether tokens are guessed ahead. */
final class DraftingOptions {
    @Option(
            names = "--draft",
            paramLabel = "auto|on|off",
            defaultValue = "auto",
            description = "Guess the next tokens where the last ones stood in the text before, and verify them in one"
                    + " pass: auto (default) where measurements say that it pays, on always. The text does not"
                    + " depend on it.")
    private DraftOptions.Mode mode = DraftOptions.Mode.AUTO;

    @Option(
            names = "--draft-max",
            paramLabel = "N",
            defaultValue = "15",
            description = "Most tokens to guess at once; 0 is none (default: ${DEFAULT-VALUE}).")
    private int max;

    @Option(
            names = "--draft-ngram",
            paramLabel = "N",
            defaultValue = "2",
            description = "So many of the last tokens must have stood before, at least (default: ${DEFAULT-VALUE}).")
    private int ngram;

    /** @throws IllegalArgumentException when a number is outside its range */
    DraftOptions toOptions() {
        return new DraftOptions(mode, max, ngram);
    }
}
