package dev.tern.source;

import java.io.IOException;
import java.net.http.HttpHeaders;

/** A server answered, and not with what was asked for. */
final class HttpStatusException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final transient HttpHeaders headers;

    HttpStatusException(String host, int status, HttpHeaders headers) {
        super(host + " answers " + status + reason(status));
        this.status = status;
        this.headers = headers;
    }

    int status() {
        return status;
    }

    /** A header's first value, or the empty string. */
    String header(String name) {
        return headers.firstValue(name).orElse("");
    }

    /** Whether the same request may well succeed a little later. */
    boolean passing() {
        return status == 408 || status == 425 || status == 429 || status >= 500 && status != 501 && status != 505;
    }

    private static String reason(int status) {
        return switch (status) {
            case 400 -> " (bad request)";
            case 401 -> " (unauthorized)";
            case 403 -> " (forbidden)";
            case 404 -> " (not found)";
            case 408 -> " (request timeout)";
            case 416 -> " (range not satisfiable)";
            case 429 -> " (too many requests)";
            case 500 -> " (internal server error)";
            case 502 -> " (bad gateway)";
            case 503 -> " (service unavailable)";
            case 504 -> " (gateway timeout)";
            default -> "";
        };
    }
}
