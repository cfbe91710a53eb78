package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.gguf.GgufValue;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

class VocabularyCheckTest {
    private final Vocabulary tiny = GoldenCases.tiny();

    @Test
    void aSoundVocabularyHasNoFindings() {
        assertThat(VocabularyCheck.findings(tiny)).isEmpty();
        assertThat(VocabularyCheck.bakedBos(tiny)).isEmpty();
    }

    /** What a converter writes that makes added tokens' texts by encoding and decoding them with special tokens. */
    @Test
    void bosInFrontOfTokensIsFound() {
        List<String> tokens = new ArrayList<>(tiny.tokens());
        for (int id = 4080; id < 4096; id++) {
            tokens.set(id, "<|begin_of_text|>" + tokens.get(id));
        }
        for (String bos : List.of("", "<|begin_of_text|>")) {
            assertThat(VocabularyCheck.bakedBos(tokens, bos)).hasValueSatisfying(text -> assertThat(text)
                    .contains("16 of 4096 tokens", "'<|begin_of_text|>'", "<|begin_of_text|><|begin_of_text|>"));
        }
        SequencedMap<String, GgufValue> metadata = tiny.toGguf();
        metadata.put("tokenizer.ggml.tokens", GgufValue.strings(tokens));
        Vocabulary baked = Vocabulary.ofGguf(metadata, "memory");
        assertThat(VocabularyCheck.bakedBos(baked)).isPresent();
        assertThat(VocabularyCheck.findings(baked)).anySatisfy(finding -> {
            assertThat(finding.text()).contains("begin-of-text");
            assertThat(finding.cure()).contains("tern convert");
        });
        assertThat(VocabularyCheck.roundTrip(tiny, baked).problems()).isNotEmpty();
    }

    @Test
    void oneTokenThatBeginsLikeBosIsNoFault() {
        assertThat(VocabularyCheck.bakedBos(List.of("<s>", "<s>x", "<span>", "a"), "<s>")).isEmpty();
        assertThat(VocabularyCheck.bakedBos(List.of("<s>", "</s>", "<select>", "<span>", "<strong>"), "")).isEmpty();
    }

    @Test
    void missingBytesAndMergesAreFound() {
        SequencedMap<String, GgufValue> metadata = tiny.toGguf();
        List<String> tokens = new ArrayList<>(tiny.tokens());
        int id = tokens.indexOf("~");
        tokens.set(id, "[gone]");
        metadata.put("tokenizer.ggml.tokens", GgufValue.strings(tokens));
        metadata.put("tokenizer.ggml.merges", GgufValue.strings(List.of()));
        List<VocabularyCheck.Finding> findings = VocabularyCheck.findings(Vocabulary.ofGguf(metadata, "memory"));
        assertThat(findings).hasSize(2);
        assertThat(findings.getFirst().text()).contains("1 bytes have no token, such as 0x7E");
        assertThat(findings.getLast().text()).contains("no merges");
        Vocabulary broken = Vocabulary.ofGguf(metadata, "memory");
        assertThat(VocabularyCheck.roundTrip(broken, GoldenCases.throughGguf(broken)).problems()).isEmpty();
        assertThat(VocabularyCheck.roundTrip(tiny, broken).problems()).isNotEmpty();
    }

    @Test
    void theSameVocabularyGoesRound() {
        VocabularyCheck.RoundTrip trip = VocabularyCheck.roundTrip(tiny, GoldenCases.throughGguf(tiny));
        assertThat(trip.texts()).isGreaterThan(200);
        assertThat(trip.restored()).isEqualTo(trip.texts());
        assertThat(VocabularyCheck.roundTrip(tiny, GoldenCases.throughGguf(tiny)).problems()).isEmpty();
    }

    @Test
    void anotherPreTokenizerIsFound() {
        for (String pre : List.of("gpt-2", "qwen2", "smollm", "falcon", "deepseek-coder")) {
            SequencedMap<String, GgufValue> metadata = tiny.toGguf();
            metadata.put("tokenizer.ggml.pre", GgufValue.of(pre));
            Vocabulary other = Vocabulary.ofGguf(metadata, "memory");
            assertThat(VocabularyCheck.roundTrip(tiny, other).problems())
                    .as(pre)
                    .isNotEmpty()
                    .allSatisfy(text -> assertThat(text).contains("becomes other tokens"));
        }
    }

    @Test
    void aSpecialTokenThatIsPlainTextIsFound() {
        SequencedMap<String, GgufValue> metadata = tiny.toGguf();
        int[] types = ((int[]) metadata.get("tokenizer.ggml.token_type").value()).clone();
        types[4095] = TokenType.UNUSED.id();
        metadata.put("tokenizer.ggml.token_type", GgufValue.int32s(types));
        assertThat(VocabularyCheck.roundTrip(tiny, Vocabulary.ofGguf(metadata, "memory")).problems()).isNotEmpty();
    }
}
