package dev.tern.tokenizer;

/**
 * The character classes of the pre-tokenizers' patterns: \p{L}, \p{N}, \s without line ends, [\r\n], and the rest.
 * A class is packed with its character's length in UTF-8: {@code kind | length << 4}.
 */
final class WordClass {
    static final int NONE = 0;
    static final int LETTER = 1;
    static final int NUMBER = 2;
    static final int SPACE = 3;
    static final int LINE_END = 4;
    static final int OTHER = 5;

    private static final int LETTERS = 1 << Character.UPPERCASE_LETTER
            | 1 << Character.LOWERCASE_LETTER
            | 1 << Character.TITLECASE_LETTER
            | 1 << Character.MODIFIER_LETTER
            | 1 << Character.OTHER_LETTER;
    private static final int NUMBERS =
            1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER | 1 << Character.OTHER_NUMBER;

    private static final int PUNCTUATION = 1 << Character.CONNECTOR_PUNCTUATION
            | 1 << Character.DASH_PUNCTUATION
            | 1 << Character.START_PUNCTUATION
            | 1 << Character.END_PUNCTUATION
            | 1 << Character.INITIAL_QUOTE_PUNCTUATION
            | 1 << Character.FINAL_QUOTE_PUNCTUATION
            | 1 << Character.OTHER_PUNCTUATION;

    private WordClass() {}

    static int kind(int packed) {
        return packed & 15;
    }

    static int length(int packed) {
        return packed >> 4;
    }

    /** Class and length of the character at {@code at}, in valid UTF-8 that ends at {@code to}. */
    static int at(byte[] utf8, int at, int to) {
        int b = utf8[at];
        if (b >= 0) {
            return 1 << 4 | ascii(b);
        }
        int length = Utf8.length(b);
        return length << 4 | of(Utf8.codePoint(utf8, at, length));
    }

    private static int ascii(int c) {
        int lower = c | 0x20;
        if (lower >= 'a' && lower <= 'z') {
            return LETTER;
        }
        if (c == ' ') {
            return SPACE;
        }
        if (c >= '0' && c <= '9') {
            return NUMBER;
        }
        if (c == '\n' || c == '\r') {
            return LINE_END;
        }
        return c == '\t' || c == 0x0B || c == '\f' ? SPACE : OTHER;
    }

    private static int of(int codePoint) {
        int type = 1 << Character.getType(codePoint);
        if ((type & LETTERS) != 0) {
            return LETTER;
        }
        if ((type & NUMBERS) != 0) {
            return NUMBER;
        }
        return isWhiteSpace(codePoint) ? SPACE : OTHER;
    }

    /** {@code \p{N}}, and Rust's {@code char::is_numeric}. */
    static boolean isNumber(int c) {
        return (1 << Character.getType(c) & NUMBERS) != 0;
    }

    /** {@code \p{P}}. */
    static boolean isPunctuation(int c) {
        return (1 << Character.getType(c) & PUNCTUATION) != 0;
    }

    /** Unicode's White_Space property, which is what \s means to Hugging Face; Java's own methods differ from it. */
    static boolean isWhiteSpace(int c) {
        return c == ' '
                || c >= 0x09 && c <= 0x0D
                || c >= 0x85
                        && (c == 0x85 || c == 0xA0 || c == 0x1680 || c >= 0x2000 && c <= 0x200A || c == 0x2028
                                || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000);
    }

    /** Rust's and Java's Unicode \w: letters, marks, decimal digits, connectors, joiners. */
    static boolean isWord(int c) {
        int type = 1 << Character.getType(c);
        int marksAndConnectors = 1 << Character.NON_SPACING_MARK
                | 1 << Character.ENCLOSING_MARK
                | 1 << Character.COMBINING_SPACING_MARK
                | 1 << Character.DECIMAL_DIGIT_NUMBER
                | 1 << Character.CONNECTOR_PUNCTUATION;
        return Character.isAlphabetic(c) || (type & marksAndConnectors) != 0 || c == 0x200C || c == 0x200D;
    }
}
