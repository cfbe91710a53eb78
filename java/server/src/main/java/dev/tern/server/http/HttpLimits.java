package dev.tern.server.http;

import java.time.Duration;

/**
 * What clients can make the server hold or wait for.
 *
 * @param connections open at once; when there are more, the one that has waited longest for a request makes room
 * @param requests being answered at once; those that are being read have the limits of connections and bodies
 * @param headBytes of the request line and all headers
 * @param headers of a request, by number
 * @param bodyBytes of a request
 * @param allBodyBytes of all requests together, with what they are read into
 * @param requestTime from a request's first byte to its last
 * @param idleTime of a connection between requests
 * @param writeTime for every 16 KiB of an answer, so a client that does not read is cut off
 */
public record HttpLimits(
        int connections,
        int requests,
        int headBytes,
        int headers,
        int bodyBytes,
        long allBodyBytes,
        Duration requestTime,
        Duration idleTime,
        Duration writeTime) {

    /** @throws IllegalArgumentException when one of them is not positive */
    public HttpLimits {
        boolean positive = connections > 0
                && requests > 0
                && headBytes > 0
                && headers > 0
                && bodyBytes > 0
                && allBodyBytes >= bodyBytes
                && requestTime.isPositive()
                && idleTime.isPositive()
                && writeTime.isPositive();
        if (!positive) {
            throw new IllegalArgumentException(
                    "limits: expected positive numbers, and room for one body in that of all, found " + this);
        }
    }

    /**
     * 4,096 connections, 512 requests, 32 KiB and 100 headers, bodies of 8 MiB and 128 MiB of all, 30 s for a request,
     * 60 s idle, 30 s for a write.
     */
    public static HttpLimits defaults() {
        return new HttpLimits(
                4096,
                512,
                32 << 10,
                100,
                8 << 20,
                128 << 20,
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                Duration.ofSeconds(30));
    }

    /** The same with another limit of a body; that of all grows with it where it must. */
    public HttpLimits withBodyBytes(int bytes) {
        return new HttpLimits(
                connections, requests, headBytes, headers, bytes, Math.max(allBodyBytes, 16L * bytes), requestTime,
                idleTime, writeTime);
    }

    /** The same with another number of connections. */
    public HttpLimits withConnections(int number) {
        return new HttpLimits(
                number, requests, headBytes, headers, bodyBytes, allBodyBytes, requestTime, idleTime, writeTime);
    }

    /** The same with another number of requests. */
    public HttpLimits withRequests(int number) {
        return new HttpLimits(
                connections, number, headBytes, headers, bodyBytes, allBodyBytes, requestTime, idleTime, writeTime);
    }

    /** The same with other times for a request, between requests and for a write. */
    public HttpLimits withTimes(Duration request, Duration idle, Duration write) {
        return new HttpLimits(
                connections, requests, headBytes, headers, bodyBytes, allBodyBytes, request, idle, write);
    }
}
