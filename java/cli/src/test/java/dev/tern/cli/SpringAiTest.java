package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.io.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Spring AI's models for OpenAI against {@code tern serve}, in a JVM of their own. */
class SpringAiTest {
    private static final String KEY = "sesame";

    @Test
    void chatsStreamsToolsSchemasEmbeddingsAndErrors(@TempDir Path folder) throws Exception {
        Path libraries = ClientFolder.require("spring");
        String jars = libraries.resolve("*").toString();
        Path classes = folder.resolve("classes");
        Path source = ClientFolder.PATH.resolve("spring/SpringAiClient.java");
        String[] compile = {ClientFolder.jdk("javac"), "-d", classes.toString(), "-cp", jars, source.toString()};
        ClientFolder.run(folder, Map.of(), compile);

        Path model = folder.resolve("tiny.gguf");
        assertThat(InProcess.tern("convert", InProcess.PACKED, "-o", model).status()).isZero();
        Path keys = Files.writeString(folder.resolve("keys"), KEY);
        JsonNode fable =
                JsonFile.read(InProcess.TESTDATA.resolve("golden/fables.json")).get("fables").get(3);
        try (ServeProcess plain = ServeProcess.start("-m", model, "--api-key-file", keys);
                ServeProcess tools = ServeProcess.start(
                        "-m", model, "--api-key-file", keys, "--chat-template", "qwen", "-c", "2048")) {
            String printed = ClientFolder.run(
                    folder,
                    Map.of(
                            "TERN_URL", plain.uri().toString(),
                            "TERN_TOOLS_URL", tools.uri().toString(),
                            "TERN_KEY", KEY,
                            "TERN_QUESTION", fable.get("prompt").get("messages").get(0).get("content").asString(),
                            "TERN_ANSWER", fable.get("greedy_text").asString()),
                    ClientFolder.jdk("java"),
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    classes + System.getProperty("path.separator") + jars,
                    "SpringAiClient");
            assertThat(printed).contains("OK 18");
            assertThat(plain.log()).noneMatch(line -> line.contains("level=error"));
            assertThat(tools.log()).noneMatch(line -> line.contains("level=error"));
        }
    }
}
