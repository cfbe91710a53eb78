package dev.tern.server.http;

import java.net.InetSocketAddress;

/**
 * A request without its body.
 *
 * @param method as it was sent, such as {@code GET}
 * @param target what is asked for
 * @param http11 whether it is HTTP/1.1; else it is 1.0
 * @param headers its fields
 * @param client who sent it
 */
public record RequestHead(
        String method, RequestTarget target, boolean http11, Headers headers, InetSocketAddress client) {

    /** Whether the connection stays open after the answer. */
    boolean keepsAlive() {
        return http11 && !headers.hasToken("Connection", "close");
    }

    /** Whether a body follows. */
    boolean hasBody() {
        return headers.first("Transfer-Encoding").isPresent()
                || headers.first("Content-Length").map(length -> !length.equals("0")).orElse(false);
    }
}
