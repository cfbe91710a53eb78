package dev.tern.bench.guard;

import dev.tern.bench.guard.Contest.Way;
import java.util.function.LongSupplier;

/**
 * Times the ways of a contest in turns. What counts is the least time of each: what else runs on the machine makes
 * times longer and never shorter. A sample is short, so that some of them are left alone even where processors are
 * shared.
 */
final class Race {
    /** What came of a contest. */
    enum Verdict {
        OK,
        FAILED,
        /** The machine cannot show it now. */
        SKIPPED
    }

    /**
     * @param fastNanos least time of a unit of the fast way
     * @param slowNanos of the slow way
     * @param capacityRatio what the machine showed last of what it must be able to do; 1 where it was not asked
     */
    record Outcome(Verdict verdict, double fastNanos, double slowNanos, double capacityRatio) {
        double ratio() {
            return slowNanos / fastNanos;
        }
    }

    private static final int ROUNDS = 8;
    private static final long SAMPLE_NANOS = 400_000;
    private static final long WARM_NANOS = 10_000_000;
    private static final int MOST_REPETITIONS = 1 << 16;

    private final LongSupplier nanoTime;
    private final int attempts;

    /**
     * @param attempts how often a contest that is lost so far goes on, each time for {@value #ROUNDS} more rounds
     */
    Race(LongSupplier nanoTime, int attempts) {
        this.nanoTime = nanoTime;
        this.attempts = attempts;
    }

    /** A way with the least time found so far. */
    private final class Timed {
        private final Way way;
        private final int repetitions;
        private double least = Double.POSITIVE_INFINITY;

        /** Repetitions double until they fill a sample; before they are counted, the code has run for a while. */
        Timed(Way way) {
            this.way = way;
            for (long start = nanoTime.getAsLong(); nanoTime.getAsLong() - start < WARM_NANOS; ) {
                way.work().run();
            }
            int n = 1;
            while (n < MOST_REPETITIONS && nanos(n) < SAMPLE_NANOS) {
                n *= 2;
            }
            repetitions = n;
        }

        private long nanos(int times) {
            long start = nanoTime.getAsLong();
            for (int i = 0; i < times; i++) {
                way.work().run();
            }
            return nanoTime.getAsLong() - start;
        }

        void sample() {
            least = Math.min(least, nanos(repetitions) / (repetitions * way.units()));
        }
    }

    /**
     * Runs a contest. It is lost when it is lost after all attempts, and the machine showed in most of them that it had
     * what the contest takes: what it can do is measured right after each, since it may be busy at one time and not at
     * another.
     */
    Outcome run(Contest contest) {
        Timed fast = new Timed(contest.fast());
        Timed slow = new Timed(contest.slow());
        int able = 0;
        double capacity = 1;
        for (int attempt = 0; attempt < attempts; attempt++) {
            for (int round = 0; round < ROUNDS; round++) {
                slow.sample();
                fast.sample();
            }
            if (slow.least / fast.least >= contest.leastRatio()) {
                return new Outcome(Verdict.OK, fast.least, slow.least, capacity);
            }
            if (contest.capacity().isPresent()) {
                Outcome shown = new Race(nanoTime, 1).run(contest.capacity().get());
                capacity = shown.ratio();
                able += shown.verdict() == Verdict.OK ? 1 : 0;
            } else {
                able++;
            }
        }
        return new Outcome(able > attempts / 2 ? Verdict.FAILED : Verdict.SKIPPED, fast.least, slow.least, capacity);
    }
}
