package dev.tern.server.slots;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A completion that has been submitted. For one reader; any thread may cancel it. */
public interface Completion extends AutoCloseable {
    /**
     * The next event; null when none came within {@code patience}. After {@link CompletionEvent.Ended} or
     * {@link CompletionEvent.Failed} there is none.
     *
     * @throws InterruptedException when the thread is interrupted; the completion goes on
     */
    @Nullable CompletionEvent next(Duration patience) throws InterruptedException;

    /** Ends it within one pass, wherever it is: nobody reads it any more. Idempotent; nothing after the end. */
    @Override
    void close();
}
