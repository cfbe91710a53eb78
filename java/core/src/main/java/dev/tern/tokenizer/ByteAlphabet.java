package dev.tern.tokenizer;

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

    /**
     * Decodes bytes {@code [from, to)} of UTF-8 into {@code out} at {@code at}, where there is room for as many.
     *
     * @return the number of bytes that they spell, or -1 when a character is not of this alphabet, or cut off
     */
    int decode(byte[] utf8, int from, int to, byte[] out, int at) {
        int end = at;
        for (int i = from; i < to; i++) {
            int c = utf8[i];
            if (c < 0) {
                // The alphabet ends at U+0143: no character of it has more than two bytes.
                if (c >= (byte) 0xE0 || i + 1 == to) {
                    return -1;
                }
                c = (c & 0x1F) << 6 | utf8[++i] & 0x3F;
            }
            if (c >= CHARS || bytes[c] < 0) {
                return -1;
            }
            out[end++] = (byte) bytes[c];
        }
        return end - at;
    }
}
