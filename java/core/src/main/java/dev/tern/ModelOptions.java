package dev.tern;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.TernaryLayout;
import dev.tern.lut.KernelFamily;
import dev.tern.model.HeadScreen;
import dev.tern.model.Processors;
import dev.tern.template.ChatTemplate;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How to load a model. Immutable; made by {@link #builder}.
 *
 * @param threads that compute, the caller's included; 0 for {@link Processors#threads}
 * @param pin bind each of them to a processor, physical cores first; a caller on a virtual thread is left alone
 * @param contextLength positions of a session; 0 for what the model was trained for
 * @param batchSize tokens of a prompt that are evaluated at once: weights are unpacked once for all of them; a token
 *     takes memory for all that is computed of it, 133 KiB in BitNet b1.58 2B-4T
 * @param cacheType of keys and values: F16, F32, or Q8_0 for models whose heads have a multiple of 32 elements
 * @param kernels who computes; empty for the fastest that this machine can run
 * @param requireNative refuse to fall back to the Java reference
 * @param family how the matrices of TL1 and TL2 files are computed
 * @param kernelConfig the kernel_config.ini that a TL1 or TL2 file was packed with, when the file does not say
 * @param layout of ternary matrices that are multiplied; empty for the fastest here
 * @param sequences that are expected to be computed together, in passes with a token of each: which layout is the
 *     fastest depends on it
 * @param mapped use what can be used as it lies in the mapped file (the head, the matrices of I2_S files) and copy
 *     nothing of it: its pages are shared with other processes and given back when memory is short; slower decoding
 * @param screen whether the head has a screen for the tokens whose largest logits alone matter: it spares time and
 *     takes memory, results are the same
 * @param chatTemplate instead of the one that the file carries
 * @param waiting is told, in words, before loading does something that takes seconds, such as compiling kernels
 */
public record ModelOptions(
        int threads,
        boolean pin,
        int contextLength,
        int batchSize,
        FloatType cacheType,
        Optional<Kernels> kernels,
        boolean requireNative,
        KernelFamily family,
        Optional<Path> kernelConfig,
        Optional<TernaryLayout> layout,
        int sequences,
        boolean mapped,
        HeadScreen screen,
        Optional<ChatTemplate> chatTemplate,
        Consumer<String> waiting) {

    /**
     * @throws IllegalArgumentException when a number is outside its range, or the file is to be used as it lies but
     *     with its matrices in panels, which no file holds
     */
    public ModelOptions {
        require(threads >= 0 && threads <= 1024, "threads", "0 (one for each core) to 1024", threads);
        require(contextLength >= 0, "context length", "0 (the model's) or more", contextLength);
        require(batchSize >= 1 && batchSize <= 1 << 16, "batch size", "1 to 65536", batchSize);
        require(sequences >= 1, "sequences", "1 or more", sequences);
        TernaryLayout lies = layout.orElse(TernaryLayout.ROWS);
        require(!mapped || lies == TernaryLayout.ROWS, "layout of a mapped file", "rows", lies);
        require(cacheType.isCacheType(), "cache type", "F16, F32 or Q8_0", cacheType);
    }

    /**
     * All physical cores, the model's context, batches of 512 tokens, an F16 cache, the fastest kernels of either
     * family.
     */
    public static ModelOptions defaults() {
        return builder().build();
    }

    /** Starts from {@link #defaults}. */
    public static Builder builder() {
        return new Builder();
    }

    int threadCount() {
        return threads > 0 ? threads : Processors.current().threads();
    }

    private static void require(boolean condition, String name, String expected, Object found) {
        if (!condition) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", found " + found);
        }
    }

    /** Builds {@link ModelOptions}. Not thread-safe. */
    public static final class Builder {
        private int threads;
        private boolean pin;
        private int contextLength;
        private int batchSize = 512;
        private FloatType cacheType = FloatType.F16;
        private Optional<Kernels> kernels = Optional.empty();
        private boolean requireNative;
        private KernelFamily family = KernelFamily.AUTO;
        private Optional<Path> kernelConfig = Optional.empty();
        private Optional<TernaryLayout> layout = Optional.empty();
        private int sequences = 1;
        private boolean mapped;
        private HeadScreen screen = HeadScreen.AUTO;
        private Optional<ChatTemplate> chatTemplate = Optional.empty();
        private Consumer<String> waiting = what -> {};

        private Builder() {}

        public Builder threads(int value) {
            threads = value;
            return this;
        }

        public Builder pin(boolean value) {
            pin = value;
            return this;
        }

        public Builder contextLength(int value) {
            contextLength = value;
            return this;
        }

        public Builder batchSize(int value) {
            batchSize = value;
            return this;
        }

        public Builder cacheType(FloatType value) {
            cacheType = value;
            return this;
        }

        /** See {@link KernelChoice#of}. */
        public Builder kernels(Kernels value) {
            kernels = Optional.of(value);
            return this;
        }

        public Builder requireNative(boolean value) {
            requireNative = value;
            return this;
        }

        public Builder family(KernelFamily value) {
            family = value;
            return this;
        }

        public Builder kernelConfig(Path ini) {
            kernelConfig = Optional.of(ini);
            return this;
        }

        /** The fastest unless this is set. */
        public Builder layout(TernaryLayout value) {
            layout = Optional.of(value);
            return this;
        }

        /** One unless this is set. */
        public Builder sequences(int value) {
            sequences = value;
            return this;
        }

        /** Weights are copied into memory of large pages where that pays, unless this is set. */
        public Builder mapped(boolean value) {
            mapped = value;
            return this;
        }

        public Builder screen(HeadScreen value) {
            screen = value;
            return this;
        }

        /** The file's own unless this is set; {@link dev.tern.template.NamedTemplate} has some. */
        public Builder chatTemplate(ChatTemplate value) {
            chatTemplate = Optional.of(value);
            return this;
        }

        /** Nobody is told unless this is set. */
        public Builder waiting(Consumer<String> listener) {
            waiting = listener;
            return this;
        }

        /** @throws IllegalArgumentException as {@link ModelOptions} */
        public ModelOptions build() {
            return new ModelOptions(
                    threads,
                    pin,
                    contextLength,
                    batchSize,
                    cacheType,
                    kernels,
                    requireNative,
                    family,
                    kernelConfig,
                    layout,
                    sequences,
                    mapped,
                    screen,
                    chatTemplate,
                    waiting);
        }
    }
}
