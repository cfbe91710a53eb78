package dev.tern.probe;

import java.lang.foreign.MemorySegment;

/** What the types of a file make of a checkpoint's numbers. Thread-safe. */
public interface Rounding {
    /** Numbers as they are stored. */
    Rounding NONE = new Rounding() {
        @Override
        public float scale(String projection, float scale) {
            return scale;
        }

        @Override
        public void floats(String tensor, MemorySegment values, int count) {}
    };

    /** The scale of a projection, such as {@code blk.0.attn_q.weight}. */
    float scale(String projection, float scale);

    /**
     * Rounds numbers of the embedding, the head or a low-rank correction in place.
     *
     * @param values float32, whole rows
     */
    void floats(String tensor, MemorySegment values, int count);
}
