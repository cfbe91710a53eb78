package dev.tern.server.api;

import dev.tern.io.Sha256;
import dev.tern.server.http.RequestHead;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The keys of which a request must bring one, in UTF-8 where they are not ASCII. Compared by their SHA-256, with all of
 * them, in a time that does not depend on what they are.
 */
public final class ApiKeys {
    private static final String BEARER = "bearer ";

    private final List<byte[]> digests;

    public ApiKeys(List<String> keys) {
        digests = keys.stream().map(key -> digest(key.getBytes(StandardCharsets.UTF_8))).toList();
    }

    /** Says no, with the reason, unless the request brings a key or none is needed. */
    Optional<ApiException> refuse(RequestHead head) {
        if (digests.isEmpty()) {
            return Optional.empty();
        }
        Optional<String> authorization = head.headers().first("Authorization");
        Optional<String> brought = authorization
                .filter(value -> value.toLowerCase(Locale.ROOT).startsWith(BEARER))
                .map(value -> value.substring(BEARER.length()).strip())
                .or(() -> head.headers().first("x-api-key"));
        if (brought.isEmpty()) {
            return Optional.of(ApiException.unauthorized(
                    "an API key is needed: send the header 'Authorization: Bearer KEY', or 'x-api-key: KEY'"));
        }
        byte[] sent = brought.get().getBytes(StandardCharsets.ISO_8859_1); // a header's characters are the bytes sent
        byte[] digest = digest(sent);
        boolean known = false;
        for (byte[] key : digests) {
            known |= MessageDigest.isEqual(key, digest);
        }
        return known
                ? Optional.empty()
                : Optional.of(ApiException.unauthorized("the API key is not one of this server's"));
    }

    private static byte[] digest(byte[] key) {
        return Sha256.digest().digest(key);
    }
}
