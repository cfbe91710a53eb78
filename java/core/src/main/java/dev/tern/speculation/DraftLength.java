package dev.tern.speculation;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/**
 * How many tokens to draft: so many that a pass promises the most tokens for its time, which may be none.
 *
 * <p>Guesses are counted whether they are verified or not, so this knows how good they are where nothing is drafted,
 * and needs no trials. The share that came true is kept by the length of the match: with share a(m) after a match of
 * m tokens, the expected tokens of a pass over one token and k drafted ones are 1 + a(m) + a(m) a(m+1) + ... (k
 * products), since a drafted token is of use only after those before it (Leviathan et al., "Fast Inference from
 * Transformers via Speculative Decoding", 2023). Not thread-safe.
 */
public final class DraftLength {
    private static final double WORTHWHILE = 1.05; // a gain below this is within what times can tell
    private static final double MEMORY = 31.0 / 32; // weight of a guess beside the one after it
    private static final double PRIOR = 4; // guesses that the shares below count for

    // Matches of 1, 2, 3, 4, 5 to 8, 9 to 16 and more tokens. What is assumed at first matters for a dozen tokens.
    private final double[] right = {0.2, 0.3, 0.4, 0.5, 0.7, 0.8, 0.9};
    private final double[] all = new double[right.length];
    private final IntToDoubleFunction cost;

    /** @param cost time of a pass over so many tokens, 1 or more, in units of that over one */
    public DraftLength(IntToDoubleFunction cost) {
        this.cost = cost;
        Arrays.setAll(right, i -> PRIOR * right[i]);
        Arrays.fill(all, PRIOR);
    }

    /** Tells whether the guess after a match of {@code matched} tokens came true. */
    public void observe(int matched, boolean cameTrue) {
        int i = kind(matched);
        right[i] = MEMORY * right[i] + (cameTrue ? 1 : 0);
        all[i] = MEMORY * all[i] + 1;
    }

    /** Tokens to draft after a match of {@code matched} tokens, from 0 to {@code most}. */
    public int choose(int matched, int most) {
        return choose(matched, most, 0, drafted -> cost.applyAsDouble(drafted + 1));
    }

    /**
     * As {@link #choose(int, int)}, in a pass that gives other sequences a token each as well: what drafted tokens
     * cost, all of them wait for.
     *
     * @param others sequences besides this one
     * @param passCost time of the pass with so many drafted tokens, in units of that with none
     */
    public int choose(int matched, int most, int others, IntToDoubleFunction passCost) {
        int best = 0;
        double gain = WORTHWHILE;
        double tokens = 1;
        double likely = 1;
        for (int k = 1; k <= most; k++) {
            int i = kind(matched + k - 1);
            likely *= right[i] / all[i];
            tokens += likely;
            double promised = (others + tokens) / (others + 1) / passCost.applyAsDouble(k);
            if (promised > gain) {
                gain = promised;
                best = k;
            }
        }
        return best;
    }

    private static int kind(int matched) {
        return matched <= 4 ? matched - 1 : Math.min(6, 33 - Integer.numberOfLeadingZeros(matched - 1));
    }
}
