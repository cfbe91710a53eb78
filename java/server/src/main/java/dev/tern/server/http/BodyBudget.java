package dev.tern.server.http;

import java.util.concurrent.atomic.AtomicLong;

/** How much memory the bodies of all requests may take together. Thread-safe. */
final class BodyBudget {
    private final AtomicLong left;

    BodyBudget(long bytes) {
        left = new AtomicLong(bytes);
    }

    /** Bytes that are not taken. */
    long left() {
        return left.get();
    }

    /** What one request takes of it. For one thread at a time. */
    final class Lease {
        private long taken;

        /** Takes what is missing to so many bytes. */
        void grow(long bytes) throws HttpException {
            long more = bytes - taken;
            if (more > 0 && left.addAndGet(-more) < 0) {
                left.addAndGet(more);
                throw new HttpException(503, "the requests at hand take all the memory there is for requests");
            }
            taken = Math.max(taken, bytes);
        }

        void release() {
            left.addAndGet(taken);
            taken = 0;
        }
    }
}
