package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SequenceBreakersTest {
    private static final Path MODEL = Path.of(System.getProperty("tern.testdata")).resolve("tiny-bitnet/packed-u8");
    private static final int VOCAB = 4096;

    private final Tokenizer tokenizer = Tokenizer.of(Vocabulary.ofCheckpoint(MODEL, VOCAB));

    /** Breakers of one token each. */
    static SequenceBreakers ofTokens(int vocabSize, List<Integer> tokens) {
        Map<Integer, List<int[]>> alone =
                tokens.stream().collect(Collectors.toMap(token -> token, token -> List.of(new int[0])));
        return new SequenceBreakers(vocabSize, alone);
    }

    private int behind(SequenceBreakers breakers, int[] ids) {
        TokenWindow window = new TokenWindow(-1);
        for (int id : ids) {
            window.add(id);
        }
        return breakers.tokensBehind(window);
    }

    @Test
    void everyTokenThatContainsOneIsABreaker() {
        SequenceBreakers breakers = SequenceBreakers.of(List.of("\n", "ing"), tokenizer);
        int found = 0;
        for (int id = 0; id < VOCAB; id++) {
            String text = new String(tokenizer.bytes(id), StandardCharsets.ISO_8859_1);
            boolean contains = text.contains("\n") || text.contains("ing");
            assertThat(breakers.isBreaker(id)).as(text).isEqualTo(contains);
            found += contains ? 1 : 0;
        }
        assertThat(found).isGreaterThan(5);
    }

    /** Requests bring them, and each is looked for in every token. */
    @Test
    void soManyAndSoLongAtMost() {
        List<String> most = IntStream.range(0, 64).mapToObj(i -> i + "x".repeat(1022)).toList();
        assertThat(new Dry(1, 2, 2, -1, most).sequenceBreakers()).hasSize(64);
        List<String> more = IntStream.range(0, 65).mapToObj(String::valueOf).toList();
        assertThatThrownBy(() -> new Dry(1, 2, 2, -1, more))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("DRY sequence breakers: expected at most 64, found 65");
        assertThatThrownBy(() -> new Dry(1, 2, 2, -1, List.of("x".repeat(1025))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("DRY sequence breaker: expected at most 1024 characters, found 1025");
        SequenceBreakers.of(most, tokenizer);
    }

    @Test
    void aBreakerOfSeveralTokensEndsWhereItsLastTokenDoes() {
        String breaker = "the fox said: ";
        SequenceBreakers breakers = SequenceBreakers.of(List.of(breaker), tokenizer);
        int[] before = tokenizer.encode("Once upon a time the fox said:", false, false);
        int[] all = tokenizer.encode("Once upon a time the fox said: I am hungry", false, false);
        assertThat(behind(breakers, before)).as("it is not complete").isEqualTo(before.length);
        // The blank belongs to the word that follows, so one that ends with the colon stands there as tokens.
        SequenceBreakers shorter = SequenceBreakers.of(List.of("the fox said:"), tokenizer);
        int[] after = tokenizer.encode(" I am hungry", false, false);
        assertThat(all).hasSize(before.length + after.length);
        assertThat(behind(shorter, before)).isZero();
        assertThat(behind(shorter, all)).isEqualTo(after.length);
        assertThat(behind(shorter, tokenizer.encode("the fox ran: I am", false, false)))
                .isEqualTo(tokenizer.encode("the fox ran: I am", false, false).length);
    }

    @Test
    void withoutBreakersEverythingIsBehind() {
        assertThat(behind(SequenceBreakers.NONE, new int[] {1, 2, 3})).isEqualTo(3);
        assertThat(SequenceBreakers.NONE.isBreaker(5)).isFalse();
        assertThat(behind(ofTokens(10, List.of(4)), new int[] {4, 1, 4, 2, 3})).isEqualTo(2);
    }
}
