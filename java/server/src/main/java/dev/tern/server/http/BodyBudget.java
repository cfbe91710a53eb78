package dev.tern.server.http;

import java.util.concurrent.atomic.AtomicLong;

/** How much memory the bodies of all requests, and what they are read into, may take together. Thread-safe. */
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
            if (bytes > taken && !more(bytes - taken)) {
                throw new HttpException(503, "the requests at hand take all the memory there is for requests");
            }
        }

        /** Takes so many more; says whether there were as many. */
        boolean more(long bytes) {
            if (left.addAndGet(-bytes) < 0) {
                left.addAndGet(bytes);
                return false;
            }
            taken += bytes;
            return true;
        }

        void release() {
            left.addAndGet(taken);
            taken = 0;
        }
    }
}
