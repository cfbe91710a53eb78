package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** No text makes any of the pipelines fail, or take more than n log n of time. */
class HostileTextTest {
    private static final Path PIPELINES = GoldenCases.TESTDATA.resolve("tokenizers/pipelines");

    @TempDir
    Path folder;

    @ParameterizedTest
    @MethodSource("dev.tern.tokenizer.PipelineGoldenTest#withTokenizerJson")
    @Timeout(value = 4, unit = TimeUnit.MINUTES) // seconds at n log n, hours at n²: a guard against hanging, no measurement
    void longTextsOfOneKind(String name) throws IOException {
        PipelineGoldenTest.unpack(name, folder);
        longTexts(Tokenizer.of(Vocabulary.ofCheckpoint(folder, 1500)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"spm-bpe-nfkc", "spm-unigram-bytes", "spm-bpe"})
    @Timeout(value = 4, unit = TimeUnit.MINUTES)
    void longTextsOfOneKindBySentencePiece(String name) throws IOException {
        Files.copy(PIPELINES.resolve(name).resolve("tokenizer.model"), folder.resolve("tokenizer.model"));
        Tokenizer tokenizer = Tokenizer.of(Vocabulary.ofCheckpoint(folder, 1500));
        longTexts(tokenizer);
        randomTexts(tokenizer);
    }

    private static void longTexts(Tokenizer tokenizer) {
        for (String unit : List.of(" ", "a", "7", "\uD83D\uDE00", "\n", " \n", "'", "A", "aA", "e\u0301", "\u0301", "\u2581", "<|", "!a", "\u4E00 ")) {
            String text = unit.repeat(150_000 / unit.length()) + "x";
            int[] ids = tokenizer.encode(text, true, true);
            assertThat(ids).isNotEmpty();
            assertThat(tokenizer.decode(ids, false)).isNotNull();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.tern.tokenizer.PipelineGoldenTest#withTokenizerJson")
    void randomTextsAndIds(String name) throws IOException {
        PipelineGoldenTest.unpack(name, folder);
        randomTexts(Tokenizer.of(Vocabulary.ofCheckpoint(folder, 1500)));
    }

    /** Ids are in range, special ones only where asked for; a stream says what decode says, for ids in any order. */
    private static void randomTexts(Tokenizer tokenizer) {
        SplittableRandom random = new SplittableRandom(11);
        RandomTexts texts = new RandomTexts(random);
        for (int i = 0; i < 1000; i++) {
            String text = texts.next(24);
            for (int id : tokenizer.encode(text, false, false)) {
                boolean unknown = tokenizer.vocabulary().types().get(id) == TokenType.UNKNOWN;
                assertThat(tokenizer.isSpecial(id) && !unknown).as(text).isFalse();
            }
            int[] ids = random.ints(random.nextInt(10), 0, random.nextBoolean() ? 300 : tokenizer.vocabulary().size()).toArray();
            boolean skip = random.nextBoolean();
            TokenStream stream = tokenizer.stream(skip);
            List<String> parts = new ArrayList<>();
            for (int id : ids) {
                parts.add(stream.push(id));
                assertThat(tokenizer.bytes(id)).isNotNull();
            }
            parts.add(stream.finish());
            assertThat(String.join("", parts)).isEqualTo(tokenizer.decode(ids, skip));
        }
    }
}
