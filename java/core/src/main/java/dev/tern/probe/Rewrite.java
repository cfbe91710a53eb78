package dev.tern.probe;

import java.lang.foreign.MemorySegment;

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

    /**
     * Puts weights of some rows where they belong; asked for where they {@link #moves move} only.
     *
     * @param stored the whole matrix as it lies, a byte a weight, {@code [rows][cols]}
     * @param firstRow the first of {@code count} rows
     * @param out gets these rows, from index 0 on
     */
    default void move(
            String projection, MemorySegment stored, int rows, int cols, int firstRow, int count, byte[] out) {
        throw new IllegalStateException(projection + " lies as this reading has it");
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
