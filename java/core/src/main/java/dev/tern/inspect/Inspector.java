package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

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
        return inspect(path, null);
    }

    /**
     * The same.
     *
     * @param kernelConfig the kernel_config.ini that a TL1 or TL2 file which stores no tiles was packed with, or null
     * @throws InputException also when the configuration cannot be read, contradicts the file, or is for none of its
     *     matrices
     */
    public static Inspection inspect(Path path, @Nullable Path kernelConfig) {
        if (Files.isDirectory(path) || path.toString().endsWith(".safetensors")) {
            if (kernelConfig != null) {
                throw InputException.at(path)
                        .problem("is a checkpoint, whose matrices are not packed in tiles")
                        .cure("Leave the kernel config away.")
                        .exception();
            }
            try (Checkpoint checkpoint = Checkpoint.open(path)) {
                return new CheckpointInspection(path, checkpoint).run();
            }
        }
        try (GgufFile file = GgufFile.open(path)) {
            return new GgufInspection(file, kernelConfig).run();
        }
    }
}
