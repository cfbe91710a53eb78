package dev.tern;

import java.lang.foreign.MemorySegment;

/** Receives the logits of positions as they are computed. */
@FunctionalInterface
public interface LogitsConsumer {
    /**
     * Takes the logits of one position, which say what stands at the next.
     *
     * @param position in the session
     * @param logits float32 {@code [vocab]}, valid during the call
     */
    void accept(int position, MemorySegment logits);
}
