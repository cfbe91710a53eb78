package dev.tern.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class JsonFileTest {
    @TempDir
    private Path folder;

    @Test
    void refusesWhatIsNotExactlyOneObject() throws IOException {
        Path file = folder.resolve("x.json");
        Map<String, String> bad = Map.of(
                "", "expected a JSON object",
                "[1]", "expected a JSON object, found ARRAY",
                "{\"a\":1,\"a\":2}", "not valid JSON: Duplicate",
                "{\"a\":1} x", "not valid JSON",
                "{\"a\":1}{}", "not valid JSON",
                "{\"a\":01}", "not valid JSON",
                "{\"a\":" + "[".repeat(10_000) + "]".repeat(10_000) + "}", "not valid JSON: Document nesting depth");
        for (Map.Entry<String, String> entry : bad.entrySet()) {
            Files.writeString(file, entry.getKey());
            assertThatThrownBy(() -> JsonFile.read(file))
                    .as(entry.getKey())
                    .isInstanceOf(InputException.class)
                    .hasMessageStartingWith(file.toString())
                    .hasMessageContaining(entry.getValue());
        }
        assertThatThrownBy(() -> JsonFile.read(folder)).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> JsonFile.read(folder.resolve("none"))).hasMessageContaining("no such file");
    }

    @Test
    void doesNotReadWhatWouldExhaustMemory() throws IOException {
        Path file = folder.resolve("huge.json");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(3L << 30);
        }
        assertThatThrownBy(() -> JsonFile.read(file))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("expected at most 100000000 bytes, found 3221225472");
    }

    @Test
    void showsValuesInErrorsAtReadableLength() {
        String text = "{\"a\":[1,2],\"long\":\"" + "x".repeat(1000) + "\",\"many\":[" + "0,".repeat(500) + "0]}";
        ObjectNode json = JsonFile.parse(text.getBytes(StandardCharsets.US_ASCII), "x");
        assertThat(JsonFile.shown(json.get("a"))).isEqualTo("[1,2]");
        assertThat(JsonFile.shown(json.get("none"))).isEqualTo("nothing");
        assertThat(JsonFile.shown(json.get("long"))).hasSizeLessThan(130).startsWith("\"xxx").endsWith("x …");
        assertThat(JsonFile.shown(json.get("many"))).isEqualTo("an array of 501");
    }
}
