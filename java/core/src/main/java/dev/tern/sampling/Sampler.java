package dev.tern.sampling;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Chooses tokens. The filters work in the order of llama.cpp's default chain: repetition penalty, top-k, top-p, min-p,
 * then temperature, then one random number ({@code SplitMix64}). Exponentials are {@link StrictMath}'s, so a seed gives
 * the same tokens on every machine. Keeps its scratch memory, and allocates nothing per token once that has its size.
 * Not thread-safe.
 */
public final class Sampler {
    private final SamplingOptions options;
    private final float[] logits;
    private final Candidates candidates = new Candidates();
    private final SplitMix random;
    private int[] recent = {};
    private float[] unpenalized = {};
    private long accepted;

    /** A sampler for one sequence of a vocabulary of {@code vocabSize} tokens. */
    public Sampler(SamplingOptions options, int vocabSize) {
        this.options = options;
        this.logits = new float[vocabSize];
        this.random = new SplitMix(options.seed());
    }

    /** Tells the sampler that a token, of the prompt or chosen, stands in the sequence. */
    public void accept(int id) {
        int window = options.repeatPenalty() == 1 ? 0 : options.repeatLastN();
        if (window == 0) {
            return;
        }
        if (accepted == recent.length && (window < 0 || recent.length < window)) {
            int grown = Math.max(64, 2 * recent.length);
            recent = Arrays.copyOf(recent, window < 0 ? grown : Math.min(window, grown));
        }
        recent[(int) (accepted++ % recent.length)] = id; // at its full size the oldest is overwritten
    }

    /**
     * The next token.
     *
     * @param row float32 {@code [vocab]}; not changed
     * @throws InputException when a logit is NaN or +infinity, or all are -infinity: the model's numbers are broken
     */
    public int sample(MemorySegment row) {
        MemorySegment.copy(row, ValueLayout.JAVA_FLOAT, 0, logits, 0, logits.length);
        penalize();
        if (options.temperature() == 0) {
            return best();
        }
        best(); // for its checks
        if (options.topK() > 0) {
            candidates.best(logits, options.topK());
            if (options.topP() < 1) {
                candidates.cutNucleus(options.topP());
            }
        } else if (options.topP() < 1) {
            candidates.nucleus(logits, options.topP());
        } else {
            candidates.all(logits);
        }
        if (options.minP() > 0) {
            candidates.cutBelow(options.minP());
        }
        return candidates.draw(options.temperature(), random.nextDouble());
    }

    private void penalize() {
        float penalty = options.repeatPenalty();
        int known = (int) Math.min(accepted, recent.length);
        if (unpenalized.length < known) {
            unpenalized = new float[recent.length];
        }
        for (int i = 0; i < known; i++) { // all before any is changed, so twice in the window has the effect of once
            unpenalized[i] = logits[recent[i]];
        }
        for (int i = 0; i < known; i++) {
            float logit = unpenalized[i];
            logits[recent[i]] = logit > 0 ? logit / penalty : logit * penalty;
        }
    }

    /** The most likely token, the first of equals. */
    private int best() {
        int best = -1;
        float max = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < logits.length; id++) {
            float logit = logits[id];
            if (logit > max) {
                max = logit;
                best = id;
            } else if (logit != logit) {
                throw broken(id, logit);
            }
        }
        if (best < 0 || max == Float.POSITIVE_INFINITY) {
            throw broken(Math.max(best, 0), max);
        }
        return best;
    }

    private static InputException broken(int id, float logit) {
        return InputException.at("model")
                .problem("its logits are no numbers to choose from")
                .expected("finite values")
                .found(logit + " for token " + id)
                .cure("Weights or norms of the file are damaged; validate it, or convert the checkpoint again.")
                .exception();
    }
}
