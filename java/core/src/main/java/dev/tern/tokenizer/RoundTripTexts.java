package dev.tern.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** Texts on which tokenizers differ if they do at all. */
final class RoundTripTexts {
    /** What models are run on: letters with and without marks, digits, apostrophes. */
    static final String PROSE = "The quick brown fox can't jump over 1234567 lazy dogs; it's 3.14 metres too far! "
            + "Gr\u00F6\u00DFe, fa\u00E7ade, na\u00EFve, se\u00F1or, \u00BFqu\u00E9 tal? I'll say they're we've it's what it is.";

    static final List<String> TEXTS = List.of(
            "",
            " ",
            "  ",
            "\n",
            "\t\t \t",
            " \n \n\n  \r\n\r\r ",
            "Hello, world!",
            " Hello  world   with    runs     of      spaces ",
            PROSE,
            "The quick brown fox jumps over the lazy dog; THE QUICK BROWN FOX.",
            "I'll say they're we've it's I'd he'S THEY'RE don\u2019t 'tis",
            "1 12 123 1234 12345 1234567890 3.14159 1,000,000 0x1F 1e-9 \u00BD \u0661\u0662\u0663 \u00B2\u00B3",
            "na\u00EFve caf\u00E9 cafe\u0301 \u00C5ngstr\u00F6m A\u030Angstr\u00F6m Stra\u00DFe \u01C5 \u017Ft",
            "\u041F\u0440\u0438\u0432\u0435\u0442, \u043C\u0438\u0440! "
                    + "\u0395\u03BB\u03BB\u03B7\u03BD\u03B9\u03BA\u03AC",
            "\u0645\u0631\u062D\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060C "
                    + "\u0643\u064A\u0641 \u062D\u0627\u0644\u0643\u061F",
            "\u05E9\u05DC\u05D5\u05DD \u05E2\u05D5\u05DC\u05DD",
            "\u0939\u093F\u0928\u094D\u0926\u0940 \u0924\u092E\u093F\u0934\u094D \u0BA4\u0BAE\u0BBF\u0BB4\u0BCD",
            "\u4F60\u597D\uFF0C\u4E16\u754C\u3002\u4E00\u9FA5\u3400 "
                    + "\u3053\u3093\u306B\u3061\u306F\u30AB\u30BF\u30AB\u30CA \uC548\uB155\uD558\uC138\uC694 \uD7FF",
            "\u0E2A\u0E27\u0E31\u0E2A\u0E14\u0E35\u0E0A\u0E32\u0E27\u0E42\u0E25\u0E01 "
                    + "\u1019\u103C\u1014\u103A\u1019\u102C \u1781\u17D2\u1798\u17C2\u179A",
            "\uD83D\uDE00 \uD83D\uDC68\u200D\uD83D\uDC69\u200D\uD83D\uDC67 1\uFE0F\u20E3 "
                    + "\uD83C\uDDE9\uD83C\uDDEA \u2764\uFE0F \uD835\uDCB3 \uD803\uDC80",
            "for (int i = 0; i < n; i++) {\n    a[i] += b[i] * 2; // sum\n\t\treturn x->y ?: *p;\n}\n",
            "def f(x):\n    return {'a': [1, 2], \"b\": None}  # comment\n\n\nclass A:\n        pass\n",
            "<html><body class=\"x\">&amp; &lt;p&gt;</body></html> http://example.org/a?b=c&d=%20#e user@example.org",
            "!!! ... --- *** ((( ))) [[[ ]]] {{{ }}} ``` ~~~ $%^&*_+=|\\/<>?:;\"' \u00A3 \u20AC \u2014 "
                    + "\u2026 \u201Cquoted\u201D \u00ABx\u00BB",
            "camelCase PascalCase snake_case SCREAMING_CASE kebab-case iPhone12 3DPrinter HTTPServer2Go",
            "\u0000\u0001\u001F\u007F\u0080\u0085\u00A0\u00AD\u200B\u2028\u2029\u202F\u3000\uFEFF\uFFFD\uFFFF",
            "<0x0A> <0xFF> \u2581 \u2581\u2581x \u0120hello [PAD0] <unk> <s> </s> [MASK] |<MASK>| <|endoftext|>",
            "a\uD83Db \uDE00 lone",
            "e\u0301\u0301\u0301\u0323 \u1E69 s\u0323\u0307 \uAC01 \u1100\u1161\u11A8 \uFB01 \u2460 "
                    + "\uFF21 \u212B \u2126 \u0958",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "word ".repeat(40).strip(),
            " ".repeat(70) + "x",
            "\n".repeat(40) + "\t".repeat(20));

    /** So many of a vocabulary's added tokens and pieces are tried. */
    private static final int TOKENS = 200;

    private RoundTripTexts() {}

    /** Texts with the vocabulary's added tokens, alone and between words, and with every so manieth piece. */
    static List<String> withTokens(Vocabulary vocabulary) {
        List<String> texts = new ArrayList<>();
        Tokenizer tokenizer = Tokenizer.of(vocabulary);
        int step = Math.max(1, vocabulary.size() / TOKENS);
        int added = 0;
        for (int id = 0; id < vocabulary.size(); id++) {
            if (vocabulary.types().get(id).added() && added++ < TOKENS) {
                String token = vocabulary.tokens().get(id);
                texts.add(token);
                texts.add("before " + token + " after" + token + token + "\n");
            } else if (id % step == 0 && vocabulary.types().get(id) == TokenType.NORMAL) {
                texts.add("a" + tokenizer.decode(new int[] {id}, false) + " b");
            }
        }
        return texts;
    }
}
