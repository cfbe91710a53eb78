package dev.tern.sampling;

/**
 * Which probabilities are told with each token.
 *
 * @param count of how many of the likeliest tokens, beside the chosen one; -1 tells none at all
 * @param afterSampling of the distribution that the token was drawn from, after bias, constraint and chain; otherwise
 *     of the softmax over all logits as the model gives them
 */
public record Probabilities(int count, boolean afterSampling) {
    /** Tells none. */
    public static final Probabilities OFF = new Probabilities(-1, false);

    /** @throws IllegalArgumentException when the count is less than -1 */
    public Probabilities {
        SamplingOptions.require(count >= -1, "probabilities", "-1 (none) or more tokens", count);
    }

    /** Whether any are told. */
    public boolean wanted() {
        return count >= 0;
    }
}
