package dev.tern.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tokens that a mask leaves are those that can be gone on with, one by one. */
class TokenMasksTest {
    static final String JSON = """
            root ::= object
            value ::= object | array | string | "-"? [0-9]{1,12} ("." [0-9]{1,9})? | "true" | "null"
            object ::= "{" ws (string ":" ws value ("," ws string ":" ws value)*)? ws "}"
            array ::= "[" ws (value ("," ws value)*)? "]"
            string ::= "\\"" ([^"\\\\\\x00-\\x1f] | "\\\\" ["\\\\/bfnrt])* "\\""
            ws ::= " "? | "\\n" " "{0,8}
            """;

    private static VocabularyTrie tiny;
    private static VocabularyTrie large;

    @BeforeAll
    static void makeTries() {
        tiny = TestVocabularies.tiny();
        large = TestVocabularies.large(6_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        JSON,
        "root ::= [a-z ]{0,300} \".\"",
        "root ::= [a-z ]{200,400} \".\"",
        "root ::= [a-z ]{140,} \".\" [0-9é]{0,9}",
        "root ::= (\"(\" root \")\" | [a-z]+) [0-9]*",
        "root ::= \"(\" root \")\" root | \"\"",
        "root ::= (\"a\" | \"ab\" | [a-c]* \"bc\"){2,5} | .{0,3} \"a\"*",
        "root ::= ([a-z]{1,3} \" \"){3,150}",
        "root ::= a b | a c\na ::= [^\\n]{1,20}\nb ::= \"\\n\"\nc ::= \"  \" [\\u3041-\\u309f]* \"!\"",
    })
    void masksAreWhatCanBeAccepted(String gbnf) {
        for (VocabularyTrie trie : List.of(tiny, large)) {
            SplittableRandom random = new SplittableRandom(5);
            for (int seed = 0; seed < 2; seed++) {
                Grammar grammar = Grammar.parse(gbnf);
                TokenMasks masks = masksOf(grammar, trie);
                TokenMasks.Place place = masks.begin();
                for (int length = 0; length < 25; length++) {
                    int[] allowed = checked(masks, place);
                    if (allowed.length == 0) {
                        assertThat(place.finished()).isTrue();
                        break;
                    }
                    int[] bytes = IntStream.of(allowed).filter(id -> id < 256).toArray();
                    int[] from = bytes.length == 0 || random.nextBoolean() ? allowed : bytes;
                    place = masks.next(place, from[random.nextInt(from.length)], new WorkBudget());
                }
            }
        }
    }

    /** Deep in brackets, where the limit of open calls is in sight. */
    @Test
    void masksKeepTheLimitOfCalls() {
        TokenMasks masks = masksOf(Grammar.parse(JSON), large);
        TokenMasks.Place place = masks.begin();
        for (String text : List.of("{\"a\":", "[".repeat(100), "{\"b\":".repeat(20))) {
            for (int id : bytes(text)) {
                place = masks.next(place, id, new WorkBudget());
            }
            checked(masks, place);
        }
        int depth = 0;
        for (; bit(masks.mask(place, new WorkBudget()), '['); depth++) {
            place = masks.next(place, byteToken('['), new WorkBudget());
            if (depth > 100) {
                checked(masks, place);
            }
        }
        assertThat(depth).isBetween(100, Automaton.DEEPEST);
        for (int id : bytes("1" + "]".repeat(depth) + "}".repeat(20) + "]".repeat(100) + "}")) {
            place = masks.next(place, id, new WorkBudget());
        }
        assertThat(place.finished()).isTrue();
    }

    /** Texts of two repetitions can be divided between them in ever more ways, and still share one mask. */
    @Test
    void aTextOfTwoRepetitionsIsOnePart() {
        TokenMasks masks = masksOf(Grammar.parse("root ::= [a-z]{0,10000} [a-z0-9]{0,10000}"), large);
        TokenMasks.Place place = masks.begin();
        masks.mask(place, new WorkBudget());
        for (int length = 0; length < 1_000; length++) {
            place = masks.next(place, byteToken('x'), new WorkBudget());
            masks.mask(place, new WorkBudget());
        }
        assertThat(masks.partsKept()).isEqualTo(1);
        place = masks.next(place, byteToken('7'), new WorkBudget());
        for (int length = 0; length < 100; length++) {
            place = masks.next(place, byteToken('x'), new WorkBudget());
            masks.mask(place, new WorkBudget());
        }
        assertThat(masks.partsKept()).isEqualTo(2);
    }

