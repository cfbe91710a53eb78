package dev.tern;

import dev.tern.sampling.Sampler;
import dev.tern.sampling.SamplingOptions;
import dev.tern.sampling.SequenceBreakers;
import dev.tern.sampling.TokenConstraint;
import dev.tern.tokenizer.Tokenizer;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
    private final Map<List<String>, SequenceBreakers> breakers = new LatestBreakers(); // guarded by itself

    /** Of the lists that requests asked for last: mostly it is one of few. */
    private static final class LatestBreakers extends LinkedHashMap<List<String>, SequenceBreakers> {
        private static final long serialVersionUID = 1L;
        private static final int MOST = 8; // each takes 4 bytes a token of the vocabulary, and its sequences

        LatestBreakers() {
            super(2 * MOST, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<List<String>, SequenceBreakers> eldest) {
            return size() > MOST;
        }
    }

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
        // One that is drawn is short enough to be typed again.
        long seed = options.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong() >>> 16);
        SequenceBreakers breakers =
                sampling.dry().active() ? breakers(sampling.dry().sequenceBreakers()) : SequenceBreakers.NONE;
        TokenConstraint constraint = options.constraint().map(Supplier::get).orElse(null);
        return new Sampler(sampling, vocabSize, seed, breakers, constraint);
    }

    private SequenceBreakers breakers(List<String> texts) {
        if (tokenizer == null) {
            return SequenceBreakers.NONE;
        }
        synchronized (breakers) {
            SequenceBreakers known = breakers.get(texts);
            if (known != null) {
                return known;
            }
        }
        SequenceBreakers made = SequenceBreakers.of(texts, tokenizer); // which others do not wait for
        synchronized (breakers) {
            breakers.put(texts, made);
        }
        return made;
    }
}
