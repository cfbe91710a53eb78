package dev.tern.grammar;

import dev.tern.io.InputException;

/** How much work one schema may make, so that none keeps a server busy. Not thread-safe. */
final class Effort {
    /** States visited: a second or two. */
    private static final long MOST = 30_000_000;

    private String where = "schema";
    private long left = MOST;

    /** What is worked at now, for errors. */
    Effort at(String place) {
        where = place;
        return this;
    }

    void spend(long steps) {
        left -= steps;
        if (left < 0) {
            throw tooLarge();
        }
    }

    InputException tooLarge() {
        return InputException.at(where)
                .problem("the patterns, lengths or bounds together are too large")
                .expected("automata of at most " + Dfa.MOST_STATES + " states each, made in " + MOST + " steps")
                .cure("Make the pattern simpler, or the numbers in it smaller.")
                .exception();
    }
}
