package dev.tern.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.gguf.GgufValue;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.assertj.core.api.SoftAssertions;
import tools.jackson.databind.JsonNode;

/** The cases of testdata/tokenizers, written by Hugging Face's {@code tokenizers} 0.23.2. */
final class GoldenCases {
    static final Path TESTDATA = Path.of(System.getProperty("tern.testdata"));

    private GoldenCases() {}

    static Vocabulary tiny() {
        return Vocabulary.ofCheckpoint(TESTDATA.resolve("tiny-bitnet/packed-u8"), 4096);
    }

    /** The vocabulary after a way through GGUF metadata. */
    static Vocabulary throughGguf(Vocabulary vocabulary) {
        Map<String, GgufValue> metadata = vocabulary.toGguf();
        return Vocabulary.ofGguf(metadata, "memory");
    }

    static void check(String name, Tokenizer tokenizer) {
        SoftAssertions all = new SoftAssertions();
        List<JsonNode> encodings = lines(name + ".encode.jsonl");
        assertThat(encodings).hasSize(281);
        for (JsonNode c : encodings) {
            String text = c.get("text").stringValue();
            assertThat(HexFormatOf.utf8(text)).isEqualTo(c.get("utf8_hex").stringValue());
            int[] ids = ids(c, "ids");
            int[] withSpecial = ids(c, "ids_with_special");
            all.assertThat(tokenizer.encode(text, false, true)).as("ids of %s", c).isEqualTo(ids);
            all.assertThat(tokenizer.encode(text, false, false)).as("as text, %s", c).isEqualTo(ids(c, "ids_special_as_text"));
            all.assertThat(tokenizer.encode(text, true, true)).as("with special, %s", c).isEqualTo(withSpecial);
            all.assertThat(tokenizer.decode(ids, false)).as("decoded %s", c).isEqualTo(c.get("decoded").stringValue());
            all.assertThat(tokenizer.decode(withSpecial, true))
                    .as("decoded without special, %s", c)
                    .isEqualTo(c.get("decoded_skip_special").stringValue());
            checkStream(all, tokenizer, withSpecial);
        }
        List<JsonNode> decodings = lines(name + ".decode.jsonl");
        assertThat(decodings).hasSize(100);
        for (JsonNode c : decodings) {
            int[] ids = ids(c, "ids");
            all.assertThat(tokenizer.decode(ids, false)).as("decoded %s", c).isEqualTo(c.get("decoded").stringValue());
            all.assertThat(tokenizer.decode(ids, true))
                    .as("decoded without special, %s", c)
                    .isEqualTo(c.get("decoded_skip_special").stringValue());
            checkStream(all, tokenizer, ids);
        }
        all.assertAll();
    }

    private static void checkStream(SoftAssertions all, Tokenizer tokenizer, int[] ids) {
        for (boolean skip : new boolean[] {false, true}) {
            TokenStream stream = tokenizer.stream(skip);
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(stream.push(id));
            }
            all.assertThat(text.append(stream.finish()).toString()).isEqualTo(tokenizer.decode(ids, skip));
        }
    }

    static List<JsonNode> lines(String name) {
        Path file = TESTDATA.resolve("tokenizers").resolve(name);
        try {
            return Files.readAllLines(file).stream()
                    .<JsonNode>map(line -> JsonFile.parse(line.getBytes(StandardCharsets.UTF_8), file))
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static int[] ids(JsonNode node, String key) {
        JsonNode list = node.get(key);
        return IntStream.range(0, list.size()).map(i -> list.get(i).intValue()).toArray();
    }

    private static final class HexFormatOf {
        static String utf8(String text) {
            return java.util.HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
        }
    }
}
