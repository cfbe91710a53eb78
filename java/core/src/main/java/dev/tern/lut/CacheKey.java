package dev.tern.lut;

import dev.tern.io.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** Names of measurements in the cache: by all that they depend on. */
public final class CacheKey {
    private CacheKey() {}

    /** The first 16 hex digits of SHA-256 over a text. */
    public static String of(String text) {
        byte[] hash = Sha256.digest().digest(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(hash, 0, 8);
    }
}
