package dev.tern.server;

import dev.tern.Pooling;
import dev.tern.server.api.EndpointOptions;
import dev.tern.server.http.HttpLimits;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Where a server listens, to whom, and how much it takes. Immutable; made by {@link #builder}.
 *
 * @param host name or address to listen at
 * @param port 0 for a free one
 * @param apiKeys one of which a request must bring; none for no such need
 * @param corsOrigins origins whose pages may call, {@code *} for all; none by default, and then requests that a browser
 *     makes for another site's page are refused
 * @param allowedHosts names by which a server without keys may be called, besides addresses, localhost and its host
 * @param alias the model's name for clients; by default its file's path
 * @param metrics whether {@code /metrics} answers
 * @param props whether {@code POST /props} is allowed
 * @param slots whether {@code /slots} answers
 * @param slotSavePath folder of saved slots; without it slots cannot be saved
 * @param pooling how the states of a text's tokens become its embedding; empty for one of each token
 * @param maxChoices most completions that one request may ask for
 * @param maxBodyBytes most bytes of a request's body
 * @param maxConnections most connections at once
 * @param maxRequests most requests at once
 * @param requestTime a request must have arrived in
 * @param idleTime that a connection may wait for its next request
 * @param writeTime in which a client must take 16 KiB of its answer
 * @param pingInterval between comments in a stream in which nothing else comes
 * @param buildInfo what {@code /props} says of the program
 */
public record ServerOptions(
        String host,
        int port,
        List<String> apiKeys,
        List<String> corsOrigins,
        List<String> allowedHosts,
        Optional<String> alias,
        boolean metrics,
        boolean props,
        boolean slots,
        Optional<Path> slotSavePath,
        Optional<Pooling> pooling,
        int maxChoices,
        int maxBodyBytes,
        int maxConnections,
        int maxRequests,
        Duration requestTime,
        Duration idleTime,
        Duration writeTime,
        Duration pingInterval,
        String buildInfo) {

    /**
     * @throws IllegalArgumentException when a number is outside its range, a key is empty, an origin is none or a host
     * no name
     */
    public ServerOptions {
        apiKeys = List.copyOf(apiKeys);
        corsOrigins = List.copyOf(corsOrigins);
        allowedHosts = List.copyOf(allowedHosts);
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port: expected 0 to 65535, found " + port);
        }
        if (apiKeys.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("an API key is empty");
        }
        corsOrigins.forEach(ServerOptions::requireOrigin);
        allowedHosts.forEach(ServerOptions::requireHost);
        if (maxChoices < 1 || !pingInterval.isPositive()) {
            throw new IllegalArgumentException("the most choices and the time between pings must be positive");
        }
        limits(maxConnections, maxRequests, maxBodyBytes, requestTime, idleTime, writeTime); // for its checks
    }

    private static void requireOrigin(String origin) {
        if (origin.equals("*")) {
            return;
        }
        try {
            URI uri = new URI(origin);
            if (uri.getScheme() != null && uri.getHost() != null && uri.getRawPath().isEmpty()) {
                return;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw new IllegalArgumentException(
                "CORS origin: expected * or an origin such as http://localhost:3000, found " + origin);
    }

    private static void requireHost(String name) {
        if (!name.matches("[A-Za-z0-9._-]+")) {
            throw new IllegalArgumentException(
                    "allowed host: expected a name without a port, such as tern.example, found " + name);
        }
    }

    private static HttpLimits limits(
            int connections, int requests, int body, Duration request, Duration idle, Duration write) {
        return HttpLimits.defaults()
                .withConnections(connections)
                .withRequests(requests)
                .withBodyBytes(body)
                .withTimes(request, idle, write);
    }

    HttpLimits limits() {
        return limits(maxConnections, maxRequests, maxBodyBytes, requestTime, idleTime, writeTime);
    }

    EndpointOptions endpoints() {
        return new EndpointOptions(metrics, props, slotSavePath, pooling, maxChoices, pingInterval, buildInfo);
    }

    InetSocketAddress address() throws UnknownHostException {
        return new InetSocketAddress(InetAddress.getByName(host), port);
    }

    /**
     * Starts from 127.0.0.1:30000, no keys, no other origins or hosts, slots shown, no metrics, mean pooling, 64
     * choices, bodies of 8 MiB, 4,096 connections, 512 requests, 30 s to send a request and to read a part of the
     * answer, 60 s between requests, a comment after 15 s of silence.
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Builds {@link ServerOptions}. Not thread-safe. */
    public static final class Builder {
        private String host = "127.0.0.1";
        private int port = 30000;
        private List<String> apiKeys = List.of();
        private List<String> corsOrigins = List.of();
        private List<String> allowedHosts = List.of();
        private Optional<String> alias = Optional.empty();
        private boolean metrics;
        private boolean props;
        private boolean slots = true;
        private Optional<Path> slotSavePath = Optional.empty();
        private Optional<Pooling> pooling = Optional.of(Pooling.MEAN);
        private int maxChoices = 64;
        private int maxBodyBytes = 8 << 20;
        private int maxConnections = 4096;
        private int maxRequests = 512;
        private Duration requestTime = Duration.ofSeconds(30);
        private Duration idleTime = Duration.ofSeconds(60);
        private Duration writeTime = Duration.ofSeconds(30);
        private Duration pingInterval = Duration.ofSeconds(15);
        private String buildInfo = "tern";

        private Builder() {}

        public Builder host(String value) {
            host = value;
            return this;
        }

        public Builder port(int value) {
            port = value;
            return this;
        }

        public Builder apiKeys(List<String> values) {
            apiKeys = List.copyOf(values);
            return this;
        }

        public Builder corsOrigins(List<String> values) {
            corsOrigins = List.copyOf(values);
            return this;
        }

        public Builder allowedHosts(List<String> values) {
            allowedHosts = List.copyOf(values);
            return this;
        }

        public Builder alias(String value) {
            alias = Optional.of(value);
            return this;
        }

        public Builder metrics(boolean value) {
            metrics = value;
            return this;
        }

        public Builder props(boolean value) {
            props = value;
            return this;
        }

        public Builder slots(boolean value) {
            slots = value;
            return this;
        }

        public Builder slotSavePath(Path value) {
            slotSavePath = Optional.of(value);
            return this;
        }

        public Builder pooling(Optional<Pooling> value) {
            pooling = value;
            return this;
        }

        public Builder maxChoices(int value) {
            maxChoices = value;
            return this;
        }

        public Builder maxBodyBytes(int value) {
            maxBodyBytes = value;
            return this;
        }

        public Builder maxConnections(int value) {
            maxConnections = value;
            return this;
        }

        public Builder maxRequests(int value) {
            maxRequests = value;
            return this;
        }

        public Builder requestTime(Duration value) {
            requestTime = value;
            return this;
        }

        public Builder idleTime(Duration value) {
            idleTime = value;
            return this;
        }

        public Builder writeTime(Duration value) {
            writeTime = value;
            return this;
        }

        public Builder pingInterval(Duration value) {
            pingInterval = value;
            return this;
        }

        public Builder buildInfo(String value) {
            buildInfo = value;
            return this;
        }

        /**
         * @throws IllegalArgumentException when a number is outside its range, a key is empty, an origin is none or a
         * host no name
         */
        public ServerOptions build() {
            return new ServerOptions(
                    host,
                    port,
                    apiKeys,
                    corsOrigins,
                    allowedHosts,
                    alias,
                    metrics,
                    props,
                    slots,
                    slotSavePath,
                    pooling,
                    maxChoices,
                    maxBodyBytes,
                    maxConnections,
                    maxRequests,
                    requestTime,
                    idleTime,
                    writeTime,
                    pingInterval,
                    buildInfo);
        }
    }
}
