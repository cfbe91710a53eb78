package dev.tern.source;

import java.net.http.HttpHeaders;

/** What tells a server's contents under an address from later ones (RFC 9110, 8.8). */
final class Validators {
    private Validators() {}

    /**
     * What {@code If-Range} may carry: a strong entity tag, else the date of the last change; empty when the server
     * gives neither.
     */
    static String of(HttpHeaders headers) {
        String tag = headers.firstValue("ETag").orElse("");
        String validator = tag.startsWith("\"") ? tag : headers.firstValue("Last-Modified").orElse("");
        return validator.matches("[ -~]*") ? validator : ""; // others cannot be sent back
    }

    /** Whether an answer says that its contents are not those of a validator; one that says nothing does not. */
    static boolean contradict(HttpHeaders headers, String validator) {
        String said = headers.firstValue(validator.startsWith("\"") ? "ETag" : "Last-Modified").orElse("");
        return !validator.isEmpty() && !said.isEmpty() && !said.equals(validator);
    }
}
