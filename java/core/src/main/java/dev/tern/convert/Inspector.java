package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Says what a GGUF file or a checkpoint is and what is wrong with it. Reads all ternary weights once; changes nothing.
 */
public final class Inspector {
    private Inspector() {}

    /**
     * Inspects a GGUF file, a checkpoint's folder, or its one safetensors file.
     *
     * @throws InputException when it is none of them, or too damaged to be opened
     */
    public static Inspection inspect(Path path) {
        if (Files.isDirectory(path) || path.toString().endsWith(".safetensors")) {
            try (Checkpoint checkpoint = Checkpoint.open(path)) {
                return new CheckpointInspection(path, checkpoint).run();
            }
        }
        try (GgufFile file = GgufFile.open(path)) {
            return new GgufInspection(file).run();
        }
    }
}
