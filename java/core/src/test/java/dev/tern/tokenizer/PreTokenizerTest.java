package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The hand-written splitters against the regular expressions that they stand for. */
class PreTokenizerTest {

    @ParameterizedTest
    @EnumSource
    void equalsItsPatternOnRandomTexts(PreTokenizer.Words preTokenizer) {
        Pattern pattern = pattern(preTokenizer);
        RandomTexts texts = new RandomTexts(new SplittableRandom(1));
        for (int i = 0; i < 50_000; i++) {
            String text = texts.next(14);
            assertThat(split(preTokenizer, text)).as(text).isEqualTo(byPattern(pattern, text));
        }
    }

    @ParameterizedTest
    @EnumSource
    void equalsItsPatternAroundEveryCodePoint(PreTokenizer.Words preTokenizer) {
        Pattern pattern = pattern(preTokenizer);
        for (int first = 0; first < 0x110000; first += 64) {
            StringBuilder text = new StringBuilder();
            for (int c = first; c < first + 64; c++) {
                if (c < 0xD800 || c > 0xDFFF) {
                    String s = Character.toString(c);
                    text.append("a").append(s).append("b").append(s).append(s).append("1").append(s).append(" ").append(s)
                            .append("'").append(s).append("!").append(s).append("\n").append(s);
                }
            }
            assertThat(split(preTokenizer, text.toString())).isEqualTo(byPattern(pattern, text.toString()));
        }
    }

    /** Splits of tiktoken's and HF's GPT-2, known from their own tests and documentation. */
    @Test
    void knownSplitsOfGpt2() {
        assertThat(split(PreTokenizer.Words.GPT2, "Hello world")).containsExactly("Hello", " world");
        assertThat(split(PreTokenizer.Words.GPT2, "I'll  go,\n\n now!!  ")).containsExactly("I", "'ll", " ", " go", ",", "\n\n", " now", "!!", "  ");
        assertThat(split(PreTokenizer.Words.GPT2, "IT'S 12345 a\t\tb")).containsExactly("IT", "'", "S", " 12345", " a", "\t", "\t", "b");
    }

    private static Pattern pattern(PreTokenizer.Words preTokenizer) {
        return Pattern.compile(preTokenizer.pattern(), Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE);
    }

    private static List<String> byPattern(Pattern pattern, String text) {
        List<String> words = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            words.add(matcher.group());
        }
        return words;
    }

    private static List<String> split(PreTokenizer.Words preTokenizer, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        List<String> words = new ArrayList<>();
        for (int at = 0; at < utf8.length; ) {
            int end = preTokenizer.end(utf8, at, utf8.length);
            words.add(new String(utf8, at, end - at, StandardCharsets.UTF_8));
            at = end;
        }
        return words;
    }
}
