package dev.tern.server.slots;

import java.time.Duration;
import java.util.List;

/** Takes requests for completions and computes many at once. Thread-safe. */
public interface Completions extends AutoCloseable {
    /**
     * Puts a request into the queue, behind those that wait.
     *
     * @throws QueueFullException when as many wait as may
     * @throws dev.tern.io.InputException when the prompt is empty, has unknown ids or is as long as the context
     * @throws IllegalStateException after {@link #close}
     */
    Completion submit(CompletionRequest request);

    /** The slots as they are now, by number. */
    List<SlotState> slots();

    /** Requests that wait for a slot. */
    int waiting();

    /** Takes no more requests and waits for those at hand, so long at most; what is left is cancelled then. */
    void drain(Duration patience) throws InterruptedException;

    /** Cancels everything and frees the slots; the model stays open. */
    @Override
    void close();
}