    private static int[] checked(TokenMasks masks, TokenMasks.Place place) {
        long[] bits = masks.mask(place, new WorkBudget());
        Tokenizer tokenizer = masks.trie.tokenizer();
        for (int id = 0; id < masks.trie.vocabSize(); id++) {
            boolean taken = !tokenizer.isEnd(id)
                    && !tokenizer.isSpecial(id)
                    && masks.next(place, id, new WorkBudget()) != null;
            if (bit(bits, id) != taken) {
                throw new AssertionError("token " + id + " '" + tokenizer.decode(new int[] {id}, false) + "': mask "
                        + bit(bits, id) + ", accepted " + taken);
            }
        }
        return IntStream.range(0, masks.trie.vocabSize()).filter(id -> bit(bits, id)).toArray();
    }

    private static boolean bit(long[] bits, int id) {
        return (bits[id >> 6] >>> id & 1) != 0;
    }

    /** Of the large vocabulary, whose first 256 tokens are the bytes. */
    private static int byteToken(char c) {
        return c;
    }

    private static int[] bytes(String ascii) {
        return ascii.chars().toArray();
    }

    private static TokenMasks masksOf(Grammar grammar, VocabularyTrie trie) {
        return grammar.constrain(trie).masks();
    }

    @Test
    void theEndMayComeWhereTheTextIsCompleteAndMustWhereNothingElseCan() {
        GrammarConstraint constraint = Grammar.parse("root ::= \"ab\" \"c\"?").constrain(large);
        int end = large.ends()[0];
        float[] logits = new float[large.vocabSize()];
        constraint.mask(logits);
        assertThat(constraint.isComplete()).isFalse();
        assertThat(logits[end]).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(logits['a']).isZero();
        assertThat(logits['b']).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThatThrownBy(() -> constraint.accept(end)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> constraint.accept('b'))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token 98: the grammar does not let it come here");
        constraint.accept('a');
        constraint.accept('b');
        assertThat(constraint.isComplete()).isTrue();
        assertThat(constraint.isFinished()).isFalse();
        Arrays.fill(logits, 0.5f);
        constraint.mask(logits);
        assertThat(logits[end]).isEqualTo(0.5f);
        assertThat(logits['c']).isEqualTo(0.5f);
        assertThat(logits['a']).isEqualTo(Float.NEGATIVE_INFINITY);
        constraint.accept('c');
        assertThat(constraint.isFinished()).isTrue();
        Arrays.fill(logits, 0.5f);
        constraint.mask(logits);
        assertThat(IntStream.range(0, logits.length).filter(id -> logits[id] == 0.5f))
                .containsExactlyElementsOf(IntStream.of(large.ends()).boxed().toList());
        constraint.accept(end);
        assertThat(constraint.isComplete()).isTrue();
        assertThatThrownBy(() -> constraint.accept('c')).hasMessageContaining("the text has ended");
    }

