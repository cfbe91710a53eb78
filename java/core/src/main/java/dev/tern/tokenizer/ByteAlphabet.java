package dev.tern.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * The alphabet in which byte-level vocabularies spell bytes (GPT-2's {@code bytes_to_unicode}): printable Latin-1
 * characters stand for themselves, the other 68 bytes for U+0100 and on, in order. So a space is written {@code Ġ}.
 */
final class ByteAlphabet {
    private static final int CHARS = 256 + 68;
    private final char[] chars = new char[256];
    private final short[] bytes = new short[CHARS];

    ByteAlphabet() {
        java.util.Arrays.fill(bytes, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE && b <= 0xFF;
            char c = (char) (printable ? b : next++);
            chars[b] = c;
            bytes[c] = (short) b;
        }
    }

    /** Spells the bytes {@code [from, to)}. */
    String encode(byte[] bytes, int from, int to) {
        char[] piece = new char[to - from];
        for (int i = from; i < to; i++) {
            piece[i - from] = chars[bytes[i] & 0xFF];
        }
        return new String(piece);
    }

    /** The bytes that the piece spells, or null when a character is not of this alphabet. */
    byte @Nullable [] decode(String piece) {
        byte[] decoded = new byte[piece.length()];
        for (int i = 0; i < decoded.length; i++) {
            char c = piece.charAt(i);
            if (c >= CHARS || bytes[c] < 0) {
                return null;
            }
            decoded[i] = (byte) bytes[c];
        }
        return decoded;
    }

    /**
     * Decodes characters {@code [from, to)} of {@code text} into {@code out} at {@code at}, when there is room.
     *
     * @return the number of bytes, or -1 when a character is not of this alphabet
     */
    int decode(String text, int from, int to, byte[] out, int at) {
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c >= CHARS || bytes[c] < 0) {
                return -1;
            }
            out[at + i - from] = (byte) bytes[c];
        }
        return to - from;
    }
}
