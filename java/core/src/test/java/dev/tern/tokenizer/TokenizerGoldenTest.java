package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.gguf.GgufValue;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Equal to Hugging Face on every golden case, from tokenizer.json and from GGUF. */
class TokenizerGoldenTest {

    @Test
    void tinyFromTheCheckpoint() {
        GoldenCases.check("tiny", Tokenizer.of(GoldenCases.tiny()));
    }

    @Test
    void tinyAfterAWayThroughGguf() {
        GoldenCases.check("tiny", Tokenizer.of(GoldenCases.throughGguf(GoldenCases.tiny())));
    }

    @Test
    void goldenPromptsOfTheModel() {
        Tokenizer tokenizer = Tokenizer.of(GoldenCases.tiny());
        JsonNode golden = JsonFile.read(GoldenCases.TESTDATA.resolve("golden/fables.json"));
        for (String group : new String[] {"fables", "other_names", "short_requests"}) {
            assertThat(golden.get(group)).isNotEmpty();
            for (JsonNode fable : golden.get(group)) {
                String prompt = fable.get("prompt").get("text").stringValue();
                assertThat(tokenizer.encode(prompt, false, true)).as(prompt).isEqualTo(GoldenCases.ids(fable, "ids"));
                assertThat(tokenizer.decode(GoldenCases.ids(fable, "greedy_ids"), true))
                        .isEqualTo(fable.get("greedy_text").stringValue());
                assertThat(tokenizer.isEnd(fable.get("end_id").intValue())).isTrue();
            }
        }
    }

    @Test
    void llama3() {
        Path folder = FetchedVocabularies.folder("llama3");
        Vocabulary vocabulary = Vocabulary.ofCheckpoint(folder, 128256);
        assertThat(vocabulary.merges()).hasSize(280147);
        GoldenCases.check("llama3", Tokenizer.of(vocabulary));
        Vocabulary again = GoldenCases.throughGguf(vocabulary);
        assertThat(again).isEqualTo(vocabulary);
        GoldenCases.check("llama3", Tokenizer.of(again));
    }

    /** tokenizer.json with ranks; and the same vocabulary merging by the scores that GGUF files have instead. */
    @Test
    void mistral() {
        Vocabulary vocabulary = Vocabulary.ofCheckpoint(FetchedVocabularies.folder("mistral"), 32_000);
        assertThat(vocabulary.preTokenizer()).isEqualTo(PreTokenizer.SENTENCE_PIECE);
        assertThat(vocabulary.merges()).hasSize(58_980);
        GoldenCases.check("mistral", Tokenizer.of(vocabulary));
        SequencedMap<String, GgufValue> metadata = vocabulary.toGguf();
        assertThat(Vocabulary.ofGguf(metadata, "memory")).isEqualTo(vocabulary);
        metadata.remove("tokenizer.ggml.merges");
        GoldenCases.check("mistral", Tokenizer.of(Vocabulary.ofGguf(metadata, "memory")));
    }

    /** As llama.cpp's converter writes Llama 2: pieces, scores and types, nothing else. */
    @Test
    void llama2AsOtherProgramsWriteIt() throws IOException {
        String script = Files.readString(FetchedVocabularies.file("llama2", "llama-tokenizer.js"));
        Matcher constant = Pattern.compile("llama_vocab_base64 = \"([^\"]+)\"").matcher(script);
        assertThat(constant.find()).isTrue();
        String[] pieces = new String(Base64.getDecoder().decode(constant.group(1)), StandardCharsets.UTF_8).split("\n");
        assertThat(pieces).hasSize(32_000);
        float[] scores = new float[pieces.length];
        int[] types = new int[pieces.length];
        for (int id = 0; id < pieces.length; id++) {
            types[id] = id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1;
            scores[id] = id < 259 ? 0 : pieces[id].matches("\u2581+") ? -1e9f : -(id - 259);
        }
        Map<String, GgufValue> metadata = Map.of(
                "tokenizer.ggml.model", GgufValue.of("llama"),
                "tokenizer.ggml.tokens", GgufValue.strings(List.of(pieces)),
                "tokenizer.ggml.scores", GgufValue.float32s(scores),
                "tokenizer.ggml.token_type", GgufValue.int32s(types));
        Vocabulary vocabulary = Vocabulary.ofGguf(metadata, "memory");
        assertThat(vocabulary.specialIds()).isEqualTo(Map.of(SpecialToken.UNKNOWN, 0, SpecialToken.BOS, 1, SpecialToken.EOS, 2));
        assertThat(vocabulary.addBos()).isTrue();
        GoldenCases.check("llama2", Tokenizer.of(vocabulary));
        assertThat(GoldenCases.throughGguf(vocabulary)).isEqualTo(vocabulary);
    }
}
