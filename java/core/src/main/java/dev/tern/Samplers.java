package dev.tern;

import dev.tern.sampling.Sampler;
import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.SequenceBreakers;
import dev.tern.sampling.TokenConstraint;
import dev.tern.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Makes the samplers of one model. Thread-safe. */
final class Samplers {
    private final @Nullable Tokenizer tokenizer;
    private final int vocabSize;
    private volatile @Nullable Breakers latest; // requests mostly ask for the same

    private record Breakers(List<String> texts, SequenceBreakers tokens) {}

    /** @param tokenizer null when the model has none: then there are no end tokens and no breakers of repetitions */
    Samplers(@Nullable Tokenizer tokenizer, int vocabSize) {
        this.tokenizer = tokenizer;
        this.vocabSize = vocabSize;
    }

    Sampler of(GenerationOptions options) {
        SamplingOptions sampling = options.sampling();
        if (options.endTokens() == EndTokens.BAN && tokenizer != null) {
            Map<Integer, Float> bias = new HashMap<>(sampling.logitBias());
            IntStream.range(0, vocabSize)
                    .filter(tokenizer::isEnd)
                    .forEach(id -> bias.put(id, Float.NEGATIVE_INFINITY));
            sampling = sampling.toBuilder().logitBias(bias).build();
        }
        long seed = options.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong() >>> 16); // short to type again
        SequenceBreakers breakers =
                sampling.dry().active() ? breakers(sampling.dry().sequenceBreakers()) : SequenceBreakers.NONE;
        TokenConstraint constraint = options.constraint().map(Supplier::get).orElse(null);
        return new Sampler(sampling, vocabSize, seed, breakers, constraint);
    }

    private SequenceBreakers breakers(List<String> texts) {
        if (tokenizer == null) {
            return SequenceBreakers.NONE;
        }
        Breakers known = latest;
        if (known == null || !known.texts.equals(texts)) {
            latest = known = new Breakers(texts, SequenceBreakers.of(texts, tokenizer));
        }
        return known.tokens;
    }
}
