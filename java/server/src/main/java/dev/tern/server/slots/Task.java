package dev.tern.server.slots;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A request on its way, and what its reader sees of it. The scheduler tells, one reader listens. Thread-safe. */
final class Task implements Completion {
    private final long number;
    private final CompletionRequest request;
    private final Consumer<Task> cancel;
    private final LinkedBlockingQueue<CompletionEvent> events = new LinkedBlockingQueue<>();
    private volatile boolean cancelled;
    private volatile boolean ended; // its last event has been told
    private volatile boolean read; // to its end

    /** @param cancel is told, once, when nobody reads any more what has not ended */
    Task(long number, CompletionRequest request, Consumer<Task> cancel) {
        this.number = number;
        this.request = request;
        this.cancel = cancel;
    }

    long number() {
        return number;
    }

    CompletionRequest request() {
        return request;
    }

    boolean cancelled() {
        return cancelled;
    }

    /** Tells the reader; nobody's patience is asked for, as an answer is no longer than the context. */
    void tell(CompletionEvent event) {
        ended |= last(event);
        if (!cancelled || last(event)) {
            events.add(event);
        }
    }

    @Override
    public @Nullable CompletionEvent next(Duration patience) throws InterruptedException {
        if (read) {
            return null;
        }
        CompletionEvent event = events.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        read = event != null && last(event);
        return event;
    }

    private static boolean last(CompletionEvent event) {
        return event instanceof CompletionEvent.Ended || event instanceof CompletionEvent.Failed;
    }

    @Override
    public void close() {
        if (!cancelled) {
            cancelled = true;
            if (!ended) { // else there is nothing to stop, and no pass of others is to be given up for it
                events.clear();
                cancel.accept(this);
            }
        }
    }
}
