package dev.tern.probe;

import dev.tern.ternary.TernaryMatrix;

/** Another reading of the stored ternary matrices, such as one with another order of weights. */
@FunctionalInterface
public interface Rewrite {
    /** The matrix as it lies. */
    Rewrite NONE = (name, matrix) -> matrix;

    /**
     * The matrix under this reading.
     *
     * @param name under GGUF, such as {@code blk.0.attn_q.weight}
     * @param matrix as stored
     */
    TernaryMatrix apply(String name, TernaryMatrix matrix);
}
