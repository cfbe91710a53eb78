package dev.tern.tokenizer;

/**
 * Where words end by the patterns of {@link PreTokenizer.Words}, without backtracking and stack, whatever the text's
 * length.
 */
final class WordScanner {
    private WordScanner() {}

    /** The pattern of Llama 3 with at most {@code maxDigits} digits in a word. */
    static int llama3(byte[] utf8, int from, int to, int maxDigits) {
        int first = WordClass.at(utf8, from, to);
        if (utf8[from] == '\'') {
            int contraction = contraction(utf8, from, to, true);
            if (contraction > from) {
                return contraction;
            }
        }
        int kind = WordClass.kind(first);
        int second = from + WordClass.length(first);
        switch (kind) {
            case WordClass.LETTER -> {
                return skip(utf8, second, to, WordClass.LETTER);
            }
            case WordClass.NUMBER -> {
                int end = second;
                for (int digits = 1; digits < maxDigits && end < to; digits++) {
                    int next = WordClass.at(utf8, end, to);
                    if (WordClass.kind(next) != WordClass.NUMBER) {
                        break;
                    }
                    end += WordClass.length(next);
                }
                return end;
            }
            case WordClass.OTHER, WordClass.SPACE -> {
                int next = second < to ? WordClass.kind(WordClass.at(utf8, second, to)) : WordClass.NONE;
                if (next == WordClass.LETTER) {
                    return skip(utf8, second, to, WordClass.LETTER);
                }
                if (kind == WordClass.OTHER || utf8[from] == ' ' && next == WordClass.OTHER) {
                    int end = skip(utf8, second, to, WordClass.OTHER);
                    return skip(utf8, end, to, WordClass.LINE_END);
                }
            }
            default -> { }
        }
        return whitespace(utf8, from, to, true);
    }

    /** The pattern of GPT-2. */
    static int gpt2(byte[] utf8, int from, int to) {
        if (utf8[from] == '\'') {
            int contraction = contraction(utf8, from, to, false);
            if (contraction > from) {
                return contraction;
            }
        }
        int start = utf8[from] == ' ' && from + 1 < to ? from + 1 : from;
        int kind = WordClass.kind(WordClass.at(utf8, start, to));
        if (kind == WordClass.LETTER || kind == WordClass.NUMBER || kind == WordClass.OTHER) {
            return skip(utf8, start, to, kind);
        }
        return whitespace(utf8, from, to, false);
    }

    /** 's 't 're 've 'm 'll 'd; with {@code anyCase} also in capitals, and with the long s that folds to s. */
    private static int contraction(byte[] utf8, int from, int to, boolean anyCase) {
        int fold = anyCase ? 0x20 : 0;
        int first = from + 1 < to ? fold(utf8[from + 1], fold) : -1;
        int second = from + 2 < to ? fold(utf8[from + 2], fold) : -1;
        switch (first) {
            case 's', 't', 'm', 'd' -> {
                return from + 2;
            }
            case 'r', 'v' -> {
                return second == 'e' ? from + 3 : from;
            }
            case 'l' -> {
                return second == 'l' ? from + 3 : from;
            }
            default -> {
                boolean longS = anyCase && from + 2 < to && utf8[from + 1] == (byte) 0xC5
                        && utf8[from + 2] == (byte) 0xBF;
                return longS ? from + 3 : from;
            }
        }
    }

    private static int fold(byte b, int fold) {
        return b >= 'A' && b <= 'Z' ? b | fold : b;
    }

    private static int skip(byte[] utf8, int from, int to, int kind) {
        int at = from;
        while (at < to) {
            int next = WordClass.at(utf8, at, to);
            if (WordClass.kind(next) != kind) {
                break;
            }
            at += WordClass.length(next);
        }
        return at;
    }

    /**
     * {@code \s*[\r\n]+ | \s+(?!\S) | \s+} (the first of them only where {@code lines}): the run up to its last line
     * end, or else all of it but the last character, which belongs to the word that follows, if one does.
     */
    private static int whitespace(byte[] utf8, int from, int to, boolean lines) {
        int end = from;
        int last = from;
        int afterLineEnd = from;
        while (end < to) {
            int next = WordClass.at(utf8, end, to);
            int kind = WordClass.kind(next);
            if (kind != WordClass.SPACE && kind != WordClass.LINE_END) {
                break;
            }
            last = end;
            end += WordClass.length(next);
            if (kind == WordClass.LINE_END) {
                afterLineEnd = end;
            }
        }
        if (lines && afterLineEnd > from) {
            return afterLineEnd;
        }
        return end == to || last == from ? end : last;
    }
}
