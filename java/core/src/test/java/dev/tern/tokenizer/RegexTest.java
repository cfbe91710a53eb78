package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine of linear time against the JDK's backtracking one, whose syntax is the same for what is tried here. */
class RegexTest {

    @ParameterizedTest
    @ValueSource(strings = {
        "a", "ab|a", "a|ab", "(?:a|ab)(?:c|bcd)", "a*", "a*?b", "(?:ab)+?c?", "a{2,3}", "a{2,3}?", "(?:a|b){0,4}c", "[a-c]++.", "a?+a",
        "(?:a*)*b", "(?:a*)+", "(?:a|b*)*c", "\\s+(?!\\S)|\\s+", "(?<=b)a", "(?<!b)a+", "a(?=b|cc)", "(?=a)", "\\b\\w", "\\B.", "^a|b$",
        "[^a\\s]+", "[\\p{L}&&[^a-c]]+", "(?i:AB|s)c?", "\\p{Lu}\\p{Ll}*|\\P{L}", "[\\-a\\]]+", "\\d{2}|\\D", "(?i)b|C", "(?:(?:a|b)(?:c|a)?)*?d",
        "(?:aa|a)(?:aa|a)(?:aa|a)b|[ab]", "\\u0061\\x62?", "\\p{IsAlphabetic}?a"
    })
    void findsWhatTheJdkFinds(String pattern) throws RegexParser.UnsupportedException {
        Pattern expected = Pattern.compile(
                pattern, Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNICODE_CASE | Pattern.MULTILINE | Pattern.UNIX_LINES);
        Regex regex = Regex.compile(pattern.replace("IsAlphabetic", "Alphabetic"));
        SplittableRandom random = new SplittableRandom(pattern.hashCode());
        for (int i = 0; i < 4000; i++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(12);
            for (int n = 0; n < length; n++) {
                text.append("aaabbbccdAB -]1\u00E9\u017F\n ".charAt(random.nextInt(19)));
            }
            assertThat(found(regex, text.toString())).as("%s in '%s'", pattern, text).isEqualTo(found(expected, text.toString()));
        }
    }

    /** As Oniguruma reads it, the option holds for the rest of the group with its branches, and these belong to it. */
    @ParameterizedTest
    @CsvSource({
        "a(?i)b|c, a(?i:b|c)", "(?:a(?i)b|c)d, (?:a(?i:b|c))d", "d|a(?i)b|c, d|a(?i:b|c)", "a(?i), a", "a(?i)|b, a(?i:|b)",
        "(?:(?i)a|b)c, (?i:a|b)c", "a(?i)b(?i)c|d, a(?i:b(?:c|d))", "\\x{61}\\x{00062}, ab"
    })
    void anOptionInTheMiddleOfABranch(String pattern, String plain) throws RegexParser.UnsupportedException {
        Pattern expected = Pattern.compile(plain);
        Regex regex = Regex.compile(pattern);
        SplittableRandom random = new SplittableRandom(pattern.hashCode());
        for (int i = 0; i < 4000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(8); n > 0; n--) {
                text.append("abcdABCD".charAt(random.nextInt(8)));
            }
            assertThat(found(regex, text.toString())).as("%s in '%s'", pattern, text).isEqualTo(found(expected, text.toString()));
        }
    }

    /** Patterns on which a backtracking engine takes exponential or quadratic time, or a stack as deep as the text is long. */
    @ParameterizedTest
    @ValueSource(strings = {"(?:a*)*b", "(?:a|aa)+$", "(?:a|a)*b", "a*a*a*a*b", "(?:ab|a|b)*c", "a+b|a+c|a+d", " *\\n", "(?:[ab]+ ?)+x"})
    @Timeout(value = 2, unit = TimeUnit.MINUTES) // a second at most; the age of the universe where time is exponential
    void takesTimeInProportionToTheText(String pattern) throws RegexParser.UnsupportedException {
        for (String unit : List.of("a", "ab", " ", "a b")) {
            String text = unit.repeat(300_000) + "!";
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            RegexMatcher matcher = Regex.compile(pattern).matcher(utf8, 0, utf8.length);
            int last = 0;
            while (matcher.find()) {
                assertThat(matcher.start()).isGreaterThanOrEqualTo(last);
                last = matcher.end();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "(a)\\1", "(?>a)", "a(?=b*)", "(?:ab)++", "\\p{NoSuchThing}", "[b-a]", "(", ")", "[a", "*a", "a{3,2}", "(?<n>a)", "\\Ka", "\\",
        "a{2}?", "[[:alpha:]]", "(?=a)*", "\\p", "\\x{zz}", "\\x{41", "\\x{", "\\x{}", "[\\x{41]",
        "\\x{0000041}", "\\u004", "\\x4", "a{1001}", "(?:(?:a{900}){900}){900}"
    })
    void whatItCannotDoIsRefused(String pattern) {
        assertThatThrownBy(() -> Regex.compile(pattern)).isInstanceOf(RegexParser.UnsupportedException.class).message().isNotBlank();
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES)
    void patternsMadeToBreakTheParserAreRefused() {
        for (String pattern : List.of("(".repeat(100_000), "[".repeat(100_000), "(?:a{1000}){1000}", "(?=" + "(?:a|b)".repeat(40) + ")")) {
            assertThatThrownBy(() -> Regex.compile(pattern)).isInstanceOf(RegexParser.UnsupportedException.class);
        }
    }

    /** An empty match right behind another match is none, as in Oniguruma's and the JDK's iterations. */
    private static List<String> found(Pattern pattern, String text) {
        List<String> found = new ArrayList<>();
        Matcher matcher = pattern.matcher(text);
        int lastEnd = -1;
        while (matcher.find()) {
            if (matcher.start() < matcher.end() || matcher.start() != lastEnd) {
                found.add(matcher.start() + ":" + matcher.group());
            }
            lastEnd = matcher.end();
        }
        return found;
    }

    private static List<String> found(Regex regex, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        List<String> found = new ArrayList<>();
        RegexMatcher matcher = regex.matcher(utf8, 0, utf8.length);
        while (matcher.find()) {
            int chars = new String(utf8, 0, matcher.start(), StandardCharsets.UTF_8).length();
            found.add(chars + ":" + new String(utf8, matcher.start(), matcher.end() - matcher.start(), StandardCharsets.UTF_8));
        }
        return found;
    }
}
