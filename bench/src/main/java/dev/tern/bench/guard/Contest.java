package dev.tern.bench.guard;

import java.util.Optional;

/**
 * Two ways to do a thing, of which one must be the faster.
 *
 * @param subject what is done
 * @param fast the way that must be faster
 * @param slow the other
 * @param leastRatio how many times as fast it must be; far below what it is, so that only a broken path falls short
 * @param capacity what the machine must be able to do for the contest to show anything; asked when it is lost
 */
record Contest(String subject, Way fast, Way slow, double leastRatio, Optional<Contest> capacity) {

    /**
     * A way.
     *
     * @param name for the table
     * @param units of work that a run does
     * @param work one run
     */
    record Way(String name, double units, Runnable work) {}

    Contest(String subject, Way fast, Way slow, double leastRatio) {
        this(subject, fast, slow, leastRatio, Optional.empty());
    }
}
