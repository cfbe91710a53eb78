package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.SyntheticTokenizer.Kind;
import dev.tern.gguf.GgufValue;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import dev.tern.tokenizer.VocabularyCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the synthetic tokenizers' files say is read as it was meant, and comes back out of GGUF. */
class SyntheticTokenizerReadTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void isReadWithItsPartsAndGoesRound(Kind kind) throws IOException {
        for (int size : new int[] {SyntheticTokenizer.LEAST_VOCAB, 600, 5001}) {
            SyntheticTokenizer tokenizer = SyntheticTokenizer.of(kind, size).withMask();
            Vocabulary vocabulary = read(tokenizer, folder.resolve(kind + "-" + size));
            assertThat(vocabulary.size()).isEqualTo(size + 1);
            assertThat(vocabulary.id(SpecialToken.BOS)).hasValue(tokenizer.bosId());
            assertThat(vocabulary.id(SpecialToken.EOS)).hasValue(tokenizer.eosId());
            assertThat(vocabulary.id(SpecialToken.MASK)).hasValue(size);
            assertThat(vocabulary.endIds()).contains(tokenizer.eosId(), tokenizer.endOfTurnId());
            assertThat(vocabulary.addBos()).isEqualTo(tokenizer.addsBos());
            assertThat(VocabularyCheck.findings(vocabulary)).isEmpty();
            Map<String, GgufValue> metadata = vocabulary.toGguf();
            assertThat(metadata.get("tokenizer.ggml.mask_token_id")).isEqualTo(GgufValue.u32(size));
            Vocabulary again = Vocabulary.ofGguf(metadata, "memory");
            assertThat(again).isEqualTo(vocabulary);
            assertThat(VocabularyCheck.roundTrip(vocabulary, again).problems()).isEmpty();
            Tokenizer read = Tokenizer.of(again);
            assertThat(read.encode("x|<MASK>|y", false, true)).contains(size);
            assertThat(read.encode("x|<MASK>|y", false, false)).doesNotContain(size);
            for (String text : List.of("ba be 12 zu", " ba\n\n", "\u4F60\u597D \uD83D\uDE00", "a  b")) {
                assertThat(read.decode(read.encode(text, false, false), true)).isEqualTo(text);
            }
        }
    }

    /** Merging by rank, as tokenizer.json has it, and by score, as tokenizer.model has it, is the same for them. */
    @Test
    void bothFormsOfSentencePieceMakeTheSameTokens() throws IOException {
        Vocabulary json = read(SyntheticTokenizer.of(Kind.SENTENCE_PIECE, 3000), folder.resolve("json"));
        Vocabulary model = read(SyntheticTokenizer.of(Kind.SENTENCE_PIECE_MODEL, 3000), folder.resolve("model"));
        assertThat(VocabularyCheck.roundTrip(json, model).problems()).isEmpty();
        assertThat(Tokenizer.of(json).encode("ba zu", true, true)[0]).isEqualTo(1);
    }

    private static Vocabulary read(SyntheticTokenizer tokenizer, Path folder) throws IOException {
        Files.createDirectories(folder);
        for (Map.Entry<String, byte[]> file : tokenizer.files(64).entrySet()) {
            Files.write(folder.resolve(file.getKey()), file.getValue());
        }
        return Vocabulary.ofCheckpoint(folder, tokenizer.size());
    }
}
