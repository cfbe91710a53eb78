package dev.tern.source;

import dev.tern.io.InputException;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLHandshakeException;

/**
 * Attempts at one thing: decides after each failure whether another makes sense, and waits before it. Not
 * thread-safe.
 */
final class Attempts {
    /** What an attempt must bring for the count of failures to start anew. */
    private static final long GAIN = 1 << 20;

    private final String what;
    private final Patience patience;
    private int failures;

    /** @param what is attempted, for errors: an address or a file */
    Attempts(String what, Patience patience) {
        this.what = what;
        this.patience = patience;
    }

    /**
     * Waits before the next attempt.
     *
     * @param gained bytes that the failed attempt brought and that need not be fetched again
     * @throws HttpStatusException the failure itself, when it will not pass
     * @throws InputException when it was tried often enough
     */
    void failed(IOException failure, long gained) throws HttpStatusException, InterruptedException {
        if (failure instanceof HttpStatusException status && !status.passing()) {
            throw status;
        }
        if (failure instanceof SSLHandshakeException) {
            throw InputException.at(what)
                    .problem("no secure connection: " + failure.getMessage())
                    .cure("If a proxy of your network signs its connections itself, have Java trust it:"
                            + " TERN_JAVA_OPTS=-Djavax.net.ssl.trustStore=FILE.")
                    .exception(failure);
        }
        failures = gained >= GAIN ? 1 : failures + 1;
        if (failures >= patience.attempts()) {
            throw InputException.at(what)
                    .problem("cannot be fetched: " + reason(failure))
                    .found("that at the last of " + failures + " attempts in a row")
                    .cure("Check the network, and run the same command again: it goes on where this one stopped.")
                    .exception(failure);
        }
        patience.pauses().pause(pause(failure));
    }

    private Duration pause(IOException failure) {
        Duration own = patience.pauseAfter(failures, ThreadLocalRandom.current());
        if (!(failure instanceof HttpStatusException status)) {
            return own;
        }
        Duration demanded = demanded(status.header("Retry-After"));
        if (demanded.compareTo(patience.longestDemand()) > 0) {
            throw InputException.at(what)
                    .problem(failure.getMessage() + " and wants to be left alone for " + Http.words(demanded))
                    .cure("Try again then.")
                    .exception(failure);
        }
        return demanded.compareTo(own) > 0 ? demanded : own;
    }

    /** Seconds or a date (RFC 9110, 10.2.3). */
    private static Duration demanded(String retryAfter) {
        try {
            if (retryAfter.matches("\\d{1,9}")) {
                return Duration.ofSeconds(Long.parseLong(retryAfter));
            }
            Instant then = ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
            Duration until = Duration.ofSeconds(Duration.between(Instant.now(), then).toSeconds() + 1);
            return until.isNegative() ? Duration.ZERO : until;
        } catch (DateTimeException e) {
            return Duration.ZERO; // no or no readable demand
        }
    }

    private static String reason(IOException failure) {
        return failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
    }
}
