package dev.tern.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What GBNF says, and what is said of a text that is not GBNF. */
class GbnfTest {
    private static void accepts(String gbnf, String... texts) {
        Grammar grammar = Grammar.parse(gbnf);
        for (String text : texts) {
            assertThat(grammar.matches(text)).as("'%s' by %s", text, gbnf).isTrue();
        }
    }

    private static void refuses(String gbnf, String... texts) {
        Grammar grammar = Grammar.parse(gbnf);
        for (String text : texts) {
            assertThat(grammar.matches(text)).as("'%s' by %s", text, gbnf).isFalse();
        }
    }

    @Test
    void literalsAreTextWithEscapes() {
        accepts("root ::= \"a\\n\\t\\\\\\\"\\x41\\u00e9\\U0001F600\"", "a\n\t\\\"A\u00e9\uD83D\uDE00");
        accepts("root ::= \"\"", "");
        refuses("root ::= \"ab\"", "", "a", "abc", "AB");
    }

    @Test
    void classesAreSetsOfCharacters() {
        accepts("root ::= [a-cx\\]\\-^]", "a", "b", "c", "x", "]", "-", "^");
        refuses("root ::= [a-cx]", "d", "", "-", "ab");
        accepts("root ::= [^a-z\\n]", "A", "\u00e9", "\uD83D\uDE00", "\u0000", "\uFFFF");
        refuses("root ::= [^a-z\\n]", "a", "z", "\n");
        accepts("root ::= [a-]", "a", "-");
        accepts("root ::= .", "\n", "\u4e2d");
        accepts("root ::= [\u3041-\u309f]+", "\u3041\u3070\u309f");
        refuses("root ::= [\u3041-\u309f]+", "\u3040", "\u30a0", "a");
        refuses("root ::= [^a]", "\u00e9\u00e9");
    }

    /** Every boundary between lengths of UTF-8 and around the surrogates, alone and in ranges across them. */
    @Test
    void rangesAreCutWhereUtf8ChangesItsForm() {
        int[] edges = {0, 0x41, 0x7F, 0x80, 0xBF, 0xC0, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF,
            0x10000, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF};
        for (int i = 0; i < edges.length; i++) {
            for (int j = i; j < edges.length; j++) {
                Grammar range = Grammar.parse("root ::= [\\U%08x-\\U%08x]".formatted(edges[i], edges[j]));
                for (int k = 0; k < edges.length; k++) {
                    assertThat(range.matches(Character.toString(edges[k])))
                            .as("%x in %x to %x", edges[k], edges[i], edges[j])
                            .isEqualTo(k >= i && k <= j);
                }
            }
        }
    }

    @Test
    void repetitionsCount() {
        refuses("root ::= \"ab\"{2,3}", "ab", "abababab", "aba");
        accepts("root ::= \"ab\"{2,3}", "abab", "ababab");
        accepts("root ::= [a]{2}", "aa");
        refuses("root ::= [a]{2}", "a", "aaa");
        accepts("root ::= [a]{2,}", "aa", "aaaaaaaa");
        refuses("root ::= [a]{2,}", "a");
        accepts("root ::= [a]{,2} \"b\"", "b", "ab", "aab");
        refuses("root ::= [a]{0,2} \"b\"", "aaab");
        accepts("root ::= [a]{0} \"b\"", "b");
        accepts("root ::= (\"a\" | \"b\" [0-9]*)+ \"c\"?", "a", "ab12b3c", "bc");
        refuses("root ::= (\"a\" | \"b\" [0-9]*)+ \"c\"?", "", "c", "1");
        accepts("root ::= ((\"a\"?){3} \"-\"){2,4}", "--", "aaa--a-", "a-a-a-a-");
        refuses("root ::= ((\"a\"?){3} \"-\"){2,4}", "-", "aaaa--", "-----");
        accepts("root ::= ((\"a\"*)*)*", "", "aaaa");
        accepts("root ::= [a]? ? \"b\"", "b", "ab");
        accepts("root ::= (\"é\"{2,40} \",\"){1,100}", "éé,", ("é".repeat(40) + ",").repeat(100));
    }

    @Test
    void rulesGoOnInGroupsAndAroundBars() {
        accepts("""
                # a comment
                root ::= item (   # another
                    "," item
                )* |
                    "none"
                  | "nil"  # the end

                item ::= [0-9]+ # digits
                """, "1", "1,22,3", "none", "nil");
        accepts("root ::= a-b_C9\r\na-b_C9 ::=\r\n \"x\"\r\n", "x");
        accepts("root ::= \"a\" | ", "a", "");
    }

