package dev.tern.tokenizer;

/**
 * How text is cut into words before merging; merges never cross a cut. Each constant is a regular expression that whole
 * families of models share; {@link #end} is that expression written by hand over UTF-8, so that it needs neither
 * backtracking nor stack, whatever the text's length.
 */
public enum PreTokenizer {
    /** Llama 3 (and with it BitNet b1.58 2B-4T): words with one leading character, digits in threes. */
    LLAMA3(
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+") {
        @Override
        int end(byte[] utf8, int from, int to) {
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
                    for (int digits = 1; digits < 3 && end < to; digits++) {
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
    },

    /** GPT-2: words, numbers and signs with at most one leading space; the pattern of HF's ByteLevel itself. */
    GPT2("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+") {
        @Override
        int end(byte[] utf8, int from, int to) {
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
    };

    private final String pattern;

    PreTokenizer(String pattern) {
        this.pattern = pattern;
    }

    /** The expression as tokenizer.json spells it. */
    public String pattern() {
        return pattern;
    }

    /**
     * The end of the word that starts at {@code from}, a character boundary of valid UTF-8, {@code from < to}. The text ends
     * at {@code to}.
     */
    abstract int end(byte[] utf8, int from, int to);

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
                boolean longS = anyCase && from + 2 < to && utf8[from + 1] == (byte) 0xC5 && utf8[from + 2] == (byte) 0xBF;
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
     * {@code \s*[\r\n]+ | \s+(?!\S) | \s+} (the first of them only where {@code lines}): the run up to its last line end,
     * or else all of it but the last character, which belongs to the word that follows, if one does.
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
