package dev.tern;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.lut.KernelFamily;
import dev.tern.model.HeadScreen;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How to load a model. Immutable; made by {@link #builder}.
 *
 * @param threads that compute, the caller's included; 0 for one for each processor
 * @param contextLength positions of a session; 0 for what the model was trained for
 * @param batchSize tokens of a prompt that are evaluated at once
 * @param cacheType of keys and values: F16 or F32
 * @param kernels who computes; empty for the fastest that this machine can run
 * @param requireNative refuse to fall back to the Java reference
 * @param family how the matrices of TL1 and TL2 files are computed
 * @param kernelConfig the kernel_config.ini that a TL1 or TL2 file was packed with, when the file does not say
 * @param screen whether the head has a screen for the tokens whose largest logits alone matter: it spares time and
 *     takes memory, results are the same
 * @param waiting is told, in words, before loading does something that takes seconds, such as compiling kernels
 */
public record ModelOptions(
        int threads,
        int contextLength,
        int batchSize,
        FloatType cacheType,
        Optional<Kernels> kernels,
        boolean requireNative,
        KernelFamily family,
        Optional<Path> kernelConfig,
        HeadScreen screen,
        Consumer<String> waiting) {

    /** @throws IllegalArgumentException when a number is outside its range */
    public ModelOptions {
        require(threads >= 0 && threads <= 1024, "threads", "0 (one for each processor) to 1024", threads);
        require(contextLength >= 0, "context length", "0 (the model's) or more", contextLength);
        require(batchSize >= 1 && batchSize <= 1 << 16, "batch size", "1 to 65536", batchSize);
        require(cacheType == FloatType.F16 || cacheType == FloatType.F32, "cache type", "F16 or F32", cacheType);
    }

    /** All processors, the model's context, batches of 128 tokens, an F16 cache, the fastest kernels of either family. */
    public static ModelOptions defaults() {
        return builder().build();
    }

    /** Starts from {@link #defaults}. */
    public static Builder builder() {
        return new Builder();
    }

    int threadCount() {
        return threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    }

    private static void require(boolean condition, String name, String expected, Object found) {
        if (!condition) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", found " + found);
        }
    }

    /** Builds {@link ModelOptions}. Not thread-safe. */
    public static final class Builder {
        private int threads;
        private int contextLength;
        private int batchSize = 128;
        private FloatType cacheType = FloatType.F16;
        private Optional<Kernels> kernels = Optional.empty();
        private boolean requireNative;
        private KernelFamily family = KernelFamily.AUTO;
        private Optional<Path> kernelConfig = Optional.empty();
        private HeadScreen screen = HeadScreen.AUTO;
        private Consumer<String> waiting = what -> {};

        private Builder() {}

        public Builder threads(int value) {
            threads = value;
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

        public Builder screen(HeadScreen value) {
            screen = value;
            return this;
        }

        /** Nobody is told unless this is set. */
        public Builder waiting(Consumer<String> listener) {
            waiting = listener;
            return this;
        }

        /** @throws IllegalArgumentException when a number is outside its range */
        public ModelOptions build() {
            return new ModelOptions(
                    threads,
                    contextLength,
                    batchSize,
                    cacheType,
                    kernels,
                    requireNative,
                    family,
                    kernelConfig,
                    screen,
                    waiting);
        }
    }
}
