package dev.tern.measure.formats;

import dev.tern.Fidelity;
import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.ReferenceLogits;
import dev.tern.TextWindows;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.kernels.FloatType;
import dev.tern.measure.comparison.Quality;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.nio.file.Path;

/** Holds files against what the checkpoint itself predicts of a text. */
final class QualityMeasurement implements AutoCloseable {
    /** In words, for the report. */
    static final String REFERENCE = "the checkpoint itself, computed block by block from its safetensors: the same"
            + " ternary weights and int8 activations, with scales, embedding and head as they are stored";

    /** Tokens of a window, where the model's context has room for them. */
    private static final int WINDOW = 512;

    private final ReferenceLogits reference;
    private final Surroundings surroundings;

    private QualityMeasurement(ReferenceLogits reference, Surroundings surroundings) {
        this.reference = reference;
        this.surroundings = surroundings;
    }

    static TextWindows windows(Checkpoint checkpoint, FormatsRequest.Text text) {
        int vocab = checkpoint.hyperparameters().vocabSize();
        Tokenizer tokenizer = Tokenizer.of(Vocabulary.ofCheckpoint(checkpoint.folder(), vocab));
        int context = Math.min(WINDOW, checkpoint.hyperparameters().contextLength());
        return TextWindows.of(tokenizer, text.content(), text.tokens(), context);
    }

    /** Computes the checkpoint's predictions. */
    static QualityMeasurement of(Checkpoint checkpoint, TextWindows text, Path folder, Surroundings surroundings) {
        ReferenceLogits reference = ReferenceLogits.of(checkpoint, text, folder, (done, all) ->
                surroundings.progress("the checkpoint: quality", done, all, "parts", 1));
        return new QualityMeasurement(reference, surroundings);
    }

    /** Perplexity of the text in the checkpoint. */
    double perplexity() {
        return reference.perplexity();
    }

    /** Loads a file as users do, but for a cache of float32, so that the weights' format alone makes a difference. */
    Quality measure(FormatTrial trial) {
        int context = reference.text().windows().stream().mapToInt(ids -> ids.length).max().orElseThrow();
        ModelOptions options = ModelOptions.builder()
                .contextLength(context)
                .cacheType(FloatType.F32)
                .requireNative(surroundings.requireNative())
                .build();
        try (Model model = Model.load(trial.file(), options)) {
            Fidelity found = Fidelity.measure(model, reference, (done, all) ->
                    surroundings.progress(trial + ": quality", done, all, "tokens", 1));
            return new Quality(
                    found.perplexity(),
                    found.referencePerplexity(),
                    found.meanKl(),
                    found.mostKl(),
                    found.greedyAgreement(),
                    found.positions(),
                    found.identical());
        }
    }

    @Override
    public void close() {
        reference.close();
    }
}
