package dev.tern.server.slots;

import java.time.Duration;

/** As many requests wait as may. */
public final class QueueFullException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Duration retryAfter;

    /** @param retryAfter when a place in the queue may be expected */
    public QueueFullException(int waiting, Duration retryAfter) {
        super("all slots are busy, and " + waiting + " requests wait already");
        this.retryAfter = retryAfter;
    }

    /** When a place in the queue may be expected. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