    @Test
    void rulesCallEachOther() {
        String brackets = "root ::= \"(\" root \")\" root | \"\"";
        accepts(brackets, "", "()", "(())()", "(".repeat(200) + ")".repeat(200), "()".repeat(5000));
        refuses(brackets, "(", ")(", "(()");
        accepts("root ::= \"a\" root | \"b\"", "a".repeat(10_000) + "b"); // the last call of a rule takes no place
    }

    /** A text is never led to where the calls that it needs for its end are too many. */
    @Test
    void callsAreAsDeepAsTheLimit() {
        Grammar grammar = Grammar.parse("root ::= \"(\" root \")\" | \"x\"");
        int deep = Automaton.DEEPEST;
        assertThat(grammar.matches("(".repeat(deep) + "x" + ")".repeat(deep))).isTrue();
        assertThat(grammar.matches("(".repeat(deep + 1) + "x" + ")".repeat(deep + 1))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', value = {
        "root ::= \"a~ line 1, column 12: expected the closing",
        "root ::= [a~ line 1, column 12: expected the closing ']'",
        "root ::= [z-a]~ line 1, column 11: a range of characters ends before it begins",
        "root ::= \"\\q\"~ line 1, column 11: unknown escape",
        "root ::= \"\\x4\"~ line 1, column 11: an escape needs 2 hexadecimal digits",
        "root ::= \"\\ud800\"~ line 1, column 11: no character",
        "root ::= \"\\UFFFFFFFF\"~ line 1, column 11: no character",
        "root ::= (\"a\"~ line 1, column 14: expected ')' for the '(' at line 1, column 10",
        "root ::= \"a\")~ line 1, column 13: expected the end of the line",
        "root ::= b~ line 1, column 10: no rule has the name 'b'",
        "root = b~ line 1, column 6: expected '::='",
        "é ::= b~ line 1, column 1: expected the name of a rule, found 'é'",
        "root ::= [a]{3,2}~ a repetition ends before it begins",
        "root ::= [a]{1000000}~ line 1, column 14: too many repetitions",
        "root ::= [a]{x}~ line 1, column 14: expected a number",
        "root ::= *~ expected a literal, a class, a group or the name of a rule",
        "a ::= \"a\"~ no rule 'root'",
        "``~ no rule 'root'",
        "root ::= <think>~ tokens as terminals are not supported",
        "root ::= root \"a\" | \"b\"~ a rule begins with itself: root → root",
        "root ::= \"a\" root~ no text that follows the rule 'root' ever ends",
        "root ::= [^\\u0000-\\U0010FFFF]~ no text that follows the rule 'root' ever ends",
        "root ::= []~ no text that follows the rule 'root' ever ends",
    })
    void faultsAreNamedWithTheirPlace(String gbnf, String message) {
        assertThatThrownBy(() -> Grammar.parse(gbnf))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(message.strip());
    }

    @Test
    void faultsAreNamedWithTheirLine() {
        assertThatThrownBy(() -> Grammar.parse("root ::= a\na ::= \"x\"\n\nroot ::= \"y\""))
                .hasMessage("grammar: line 4, column 1: the rule 'root' stands twice");
        assertThatThrownBy(() -> Grammar.parse("root ::= a\na ::= (\"x\" | b)? c\nb ::= \"\"\nc ::= d\nd ::= a"))
                .hasMessageContaining("a rule begins with itself: a → c → d → a");
    }

    @Test
    void sizeIsBounded() {
        assertThatThrownBy(() -> Grammar.parse("root ::= " + "(".repeat(300) + "\"a\"" + ")".repeat(300)))
                .hasMessageContaining("groups are nested too deeply");
        assertThatThrownBy(() -> Grammar.parse("root ::= [a]{100000} [b]{100000} [c]{100000}"))
                .hasMessageContaining("too large; expected at most 200000 states");
        assertThatThrownBy(() -> Grammar.parse("#" + "x".repeat(2_000_000)))
                .hasMessageContaining("too large; expected at most 1048576 characters");
        accepts("root ::= ((((((((\"ab\"{10}){10}){10}){10}){10}){10}){10}){0,10})?", ""); // written out once each
    }
}
