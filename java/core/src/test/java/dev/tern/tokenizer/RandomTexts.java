package dev.tern.tokenizer;

import java.util.List;
import java.util.random.RandomGenerator;

/** Texts that look for trouble: runs of white space of all kinds, scripts, digits, contractions, pieces of special tokens. */
final class RandomTexts {
    private static final String SPACES = " \t\n\r\u000B\f\u0085\u00A0\u1680\u2003\u2028\u2029\u202F\u205F\u3000";
    private static final List<String> FRAGMENTS = List.of(
            "'s", "'S", "'\u017F", "'re", "'VE", "'ll", "'lL", "'d", "'x", "'", "the", " the", "ing", "Hello", "123", "4567", "\u00BD",
            "\u0661\u0662\u0663\u0664", "<|eot_id|>", "<|eot_id", "|>", "<|begin_of_text|>", "<|", "...", "!!", "\r\n", "  ", "\n\n", " \n ",
            "\u00E9", "e\u0301", "\u0301", "\u4F60\u597D", "\uD83D\uDE00", "\uD83D\uDC68\u200D\uD83D\uDC69", "\u200B", "\u0000", "\uFEFF",
            "\uFFFD", "\u0E44\u0E17\u0E22", "\u0645\u0631\u062D\u0628\u0627", "\uD835\uDCB3", "\u01C5", "\u02BC", "_", "-", "$", "#", "\u0120");

    private final RandomGenerator random;

    RandomTexts(RandomGenerator random) {
        this.random = random;
    }

    String next(int parts) {
        StringBuilder text = new StringBuilder();
        int count = random.nextInt(parts + 1);
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(6)) {
                case 0 -> text.append(FRAGMENTS.get(random.nextInt(FRAGMENTS.size())));
                case 1 -> text.append(SPACES.charAt(random.nextInt(SPACES.length())));
                case 2 -> text.append((char) ('a' + random.nextInt(26)));
                case 3 -> text.append((char) (' ' + random.nextInt(95)));
                case 4 -> text.appendCodePoint(scalar(0x800));
                default -> text.appendCodePoint(scalar(0x110000));
            }
        }
        return text.toString();
    }

    /** A code point below the bound that is no surrogate. */
    private int scalar(int bound) {
        int c = random.nextInt(bound);
        return c >= 0xD800 && c <= 0xDFFF ? c - 0x800 : c;
    }
}
