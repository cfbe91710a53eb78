package dev.tern;

import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.SamplingOptionsBuilder;
import dev.tern.sampling.TokenConstraint;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/**
 * How to generate. Immutable; made by {@link #builder}.
 *
 * @param maxTokens stop after this many tokens; -1 for as many as the context holds
 * @param sampling how each token is chosen
 * @param seed of the random numbers; empty for another one each time
 * @param stop texts at which to stop; they do not appear in the output
 * @param endTokens what becomes of end tokens
 * @param constraint makes what the generated tokens must follow, such as a grammar: one for each generation, in its
 *     first state; empty for none
 * @param shown special tokens whose text appears in the output, where it is left out of others; for
 *     {@link Model#chatMarkIds}
 * @param draft whether and how tokens are guessed ahead, which changes no token but how long it takes
 */
public record GenerationOptions(
        int maxTokens,
        SamplingOptions sampling,
        OptionalLong seed,
        List<String> stop,
        EndTokens endTokens,
        Optional<Supplier<TokenConstraint>> constraint,
        Set<Integer> shown,
        DraftOptions draft) {

    /** @throws IllegalArgumentException when the number of tokens is less than -1 or a stop string is empty */
    public GenerationOptions {
        if (maxTokens < -1) {
            throw new IllegalArgumentException("max tokens: expected -1 (no limit) or more, found " + maxTokens);
        }
        stop = List.copyOf(stop);
        shown = Set.copyOf(shown);
        if (stop.contains("")) {
            throw new IllegalArgumentException("a stop string is empty");
        }
    }

    /** Starts from 128 tokens, temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, no penalty, a new seed each time. */
    public static Builder builder() {
        return new Builder();
    }

    /** Starts from these options. */
    public Builder toBuilder() {
        Builder builder = new Builder()
                .maxTokens(maxTokens)
                .sampling(sampling)
                .stop(stop)
                .endTokens(endTokens)
                .shown(shown)
                .draft(draft);
        builder.seed = seed;
        builder.constraint = constraint;
        return builder;
    }

    /** Builds {@link GenerationOptions}. Not thread-safe. */
    public static final class Builder {
        private int maxTokens = 128;
        private SamplingOptionsBuilder sampling = SamplingOptions.builder();
        private OptionalLong seed = OptionalLong.empty();
        private List<String> stop = List.of();
        private EndTokens endTokens = EndTokens.STOP;
        private Optional<Supplier<TokenConstraint>> constraint = Optional.empty();
        private Set<Integer> shown = Set.of();
        private DraftOptions draft = DraftOptions.defaults();

        private Builder() {}

        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        /** Takes these sampling options instead of what was said before; setters called later change them. */
        public Builder sampling(SamplingOptions value) {
            sampling = value.toBuilder();
            return this;
        }

        /** As the sampling options' number of that name, like the five that follow. */
        public Builder temperature(double value) {
            sampling.temperature(value);
            return this;
        }

        public Builder topK(int value) {
            sampling.topK(value);
            return this;
        }

        public Builder topP(double value) {
            sampling.topP(value);
            return this;
        }

        public Builder minP(double value) {
            sampling.minP(value);
            return this;
        }

        public Builder repeatPenalty(double value) {
            sampling.repeatPenalty(value);
            return this;
        }

        public Builder repeatLastN(int value) {
            sampling.repeatLastN(value);
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

        /** {@link EndTokens#STOP} by default. */
        public Builder endTokens(EndTokens value) {
            endTokens = value;
            return this;
        }

        /** {@link EndTokens#IGNORE} for true, {@link EndTokens#STOP} for false. */
        public Builder ignoreEos(boolean value) {
            return endTokens(value ? EndTokens.IGNORE : EndTokens.STOP);
        }

        /** Called once for each generation. */
        public Builder constraint(Supplier<TokenConstraint> value) {
            constraint = Optional.of(value);
            return this;
        }

        /** None by default. */
        public Builder shown(Set<Integer> specialIds) {
            shown = specialIds;
            return this;
        }

        /** By default tokens are drafted where that pays. */
        public Builder draft(DraftOptions value) {
            draft = value;
            return this;
        }

        /** @throws IllegalArgumentException when a number is outside its range or a stop string is empty */
        public GenerationOptions build() {
            return new GenerationOptions(maxTokens, sampling.build(), seed, stop, endTokens, constraint, shown, draft);
        }
    }
}
