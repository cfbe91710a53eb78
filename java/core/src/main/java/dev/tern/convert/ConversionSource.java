package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.io.InputException;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryRows;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a conversion reads: a checkpoint, or a GGUF file whose matrices are ternary already. Thread-safe: tensors may be
 * read from several threads at once.
 */
sealed interface ConversionSource extends AutoCloseable permits CheckpointSource, GgufSource {
    byte[] GGUF = {'G', 'G', 'U', 'F'};

    /**
     * Opens a checkpoint's folder, its one safetensors file, or a GGUF file.
     *
     * @param kernelConfig the kernel_config.ini that a GGUF file of TL1 or TL2 which stores no tiles was packed with,
     *     or null
     * @throws InputException when it cannot be read, or is nothing that can be converted
     */
    static ConversionSource open(Path path, @Nullable Path kernelConfig) {
        return isGguf(path) ? GgufSource.open(path, kernelConfig) : new CheckpointSource(Checkpoint.open(path));
    }

    /** By the file's first bytes, or failing these by its name. */
    static boolean isGguf(Path path) {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(path)) {
            return Arrays.equals(in.readNBytes(GGUF.length), GGUF) || path.toString().endsWith(".gguf");
        } catch (IOException e) {
            throw InputException.at(path).problem("cannot be read", e).exception(e);
        }
    }

    /** The checkpoint's folder, or the GGUF file. */
    Path path();

    /** Bytes of the files that hold the weights. */
    long bytes();

    /** How a checkpoint's ternary matrices are stored; null for GGUF. */
    @Nullable WeightFormat format();

    ModelHyperparameters hyperparameters();

    /** The tokenizer. */
    Vocabulary vocabulary();

    /** The checkpoint that this is; empty for a GGUF file. */
    Optional<Checkpoint> checkpoint();

    /** All tensors, in the order that the file gets. */
    List<SourceTensor> tensors();

    /** What a person should know: what was ignored or assumed. */
    List<String> notes();

    /** Adds all key-value pairs of the file that is to be made. */
    void describe(FileDescription target, GgufLayout.Builder layout);

    /**
     * Finds what is missing or different in the metadata of a file that was made from this, under whatever
     * architecture.
     */
    void compareMetadata(GgufFile found, Findings findings);

    /**
     * A projection, its rows in the order that GGUF's graph wants. To be used by one thread.
     *
     * @throws InputException when it is not ternary, or cannot be read
     */
    TernaryRows ternary(SourceTensor tensor);

    /** The values of a tensor of floats. */
    @FunctionalInterface
    interface Floats {
        /**
         * Reads elements {@code [first, first + count)}, row-major, widened exactly to f32.
         *
         * @param first the start of a row
         * @param count of whole rows
         * @throws InputException when one of them is NaN or infinite
         */
        void read(long first, int count, float[] out);
    }

    /** The values of a tensor of floats; for one thread. */
    Floats floats(SourceTensor tensor);

    /**
     * Reads stored bytes; only of a source whose tensors have a GGUF type.
     *
     * @param out all of it is filled
     */
    void readStored(SourceTensor tensor, long from, MemorySegment out);

    @Override
    void close();
}
