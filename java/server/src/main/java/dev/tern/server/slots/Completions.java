package dev.tern.server.slots;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** Takes requests for completions and computes many at once. Thread-safe. */
public interface Completions extends AutoCloseable {
    /**
     * Puts a request into the queue, behind those that wait. What chooses its tokens is made here, on the
     * caller's thread, so that others do not wait for it; where that fails, the completion tells.
     *
     * @throws QueueFullException when as many wait as may
     * @throws dev.tern.io.InputException when the prompt is empty, has unknown ids or is as long as the context, or
     *     there is no such slot
     * @throws DrainingException after {@link #drain} or {@link #close}
     */
    Completion submit(CompletionRequest request);

    /** The slots as they are now, by number. */
    List<SlotState> slots();

    /** Requests that wait for a slot. */
    int waiting();

    /** What has been done so far. */
    SlotMetrics metrics();

    /**
     * Writes a slot's tokens and cache to a file, once it works on no request. It appears whole or not at all, in place
     * of one that was there. Other slots go on meanwhile.
     *
     * @return tokens written
     * @throws dev.tern.io.InputException when there is no such slot, or the file cannot be written
     * @throws IllegalStateException after {@link #close}
     * @throws InterruptedException when the thread is interrupted while it waits for the slot
     */
    int save(int slot, Path file) throws InterruptedException;

    /**
     * Fills a slot, once it works on no request, from a file that {@link #save} wrote.
     *
     * @return tokens read
     * @throws dev.tern.io.InputException when there is no such slot, or the file is no saved session, damaged, or of
     *     another model; the slot is then as it was
     * @throws IllegalStateException after {@link #close}
     * @throws InterruptedException when the thread is interrupted while it waits for the slot
     */
    int restore(int slot, Path file) throws InterruptedException;

    /**
     * Frees a slot's cache, once it works on no request.
     *
     * @return tokens that it held
     * @throws dev.tern.io.InputException when there is no such slot
     * @throws IllegalStateException after {@link #close}
     * @throws InterruptedException when the thread is interrupted while it waits for the slot
     */
    int erase(int slot) throws InterruptedException;

    /** Takes no more requests and waits for those at hand, so long at most; what is left is cancelled then. */
    void drain(Duration patience) throws InterruptedException;

    /** Cancels everything and frees the slots; the model stays open. */
    @Override
    void close();
}
