package dev.tern;

import dev.tern.sampling.SamplingOptions;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How to generate. Immutable; made by {@link #builder}.
 *
 * @param maxTokens stop after this many tokens; -1 for as many as the context holds
 * @param temperature 0 takes the most likely token each time
 * @param topK keep the k most likely tokens; 0 keeps all
 * @param topP keep the most likely tokens until their probabilities reach this sum; 1 keeps all
 * @param minP drop tokens less likely than this share of the most likely one; 0 drops none
 * @param repeatPenalty makes recent tokens less likely; 1 does nothing
 * @param repeatLastN how many of the last tokens count as recent; -1 all
 * @param seed of the random numbers; empty for another one each time
 * @param stop texts at which to stop; they do not appear in the output
 * @param ignoreEos go on after end tokens
 * @param draft whether and how tokens are guessed ahead, which changes no token but how long it takes
 * @see SamplingOptions
 */
public record GenerationOptions(
        int maxTokens,
        float temperature,
        int topK,
        float topP,
        float minP,
        float repeatPenalty,
        int repeatLastN,
        OptionalLong seed,
        List<String> stop,
        boolean ignoreEos,
        DraftOptions draft) {

    /** @throws IllegalArgumentException when a number is outside its range or a stop string is empty */
    public GenerationOptions {
        if (maxTokens < -1) {
            throw new IllegalArgumentException("max tokens: expected -1 (no limit) or more, found " + maxTokens);
        }
        stop = List.copyOf(stop);
        if (stop.contains("")) {
            throw new IllegalArgumentException("a stop string is empty");
        }
        new SamplingOptions(temperature, topK, topP, minP, repeatPenalty, repeatLastN, 0); // for its checks
    }

    /** Starts from 128 tokens, temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, no penalty, a new seed each time. */
    public static Builder builder() {
        return new Builder();
    }

    /** The options of a sampler; a seed is drawn when none is given. */
    SamplingOptions sampling() {
        return new SamplingOptions(
                temperature,
                topK,
                topP,
                minP,
                repeatPenalty,
                repeatLastN,
                seed.orElseGet(() -> ThreadLocalRandom.current().nextLong() >>> 16)); // short enough to type again
    }

    /** Builds {@link GenerationOptions}. Not thread-safe. */
    public static final class Builder {
        private int maxTokens = 128;
        private float temperature = 0.8f;
        private int topK = 40;
        private float topP = 0.95f;
        private float minP = 0.05f;
        private float repeatPenalty = 1;
        private int repeatLastN = 64;
        private OptionalLong seed = OptionalLong.empty();
        private List<String> stop = List.of();
        private boolean ignoreEos;
        private DraftOptions draft = DraftOptions.defaults();

        private Builder() {}

        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        public Builder temperature(double value) {
            temperature = (float) value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder topP(double value) {
            topP = (float) value;
            return this;
        }

        public Builder minP(double value) {
            minP = (float) value;
            return this;
        }

        public Builder repeatPenalty(double value) {
            repeatPenalty = (float) value;
            return this;
        }

        public Builder repeatLastN(int value) {
            repeatLastN = value;
            return this;
        }

        public Builder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        public Builder stop(List<String> values) {
            stop = List.copyOf(values);
            return this;
        }

        public Builder stop(String... values) {
            stop = List.of(values);
            return this;
        }

        public Builder ignoreEos(boolean value) {
            ignoreEos = value;
            return this;
        }

        /** By default tokens are drafted where that pays. */
        public Builder draft(DraftOptions value) {
            draft = value;
            return this;
        }

        /** @throws IllegalArgumentException when a number is outside its range or a stop string is empty */
        public GenerationOptions build() {
            return new GenerationOptions(
                    maxTokens, temperature, topK, topP, minP, repeatPenalty, repeatLastN, seed, stop, ignoreEos, draft);
        }
    }
}
