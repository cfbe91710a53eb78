package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for all texts and all ids. */
class TokenizerPropertyTest {
    private final Vocabulary vocabulary = GoldenCases.tiny();
    private final Tokenizer tokenizer = Tokenizer.of(vocabulary);

    @Test
    void textComesBack() {
        RandomTexts texts = new RandomTexts(new SplittableRandom(2));
        for (int i = 0; i < 20_000; i++) {
            String text = texts.next(20);
            assertThat(tokenizer.decode(tokenizer.encode(text, false, false), true)).isEqualTo(text);
            assertThat(tokenizer.decode(tokenizer.encode(text, false, true), false)).isEqualTo(text);
        }
    }

    @Test
    void aLoneSurrogateIsAReplacementCharacter() {
        assertThat(throughIds("a\uD83Db")).isEqualTo("a\uFFFDb");
        assertThat(throughIds("\uDE00")).isEqualTo("\uFFFD");
        assertThat(throughIds("x\uD83D")).isEqualTo("x\uFFFD");
        assertThat(throughIds("\uDE00\uD83D \uD83D\uDE00")).isEqualTo("\uFFFD\uFFFD \uD83D\uDE00");
    }

    /** Ids in any order cut characters anywhere; a stream must neither split a character nor give up on one too early. */
    @Test
    void aStreamSaysWhatDecodeSays() {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 20_000; i++) {
            // Pieces of single bytes, mostly: ids below 256 are the byte alphabet in this vocabulary.
            int[] ids = random.ints(random.nextInt(12), 0, random.nextBoolean() ? 256 : vocabulary.size()).toArray();
            boolean skip = random.nextBoolean();
            TokenStream stream = tokenizer.stream(skip);
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                String part = stream.push(id);
                assertThat(part.isEmpty() || !Character.isHighSurrogate(part.charAt(part.length() - 1))).isTrue();
                text.append(part);
            }
            assertThat(text + stream.finish()).isEqualTo(tokenizer.decode(ids, skip));
        }
    }

    @Test
    void aStreamWaitsForTheWholeCharacter() {
        byte[] grin = "\uD83D\uDE00".getBytes(StandardCharsets.UTF_8);
        TokenStream stream = tokenizer.stream(true);
        for (int i = 0; i < 3; i++) {
            assertThat(stream.push(byteId(grin[i]))).isEmpty();
        }
        assertThat(stream.push(byteId(grin[3]))).isEqualTo("\uD83D\uDE00");
        stream.push(byteId(grin[0]));
        assertThat(stream.push(byteId((byte) 'a'))).isEqualTo("\uFFFDa");
        stream.push(byteId(grin[0]));
        assertThat(stream.finish()).isEqualTo("\uFFFD");
        assertThat(stream.finish()).isEmpty();
    }

    /** One replacement for each maximal subpart: Unicode 3.9, table 3-8, and encoded surrogates. */
    @Test
    void invalidBytesBecomeReplacementsAsInRust() {
        assertThat(decodeBytes(0xF1, 0x80, 0x80, 0xE1, 0x80, 0xC2, 'b', 0x80, 'c', 0x80, 0xBF, 'd'))
                .isEqualTo("\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
        assertThat(decodeBytes(0xED, 0xA0, 0x80)).isEqualTo("\uFFFD\uFFFD\uFFFD");
        assertThat(decodeBytes(0xC0, 0xAF, 0xE0, 0x80, 0xBF, 0xF0, 0x81, 0x82, 0x41)).isEqualTo("\uFFFD".repeat(8) + "A");
        assertThat(decodeBytes(0xF4, 0x91, 0x92, 0x93, 0xFF, 0x41, 0x80, 0xBF, 0x42)).isEqualTo("\uFFFD".repeat(5) + "A\uFFFD\uFFFDB");
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "a", "7", "\uD83D\uDE00", "\n", "ab", " \n", "'", "aaaaaaaaab"})
    @Timeout(value = 3, unit = TimeUnit.MINUTES) // seconds at n log n, days at n²: a guard against hanging, no measurement
    void aMillionCharactersWithoutAWordBoundary(String unit) {
        String text = unit.repeat(1_000_000 / unit.length());
        assertThat(tokenizer.decode(tokenizer.encode(text, true, true), true)).isEqualTo(text);
    }

    /** The heap for long words, and the scan for short ones, against the definition: lowest rank first, then leftmost. */
    @Test
    void mergesAsDefined() {
        Map<String, Integer> ranks = new HashMap<>();
        for (int i = 0; i < vocabulary.merges().size(); i++) {
            ranks.put(vocabulary.merges().get(i), i);
        }
        SplittableRandom random = new SplittableRandom(4);
        for (int i = 0; i < 400; i++) {
            String word = random.ints(1 + random.nextInt(120), 0, 6)
                    .collect(StringBuilder::new, (s, c) -> s.append("ehtaon".charAt(c)), StringBuilder::append)
                    .toString();
            List<String> pieces = new ArrayList<>(List.of(word.split("")));
            while (true) {
                int best = Integer.MAX_VALUE;
                int at = -1;
                for (int p = 0; p + 1 < pieces.size(); p++) {
                    int rank = ranks.getOrDefault(pieces.get(p) + " " + pieces.get(p + 1), Integer.MAX_VALUE);
                    if (rank < best) {
                        best = rank;
                        at = p;
                    }
                }
                if (at < 0) {
                    break;
                }
                pieces.set(at, pieces.get(at) + pieces.remove(at + 1));
            }
            int[] ids = tokenizer.encode(word, false, false);
            assertThat(IntStream.of(ids).mapToObj(vocabulary.tokens()::get).toList()).isEqualTo(pieces);
        }
    }

    @Test
    void idsBeyondTheVocabularyAreRefused() {
        for (int id : new int[] {-1, vocabulary.size(), Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> tokenizer.decode(new int[] {id}, false)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> tokenizer.bytes(id)).isInstanceOf(InputException.class);
            assertThatThrownBy(() -> tokenizer.stream(true).push(id)).isInstanceOf(InputException.class);
            assertThat(tokenizer.isEnd(id)).isFalse();
        }
    }

    private String throughIds(String text) {
        return tokenizer.decode(tokenizer.encode(text, false, true), false);
    }

    private int byteId(byte b) {
        return IntStream.range(0, 256).filter(id -> tokenizer.bytes(id)[0] == b).findFirst().orElseThrow();
    }

    private String decodeBytes(int... bytes) {
        return tokenizer.decode(IntStream.of(bytes).map(b -> byteId((byte) b)).toArray(), false);
    }
}
