package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.ternary.TernaryCounts;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a conversion wrote.
 *
 * @param file the GGUF file
 * @param plan what was to be written; held
 * @param sha256 of the whole file, hexadecimal
 * @param tensors every tensor in the file's order
 * @param notes those of the plan, and what showed while the weights were read
 * @param seconds wall time from opening the source to the file's last byte, without validation
 * @param checkpointBytes bytes of the checkpoint's weight files, or of the GGUF file read from
 * @param bytesPerSecond of these
 * @param validation what validation found, null when it was not asked for
 */
public record ConversionReport(
        Path file,
        ConversionPlan plan,
        String sha256,
        List<Tensor> tensors,
        List<String> notes,
        double seconds,
        long checkpointBytes,
        double bytesPerSecond,
        @Nullable ValidationReport validation) {

    public ConversionReport {
        tensors = List.copyOf(tensors);
        notes = List.copyOf(notes);
    }

    /**
     * One tensor.
     *
     * @param name under GGUF
     * @param source under the name that it has in the checkpoint or GGUF file read from
     * @param type as written
     * @param rows output features, 1 for a vector
     * @param cols input features
     * @param bytes in the file
     * @param ternary for ternary tensors, else null
     */
    public record Tensor(
            String name, String source, GgmlType type, int rows, int cols, long bytes, @Nullable Ternary ternary) {}

    /**
     * (T, s) in numbers.
     *
     * @param counts of -1, 0 and +1
     * @param scale s as the checkpoint or GGUF file read from has it
     * @param storedScale s as the file written has it
     * @param sha256 of T in the order of rows that the file written has: int8, row-major, hexadecimal; null when it was
     *     not asked for
     */
    public record Ternary(TernaryCounts counts, float scale, float storedScale, @Nullable String sha256) {}
}
