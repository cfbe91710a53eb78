package dev.tern.model;

/**
 * What evaluating a token takes, by the shapes of a model's weights and how they lie in memory: what its speed is to be
 * held against. Norms, rotations, quantization and the products of attention are left out of the operations.
 *
 * @param weightBytes of weights that a pass over a single token reads: matrices, low-rank corrections, norms, its row of
 *     the embedding, the whole head
 * @param cacheBytes of keys and values, all layers, for each position that a token attends to
 * @param ternaryOperations multiplications and additions of the ternary matrices for a token with logits; those that
 *     tables or a layout spare are counted too
 * @param promptOperations the same for a token of a prompt without logits: behind its last block's keys and values it
 *     is not computed
 */
public record TokenWork(long weightBytes, long cacheBytes, long ternaryOperations, long promptOperations) {

    /**
     * Bytes of weights and cache that a token reads which is evaluated by itself, on the average over {@code tokens} of
     * them behind {@code before} others.
     */
    public double bytesPerToken(int before, int tokens) {
        return weightBytes + cacheBytes * (before + (tokens + 1) / 2.0);
    }
}
