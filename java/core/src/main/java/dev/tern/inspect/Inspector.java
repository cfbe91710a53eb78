package dev.tern.inspect;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.io.InputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Says what a GGUF file or a checkpoint is and what is wrong with it. Reads all ternary weights once and runs the model on a
 * short text, block by block; changes nothing. Thread-safe.
 */
public final class Inspector {
    private Inspector() {}

    /**
     * How to inspect.
     *
     * @param kernelConfig the kernel_config.ini that a TL1 or TL2 file which stores no tiles was packed with, or null
     * @param probe whether the model is run
     * @param progress is told, in words, before something that may take seconds
     */
    public record Options(@Nullable Path kernelConfig, boolean probe, Consumer<String> progress) {
        /** Everything, silently. */
        public static Options defaults() {
            return new Options(null, true, text -> {});
        }
    }

    /**
     * Inspects a GGUF file, a checkpoint's folder, or its one safetensors file, with {@link Options#defaults}.
     *
     * @throws InputException when it is none of them
     */
    public static Inspection inspect(Path path) {
        return inspect(path, Options.defaults());
    }

    /**
     * Inspects. What is wrong with a GGUF file or a checkpoint is in the findings, even if it is so damaged that it cannot
     * be opened.
     *
     * @throws InputException when it is neither; when the kernel configuration cannot be read, contradicts the file, or is
     *     for none of its matrices
     */
    public static Inspection inspect(Path path, Options options) {
        if (Files.isDirectory(path) || path.toString().endsWith(".safetensors")) {
            return checkpoint(path, options);
        }
        Optional<Finding> other = WrongFile.recognise(path);
        if (other.isPresent()) {
            return refused(Inspection.Kind.GGUF, path, other.get());
        }
        GgufFile file;
        try {
            file = GgufFile.open(path);
        } catch (InputException e) {
            if (startsAsGguf(path)) {
                return refused(Inspection.Kind.GGUF, path, BrokenGguf.explain(path, e));
            }
            throw e;
        }
        try (file) {
            return new GgufInspection(file, options).run();
        }
    }

    private static Inspection checkpoint(Path path, Options options) {
        if (options.kernelConfig() != null) {
            throw InputException.at(path)
                    .problem("is a checkpoint, whose matrices are not packed in tiles")
                    .cure("Leave the kernel config away.")
                    .exception();
        }
        Checkpoint checkpoint;
        try {
            checkpoint = Checkpoint.open(path);
        } catch (InputException e) {
            InspectionBuilder result = new InspectionBuilder();
            BrokenCheckpoint.explain(path, e, result);
            return result.build(Inspection.Kind.CHECKPOINT, path, 0, "a checkpoint that cannot be opened", "");
        }
        try (checkpoint) {
            return new CheckpointInspection(path, checkpoint, options).run();
        }
    }

    private static Inspection refused(Inspection.Kind kind, Path path, Finding finding) {
        InspectionBuilder result = new InspectionBuilder();
        result.explain(finding);
        try {
            return result.build(kind, path, Files.size(path), "a file that cannot be opened", "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean startsAsGguf(Path path) {
        byte[] magic = "GGUF".getBytes(StandardCharsets.US_ASCII);
        try (var in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(magic.length), magic);
        } catch (IOException e) {
            return false;
        }
    }
}
