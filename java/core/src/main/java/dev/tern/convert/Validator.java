package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads a GGUF file back from the disk and says whether it is what it should be. With a checkpoint: every T bit for bit,
 * every s as the type rounds it, every float as the type rounds it, names, shapes, hyperparameters and tokenizer. Without:
 * the structure, that every projection decodes to a ternary matrix, that every float is finite, that all tensors of the
 * architecture are there in their shapes, and that the tokenizer can be read.
 */
public final class Validator {
    private Validator() {}

    /**
     * Validates a file.
     *
     * @param gguf the file
     * @param checkpoint the checkpoint that it should hold, or null
     * @return the report; what is wrong with the file's contents is in its problems
     * @throws InputException when the file or the checkpoint cannot be read at all
     */
    public static ValidationReport validate(Path gguf, @Nullable Path checkpoint) {
        return validate(gguf, checkpoint, (phase, tensor, done, total) -> {});
    }

    /** The same, with someone who hears how far it is. */
    public static ValidationReport validate(Path gguf, @Nullable Path checkpoint, ConversionProgress progress) {
        if (checkpoint == null) {
            try (GgufFile file = GgufFile.open(gguf)) {
                return new SelfCheck(file, progress).run();
            }
        }
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            return validate(gguf, gguf, open, progress);
        }
    }

    /** @param name the file's name in the report, where it has not got it yet */
    static ValidationReport validate(Path gguf, Path name, Checkpoint checkpoint, ConversionProgress progress) {
        try (GgufFile file = GgufFile.open(gguf)) {
            return new Comparison(file, name, checkpoint, progress).run();
        }
    }
}
