package dev.tern;

/** How the hidden states of a text's tokens become one vector. */
public enum Pooling {
    /** The last token's, which has seen all others: what a causal model is trained to sum a text up in. */
    LAST,
    /** The mean of all tokens': sums of doubles in their order, divided, rounded once. */
    MEAN
}
