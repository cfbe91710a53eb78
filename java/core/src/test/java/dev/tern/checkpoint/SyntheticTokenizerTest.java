package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.SyntheticTokenizer.Kind;
import dev.tern.io.JsonFile;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.node.ObjectNode;

class SyntheticTokenizerTest {

    /**
     * Every id has one token, in the model or among the added tokens, and the named parts are where they are said to
     * be.
     */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SENTENCE_PIECE_MODEL")
    void everyIdHasAToken(Kind kind) {
        for (int size : new int[] {SyntheticTokenizer.LEAST_VOCAB, 300, 400, 1000, 5001}) {
            SyntheticTokenizer tokenizer = SyntheticTokenizer.of(kind, size).withMask();
            assertThat(tokenizer.size()).isEqualTo(size + 1);
            assertThat(tokenizer.maskId()).hasValue(size);
            ObjectNode json = json(tokenizer, "tokenizer.json");
            Set<Integer> ids = new HashSet<>();
            json.at("/model/vocab").forEach(id -> assertThat(ids.add(id.intValue())).isTrue());
            json.get("added_tokens").forEach(token -> {
                int id = token.get("id").intValue();
                boolean ofModel = json.at("/model/vocab").path(token.get("content").stringValue()).asInt(-1) == id;
                assertThat(ids.add(id)).isEqualTo(!ofModel);
            });
            assertThat(ids).hasSize(size + 1).allMatch(id -> id >= 0 && id <= size);
            ObjectNode decoder = (ObjectNode) json(tokenizer, "tokenizer_config.json").get("added_tokens_decoder");
            for (Map.Entry<Integer, String> part : Map.of(
                            tokenizer.bosId(), tokenizer.bosToken(),
                            tokenizer.endOfTurnId(), tokenizer.endOfTurnToken(),
                            size, "|<MASK>|")
                    .entrySet()) {
                assertThat(decoder.get(part.getKey().toString()).get("content").stringValue())
                        .isEqualTo(part.getValue());
            }
        }
    }

    @Test
    void theFilesAreThoseOfTheFamily() {
        assertThat(SyntheticTokenizer.of(Kind.SMOLLM, 300).files(64).keySet())
                .containsExactly("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json");
        assertThat(SyntheticTokenizer.of(Kind.SENTENCE_PIECE, 300).files(64).keySet())
                .containsExactly(
                        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json");
        assertThat(SyntheticTokenizer.of(Kind.SENTENCE_PIECE_MODEL, 300).withMask().files(64).keySet())
                .containsExactly(
                        "tokenizer.model", "added_tokens.json", "tokenizer_config.json", "special_tokens_map.json");
    }

    private static ObjectNode json(SyntheticTokenizer tokenizer, String name) {
        return JsonFile.parse(tokenizer.files(64).get(name), name);
    }
}
