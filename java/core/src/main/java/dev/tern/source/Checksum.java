package dev.tern.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * What a source says a file's bytes hash to.
 *
 * @param hex the hash, lower case
 */
record Checksum(Kind kind, String hex) {

    /** Strongest first. */
    enum Kind {
        SHA256("SHA-256", 32),
        /** SHA-1 of {@code "blob <length>\0"} and the bytes: the name git gives a file's contents. */
        GIT_BLOB("git blob SHA-1", 20),
        MD5("MD5", 16),
        /** CRC-32 with the polynomial of Castagnoli (RFC 3720), big-endian. */
        CRC32C("CRC-32C", 4);

        private final String label;
        private final int bytes;

        Kind(String label, int bytes) {
            this.label = label;
            this.bytes = bytes;
        }

        String label() {
            return label;
        }
    }

    /** From hexadecimal digits; empty when they are no hash of this kind. */
    static Optional<Checksum> ofHex(Kind kind, String digits) {
        boolean fits = digits.matches("[0-9a-fA-F]{" + 2 * kind.bytes + "}");
        return fits ? Optional.of(new Checksum(kind, digits.toLowerCase(Locale.ROOT))) : Optional.empty();
    }

    /** From base64; empty when it is no hash of this kind. */
    static Optional<Checksum> ofBase64(Kind kind, String text) {
        try {
            return ofHex(kind, HexFormat.of().formatHex(Base64.getDecoder().decode(text.strip())));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Hears how many bytes were read. */
    @FunctionalInterface
    interface Read {
        void bytes(long count) throws InterruptedException;
    }

    /** The first of some checksums that a file does not have, with what it has instead; reads the file once. */
    static Optional<Mismatch> check(Path file, List<Checksum> checksums, Read read)
            throws IOException, InterruptedException {
        if (checksums.isEmpty()) {
            return Optional.empty();
        }
        long size = Files.size(file);
        List<Sum> sums = checksums.stream().map(checksum -> sum(checksum.kind, size)).toList();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] chunk = new byte[1 << 18];
            for (int count; (count = in.read(chunk)) >= 0; ) {
                for (Sum sum : sums) {
                    sum.add(chunk, count);
                }
                read.bytes(count);
            }
        }
        for (int i = 0; i < sums.size(); i++) {
            String found = sums.get(i).hex();
            if (!found.equals(checksums.get(i).hex)) {
                return Optional.of(new Mismatch(checksums.get(i), found));
            }
        }
        return Optional.empty();
    }

    /** What was expected, and the hash that was found. */
    record Mismatch(Checksum expected, String found) {}

    private interface Sum {
        void add(byte[] bytes, int count);

        String hex();
    }

    private static Sum sum(Kind kind, long size) {
        return switch (kind) {
            case SHA256 -> new Digest("SHA-256", "");
            case GIT_BLOB -> new Digest("SHA-1", "blob " + size + "\0");
            case MD5 -> new Digest("MD5", "");
            case CRC32C -> new Cyclic();
        };
    }

    private static final class Digest implements Sum {
        private final MessageDigest digest;

        Digest(String algorithm, String prefix) {
            try {
                digest = MessageDigest.getInstance(algorithm);
            } catch (NoSuchAlgorithmException e) {
                throw new AssertionError("every Java has " + algorithm, e);
            }
            digest.update(prefix.getBytes(StandardCharsets.US_ASCII));
        }

        @Override
        public void add(byte[] bytes, int count) {
            digest.update(bytes, 0, count);
        }

        @Override
        public String hex() {
            return HexFormat.of().formatHex(digest.digest());
        }
    }

    private static final class Cyclic implements Sum {
        private final CRC32C crc = new CRC32C();

        @Override
        public void add(byte[] bytes, int count) {
            crc.update(bytes, 0, count);
        }

        @Override
        public String hex() {
            return HexFormat.of().toHexDigits((int) crc.getValue());
        }
    }

    @Override
    public String toString() {
        return kind.label() + " " + hex;
    }
}
