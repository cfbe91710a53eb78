package dev.tern.grammar;

/**
 * How many states may still be visited for one text, so that none keeps others waiting: {@link #MOST} at first, and
 * some more with each token. Not thread-safe.
 */
final class WorkBudget {
    /** A second or two. */
    static final long MOST = 20_000_000;

    /** Some milliseconds: less than a model takes for the token. */
    static final long A_TOKEN = 100_000;

    private long left = MOST;

    long left() {
        return left;
    }

    /** One token more. What earlier ones did not need is not saved beyond {@link #MOST}. */
    void token() {
        left = Math.min(MOST, left + A_TOKEN);
    }

    void spend(long states) {
        left -= states;
    }
}
