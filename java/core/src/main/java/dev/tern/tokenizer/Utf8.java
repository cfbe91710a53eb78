package dev.tern.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * UTF-8 as the models' own code reads it. Invalid bytes become one U+FFFD for each maximal subpart of a character, as in
 * Rust's {@code from_utf8_lossy}; Java's decoder differs on encoded surrogates (ED A0 80 is one replacement there, three here).
 */
final class Utf8 {
    private static final char REPLACEMENT = '\uFFFD';

    private Utf8() {}

    /** Encodes; a surrogate without its partner, which no other language lets into a string, becomes U+FFFD. */
    static byte[] encode(String text) {
        return (hasLoneSurrogate(text) ? repaired(text) : text).getBytes(StandardCharsets.UTF_8);
    }

    private static boolean hasLoneSurrogate(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                    i++;
                } else {
                    return true;
                }
            }
        }
        return false;
    }

    private static String repaired(String text) {
        StringBuilder repaired = new StringBuilder(text.length());
        text.codePoints().forEach(c -> repaired.appendCodePoint(c >= 0xD800 && c <= 0xDFFF ? REPLACEMENT : c));
        return repaired.toString();
    }

    /** Bytes of the character that starts with {@code lead}, in valid UTF-8. */
    static int length(int lead) {
        int b = lead & 0xFF;
        return b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
    }

    /** The code point of {@code length} bytes of valid UTF-8. */
    static int codePoint(byte[] utf8, int at, int length) {
        return switch (length) {
            case 1 -> utf8[at];
            case 2 -> (utf8[at] & 0x1F) << 6 | utf8[at + 1] & 0x3F;
            case 3 -> (utf8[at] & 0x0F) << 12 | (utf8[at + 1] & 0x3F) << 6 | utf8[at + 2] & 0x3F;
            default -> (utf8[at] & 0x07) << 18
                    | (utf8[at + 1] & 0x3F) << 12
                    | (utf8[at + 2] & 0x3F) << 6
                    | utf8[at + 3] & 0x3F;
        };
    }

    /** The start of the character that ends before {@code to}, in valid UTF-8. */
    static int previous(byte[] utf8, int to) {
        int at = to - 1;
        while ((utf8[at] & 0xC0) == 0x80) {
            at--;
        }
        return at;
    }

    /** Whether the first {@code length} bytes are well-formed. */
    static boolean isValid(byte[] bytes, int length) {
        for (int at = 0; at < length; ) {
            int expected = bytes[at] >= 0 ? 1 : expectedLength(bytes[at] & 0xFF);
            if (expected == 0 || expected > 1 && validPrefix(bytes, at, length) < expected) {
                return false;
            }
            at += expected;
        }
        return true;
    }

    /** Decodes all of {@code [from, to)}; what is invalid or cut off becomes U+FFFD. */
    static String decode(byte[] bytes, int from, int to) {
        StringBuilder text = new StringBuilder(to - from);
        int rest = append(bytes, from, to, text);
        if (rest < to) {
            text.append(REPLACEMENT);
        }
        return text.toString();
    }

    /**
     * Appends what {@code [from, to)} spells, except a character that has begun well but is not complete.
     *
     * @return where that character begins, or {@code to}
     */
    static int append(byte[] bytes, int from, int to, StringBuilder text) {
        int at = from;
        while (at < to) {
            int lead = bytes[at];
            if (lead >= 0) {
                text.append((char) lead);
                at++;
                continue;
            }
            int valid = validPrefix(bytes, at, to);
            int length = expectedLength(lead & 0xFF);
            if (valid == length && length > 0) {
                text.appendCodePoint(codePoint(bytes, at, length));
            } else if (valid > 0 && at + valid == to) {
                return at;
            } else {
                text.append(REPLACEMENT);
            }
            at += Math.max(1, valid);
        }
        return to;
    }

    /** Bytes of a character that starts with {@code lead}, or 0 when none does. */
    private static int expectedLength(int lead) {
        return lead >= 0xC2 && lead <= 0xDF ? 2 : lead >= 0xE0 && lead <= 0xEF ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    }

    /** How many bytes at {@code at} are the beginning of, or a whole, well-formed character of several bytes (Unicode table 3-7). */
    private static int validPrefix(byte[] bytes, int at, int to) {
        int lead = bytes[at] & 0xFF;
        int length = expectedLength(lead);
        if (length == 0) {
            return 0;
        }
        int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        int valid = 1;
        while (valid < length && at + valid < to) {
            int next = bytes[at + valid] & 0xFF;
            if (next < low || next > high) {
                break;
            }
            valid++;
            low = 0x80;
            high = 0xBF;
        }
        return valid;
    }
}
