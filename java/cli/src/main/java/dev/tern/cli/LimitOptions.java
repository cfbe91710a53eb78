package dev.tern.cli;

import dev.tern.server.ServerOptions;
import java.time.Duration;
import picocli.CommandLine.Option;

/** What clients can make a server hold or wait for. */
final class LimitOptions {
    private static final int MEBIBYTE = 1 << 20;
    private static final int MOST_MEBIBYTES = 1024;

    @Option(
            names = "--max-body",
            paramLabel = "MIB",
            defaultValue = "8",
            description = "Largest body of a request, in MiB (default: ${DEFAULT-VALUE}).")
    private int maxBody;

    @Option(
            names = "--max-connections",
            paramLabel = "N",
            defaultValue = "4096",
            description = "Connections at once (default: ${DEFAULT-VALUE}).")
    private int maxConnections;

    @Option(
            names = "--max-requests",
            paramLabel = "N",
            defaultValue = "512",
            description = "Requests at once, waiting ones and those that need no slot included (default:"
                    + " ${DEFAULT-VALUE}).")
    private int maxRequests;

    @Option(
            names = "--request-timeout",
            paramLabel = "S",
            defaultValue = "30",
            description = "Seconds in which a request must have arrived (default: ${DEFAULT-VALUE}).")
    private int requestTimeout;

    @Option(
            names = "--idle-timeout",
            paramLabel = "S",
            defaultValue = "60",
            description = "Seconds that a connection may wait for its next request (default: ${DEFAULT-VALUE}).")
    private int idleTimeout;

    @Option(
            names = "--write-timeout",
            paramLabel = "S",
            defaultValue = "30",
            description = "Seconds in which a client must take 16 KiB of its answer (default: ${DEFAULT-VALUE}).")
    private int writeTimeout;

    @Option(
            names = "--sse-ping-interval",
            paramLabel = "S",
            defaultValue = "15",
            description = "Seconds of silence in a stream before a comment is sent (default: ${DEFAULT-VALUE}).")
    private int pingInterval;

    @Option(
            names = "--drain",
            paramLabel = "S",
            defaultValue = "30",
            description = "Seconds that requests at hand have when the server is told to stop (default:"
                    + " ${DEFAULT-VALUE}).")
    private int drain;

    Duration drain() {
        return Duration.ofSeconds(Math.max(0, drain));
    }

    /** @throws IllegalArgumentException when a number is outside its range */
    void applyTo(ServerOptions.Builder options) {
        if (maxBody < 1 || maxBody > MOST_MEBIBYTES) {
            throw new IllegalArgumentException(
                    "--max-body: expected 1 to " + MOST_MEBIBYTES + " MiB, found " + maxBody);
        }
        options.maxBodyBytes(maxBody * MEBIBYTE)
                .maxConnections(maxConnections)
                .maxRequests(maxRequests)
                .requestTime(Duration.ofSeconds(requestTimeout))
                .idleTime(Duration.ofSeconds(idleTimeout))
                .writeTime(Duration.ofSeconds(writeTimeout))
                .pingInterval(Duration.ofSeconds(pingInterval));
    }
}