    @Test
    void specialTokensNeverStandInAText() {
        GrammarConstraint constraint = Grammar.parse("root ::= .*").constrain(large);
        float[] logits = new float[large.vocabSize() + 10];
        constraint.mask(logits);
        assertThat(logits[large.special()[0]]).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(logits[large.vocabSize()]).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThatThrownBy(() -> constraint.accept(large.special()[0])).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void textIsFreeUntilATrigger() {
        Grammar grammar = Grammar.parse("root ::= \"{\" [0-9]+ \"}\"").after("<call>", "call:", "<|call|>");
        assertThat(grammar.matches("anything at all, <cal call ")).isTrue();
        assertThat(grammar.matches("x<call>{12}")).isTrue();
        assertThat(grammar.matches("<ccall:{12}")).isTrue();
        assertThat(grammar.matches("x<call>{12")).isFalse();
        assertThat(grammar.matches("x<call>y")).isFalse();
        assertThat(grammar.matches("x<call>{12} ")).isFalse();
        GrammarConstraint constraint = grammar.constrain(large);
        float[] logits = new float[large.vocabSize()];
        constraint.mask(logits);
        assertThat(logits).containsOnly(0);
        for (int id : bytes("Hi<call")) {
            constraint.accept(id);
        }
        constraint.mask(logits);
        for (int id = 0; id < logits.length; id++) {
            String text = "<call" + new String(large.tokenizer().bytes(id), StandardCharsets.ISO_8859_1);
            String[] parts = text.split("<call>|call:", 2);
            assertThat(logits[id] == 0)
                    .as("token %s: %s", id, text)
                    .isEqualTo(parts.length == 1 || parts[1].matches("(\\{([0-9]+}?)?)?"));
        }
        constraint.accept('>');
        constraint.mask(logits);
        assertThat(IntStream.range(0, logits.length).filter(id -> logits[id] == 0))
                .allMatch(id -> large.tokenizer().decode(new int[] {id}, false).startsWith("{"))
                .contains((int) '{');
    }

    /** A special token counts as the text that it spells. */
    @Test
    void aSpecialTokenIsATrigger() {
        GrammarConstraint constraint = Grammar.parse("root ::= \"{}\"").after("<|call|>").constrain(large);
        constraint.accept('a');
        constraint.accept(large.special()[0]);
        float[] logits = new float[large.vocabSize()];
        constraint.mask(logits);
        assertThat(logits[large.special()[0]]).isEqualTo(Float.NEGATIVE_INFINITY);
        assertThat(logits['{']).isZero();
        assertThat(logits['a']).isEqualTo(Float.NEGATIVE_INFINITY);
    }

    /** What others made of the grammar meanwhile, and what was forgotten, changes no mask. */
    @Test
    void sharingAndForgettingChangesNothing() throws Exception {
        Grammar shared = Grammar.parse(JSON);
        List<String> alone = IntStream.range(0, 24).mapToObj(seed -> text(Grammar.parse(JSON), seed)).toList();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Callable<String>> tasks =
                    IntStream.range(0, 24).<Callable<String>>mapToObj(seed -> () -> text(shared, seed)).toList();
            List<Future<String>> together = threads.invokeAll(tasks);
            for (int i = 0; i < tasks.size(); i++) {
                assertThat(together.get(i).get()).isEqualTo(alone.get(i));
            }
        }
    }

    private static String text(Grammar grammar, int seed) {
        return new RandomChoices(tiny, seed).text(grammar, 60);
    }

    @Test
    void aGrammarThatIsFullForgets() {
        // Every text of brackets is a configuration of its own.
        Grammar grammar = Grammar.parse("root ::= (\"(\" root \")\" | \"[\" root \"]\" | [a-z]) \".\"");
        TokenMasks masks = masksOf(grammar, tiny);
        SplittableRandom random = new SplittableRandom(9);
        Object owner = masks.begin().owner();
        int forgotten = 0;
        for (int text = 0; text < 500; text++) {
            TokenMasks.Place place = masks.begin();
            StringBuilder closing = new StringBuilder();
            for (int i = 0; i < 120; i++) {
                boolean round = random.nextBoolean();
                place = masks.next(place, tiny.tokenizer().find(round ? "(" : "[").orElseThrow(), new WorkBudget());
                closing.insert(0, round ? ")." : "].");
            }
            closing.insert(0, "x.");
            for (char c : closing.toString().toCharArray()) {
                place = masks.next(place, tiny.tokenizer().find(String.valueOf(c)).orElseThrow(), new WorkBudget());
            }
            assertThat(place.finished()).isTrue();
            forgotten += place.owner() == owner ? 0 : 1;
            owner = place.owner();
        }
        assertThat(forgotten).isPositive();
    }

    /** Each character can be read in as many ways as there were before: too many, in the end, for one text. */
    @Test
    void aTextHasOneBudgetOfWork() {
        Grammar grammar = Grammar.parse("root ::= " + "[a-z]{0,4000} ".repeat(4) + "\".\"");
        GrammarConstraint constraint = grammar.constrain(tiny);
        int x = tiny.tokenizer().find("x").orElseThrow();
        assertThatThrownBy(() -> IntStream.range(0, 4_000).forEach(i -> constraint.accept(x)))
                .isInstanceOf(InputException.class);
        WorkBudget budget = new WorkBudget();
        budget.token();
        assertThat(budget.left()).isEqualTo(WorkBudget.MOST);
        budget.spend(WorkBudget.MOST);
        budget.token();
        assertThat(budget.left()).isEqualTo(WorkBudget.A_TOKEN);
        TokenMasks masks = masksOf(Grammar.parse(JSON), large);
        WorkBudget spent = new WorkBudget();
        spent.spend(WorkBudget.MOST);
        assertThatThrownBy(() -> masks.mask(masks.begin(), spent))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("too much work to follow");
        assertThat(masks.mask(masks.begin(), new WorkBudget())).isNotNull();
    }
}
