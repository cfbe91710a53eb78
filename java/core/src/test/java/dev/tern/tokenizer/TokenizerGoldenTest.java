package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.io.JsonFile;
import java.nio.file.Path;
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
}
