package dev.tern.probe;

import dev.tern.ternary.TernaryMatrix;

/** Another reading of the stored ternary matrices: weights in other places, or other scales. Thread-safe. */
public interface Rewrite {
    /** The matrices as they lie. */
    Rewrite NONE = new Rewrite() {};

    /**
     * Whether weights move. A matrix whose weights do not is never unpacked.
     *
     * @param projection under GGUF, such as {@code blk.0.attn_q.weight}
     */
    default boolean moves(String projection) {
        return false;
    }

    /** The matrix with its weights where they belong; asked for where they {@link #moves move} only. */
    default TernaryMatrix moved(String projection, TernaryMatrix matrix) {
        return matrix;
    }

    /** s under this reading. */
    default float scale(float stored) {
        return stored;
    }

    /**
     * Which stored row of U is row {@code row}, U being of the low-rank correction beside a projection.
     *
     * @param projection such as {@code blk.0.attn_q}
     */
    default int rowOfU(String projection, int row) {
        return row;
    }
}
