package dev.tern.sampling;

/**
 * What tokens may come next in a text that must follow rules, such as a grammar. Has the state of one text; not
 * thread-safe.
 */
public interface TokenConstraint {
    /**
     * Sets the logits of all tokens that may not come next to -infinity. Leaves at least one.
     *
     * @param logits {@code [vocab]}
     */
    void mask(float[] logits);

    /**
     * Tells that a token was chosen.
     *
     * @throws IllegalArgumentException when it may not come here
     */
    void accept(int id);
}
