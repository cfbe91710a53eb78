package dev.tern.convert;

import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The checkpoint's tokenizer and the file's on the same texts. */
final class TokenizerRoundTrip {
    /** Scripts, digits, spaces, marks, emoji with joiners, code, line ends: what pre-tokenizers treat in different ways. */
    static final List<String> TEXTS = List.of(
            "The quick brown fox can't jump over 1234567 lazy dogs; it's 3.14 metres too far!",
            "  leading, trailing and   many spaces \t tabs\n\n\nnew lines\r\nof both kinds  ",
            "Größe, façade, naïve, œuvre, Łódź, İstanbul, Ångström, señor, ¿qué tal?",
            "Быстрая коричневая лиса прыгает через ленивую собаку. Όλοι οι άνθρωποι γεννιούνται ελεύθεροι.",
            "すべての人間は、生まれながらにして自由である。人人生而自由，在尊严和权利上一律平等。모든 인간은 자유롭다.",
            "يولد جميع الناس أحراراً متساوين. כל בני אדם נולדו בני חורין. सभी मनुष्य स्वतंत्र हैं। มนุษย์ทั้งหลายเกิดมามีอิสระ",
            "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🇫🇷 ❤️ e\u0301 ﬁ ½ ™ \u00a0\u2003\u200b end",
            "for (int i = 0; i < n; ++i) { x[i] += 0x1F * y[i]; } // <b>&amp;</b> \\n {\"k\": [null, -1e-9]}",
            "ALL CAPS, camelCase, snake_case, kebab-case, I'LL, you'Re, O'Neill's, '90s, 10,000.00 $€£¥",
            "<|begin_of_text|><|eot_id|></s>[INST] is plain text here");

    private TokenizerRoundTrip() {}

    /** What differs between the two, a sentence each; empty when nothing does. */
    static List<String> problems(Vocabulary expected, Vocabulary found) {
        Tokenizer checkpoint = Tokenizer.of(expected);
        Tokenizer file = Tokenizer.of(found);
        List<String> problems = new ArrayList<>();
        for (String text : TEXTS) {
            int[] ids = checkpoint.encode(text, true, false);
            int[] stored = file.encode(text, true, false);
            int at = Arrays.mismatch(ids, stored);
            if (at >= 0) {
                problems.add("tokenizer: the text \"" + start(text) + "\" becomes other tokens than with the checkpoint's, from"
                        + " token " + at + " on: expected " + id(ids, at) + ", found " + id(stored, at));
                continue;
            }
            String decoded = checkpoint.decode(ids, true);
            String storedDecoded = file.decode(ids, true);
            if (!decoded.equals(storedDecoded)) {
                problems.add("tokenizer: the tokens of \"" + start(text) + "\" become another text than with the checkpoint's: \""
                        + start(storedDecoded) + "\"");
            }
        }
        return problems;
    }

    /** How many of the texts come back whole; a vocabulary that normalizes, or lacks bytes, loses some by design. */
    static int restored(Vocabulary vocabulary) {
        Tokenizer tokenizer = Tokenizer.of(vocabulary);
        return (int) TEXTS.stream()
                .filter(text -> tokenizer.decode(tokenizer.encode(text, true, false), true).equals(text))
                .count();
    }

    private static String id(int[] ids, int at) {
        return at < ids.length ? String.valueOf(ids[at]) : "no more";
    }

    private static String start(String text) {
        int shown = Math.min(24, text.codePointCount(0, text.length()));
        int end = text.offsetByCodePoints(0, shown);
        return end == text.length() ? text : text.substring(0, end) + "…";
    }
}
