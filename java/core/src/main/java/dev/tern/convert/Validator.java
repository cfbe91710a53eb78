package dev.tern.convert;

import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.ternary.KernelConfigFile;
import dev.tern.ternary.LutTiles;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Reads a GGUF file back from the disk and says whether it is what it should be. With a checkpoint: every T bit for
 * bit, every s as the type rounds it, every float as the type rounds it, names, shapes, hyperparameters and tokenizer,
 * the tokens of fixed texts, and what both models compute from the same tokens ({@link ValidationReport.Graph}).
 * Without: the structure, that every projection decodes to a ternary matrix, that every float is finite, that all
 * tensors of the architecture are there in their shapes, and that the tokenizer can be read.
 */
public final class Validator {
    private Validator() {}

    /**
     * Validates a file.
     *
     * @param gguf the file
     * @param checkpoint the checkpoint, or the GGUF file, that it should hold, or null
     * @return the report; what is wrong with the file's contents is in its problems
     * @throws InputException when one of the two cannot be read at all, or is a GGUF file of TL1 or TL2 without tiles
     */
    public static ValidationReport validate(Path gguf, @Nullable Path checkpoint) {
        return validate(gguf, checkpoint, null, (phase, tensor, done, total) -> {});
    }

    /**
     * The same, with someone who hears how far it is.
     *
     * @param kernelConfig the kernel_config.ini that a TL1 or TL2 file which stores no tiles was packed with, or null
     */
    public static ValidationReport validate(
            Path gguf, @Nullable Path checkpoint, @Nullable Path kernelConfig, ConversionProgress progress) {
        return validate(gguf, checkpoint, kernelConfig, null, progress);
    }

    /**
     * The same against a GGUF file of TL1 or TL2 which stores no tiles either.
     *
     * @param sourceKernelConfig the kernel_config.ini that the file to compare with was packed with, or null
     */
    public static ValidationReport validate(
            Path gguf,
            @Nullable Path checkpoint,
            @Nullable Path kernelConfig,
            @Nullable Path sourceKernelConfig,
            ConversionProgress progress) {
        try (GgufFile file = GgufFile.open(gguf)) {
            LutTiles tiles = KernelConfigFile.tiles(file, kernelConfig);
            if (checkpoint == null) {
                return new SelfCheck(file, tiles, progress).run();
            }
            try (ConversionSource source = ConversionSource.open(checkpoint, sourceKernelConfig)) {
                return compare(file, gguf, source, tiles, Converter.defaultThreads(), progress, true);
            }
        }
    }

    /**
     * A file that was just written.
     *
     * @param name the file's name in the report, which it has not got yet
     */
    static ValidationReport validateWritten(
            Path gguf, Path name, ConversionSource source, int threads, ConversionProgress progress) {
        try (GgufFile file = GgufFile.open(gguf)) {
            return compare(file, name, source, LutTiles.ofGguf(file), threads, progress, false);
        }
    }

    private static ValidationReport compare(
            GgufFile file,
            Path name,
            ConversionSource source,
            LutTiles tiles,
            int threads,
            ConversionProgress progress,
            boolean hash) {
        long start = System.nanoTime();
        Comparison comparison = new Comparison(file, name, source, tiles, threads, progress);
        ValidationReport tensors = comparison.run();
        return new ProofOfModel(file, source, tiles).complete(tensors, comparison.matrices(), hash, start);
    }
}
