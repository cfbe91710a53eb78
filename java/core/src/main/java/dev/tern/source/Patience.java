package dev.tern.source;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * When a server is tried again and when it is given up.
 *
 * @param attempts in a row that bring less than a mebibyte each, before a file is given up
 * @param firstPause before the second attempt; doubled before every further one, and shortened by up to half at
 *     random, so that many clients do not come back at once
 * @param longestPause to which pauses grow
 * @param longestDemand of a server's {@code Retry-After} that is obeyed; a longer one is an error
 * @param connectTimeout for a connection to be made
 * @param answerTimeout for an answer to begin
 * @param stallTimeout without a byte of an answer that began
 * @param segmentBytes of a large file that are asked for at once; what a killed process loses at most on each
 *     connection
 * @param pauses how a pause is made
 */
public record Patience(
        int attempts,
        Duration firstPause,
        Duration longestPause,
        Duration longestDemand,
        Duration connectTimeout,
        Duration answerTimeout,
        Duration stallTimeout,
        long segmentBytes,
        Pauses pauses) {

    /** Six attempts, pauses from half a second to thirty, thirty seconds without a byte, segments of 32 MiB. */
    public static final Patience DEFAULT = new Patience(
            6,
            Duration.ofMillis(500),
            Duration.ofSeconds(30),
            Duration.ofMinutes(5),
            Duration.ofSeconds(15),
            Duration.ofSeconds(30),
            Duration.ofSeconds(30),
            32L << 20,
            Thread::sleep);

    /** @throws IllegalArgumentException when attempts or segments are less than one */
    public Patience {
        if (attempts < 1 || segmentBytes < 1) {
            throw new IllegalArgumentException("attempts and segment bytes: expected at least 1");
        }
    }

    /** Lets time pass. */
    @FunctionalInterface
    public interface Pauses {
        /** Returns after this time. */
        void pause(Duration time) throws InterruptedException;
    }

    /** The pause after so many attempts in a row that failed. */
    Duration pauseAfter(int failures, RandomGenerator random) {
        long doubled = firstPause.toMillis() << Math.min(failures - 1, 20);
        long most = Math.min(doubled, longestPause.toMillis());
        return Duration.ofMillis(most - (long) (most / 2.0 * random.nextDouble()));
    }
}
