package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * OpenAI's own clients against {@code tern serve}, where they are there ({@link ClientFolder}).
 */
class OpenAiClientsTest {
    private static final String KEY = "sesame";

    private static Path folder;
    private static ServeProcess plain;
    private static ServeProcess tools;

    @BeforeAll
    static void serve(@TempDir Path temporary) throws IOException {
        folder = temporary;
        Path model = folder.resolve("tiny.gguf");
        assertThat(InProcess.tern("convert", InProcess.PACKED, "-o", model).status()).isZero();
        Path keys = Files.writeString(folder.resolve("keys"), KEY);
        plain = start(model, keys);
        tools = start(model, keys, "--chat-template", "qwen", "-c", "2048");
    }

    private static ServeProcess start(Path model, Path keys, Object... more) throws IOException {
        Object[] all = new Object[6 + more.length];
        System.arraycopy(new Object[] {"-m", model, "--api-key-file", keys, "--alias", "tiny"}, 0, all, 0, 6);
        System.arraycopy(more, 0, all, 6, more.length);
        return ServeProcess.start(all);
    }

    @AfterAll
    static void stop() {
        plain.close();
        tools.close();
    }

    @Test
    void javaScript() throws Exception {
        ClientFolder.require("javascript");
        String output = run("node", "--test", "--test-reporter=tap", "openai.test.mjs");
        assertThat(count(output, "# tests (\\d+)")).isGreaterThanOrEqualTo(18);
        assertThat(count(output, "# pass (\\d+)")).isEqualTo(count(output, "# tests (\\d+)"));
    }

    @Test
    void python() throws Exception {
        Path python = ClientFolder.require("python");
        String output = run(python.toString(), "openai_test.py");
        assertThat(count(output, "Ran (\\d+) tests")).isGreaterThanOrEqualTo(12);
        assertThat(output).contains("\nOK");
    }

    private static int count(String output, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(output);
        assertThat(matcher.find()).as(output).isTrue();
        return Integer.parseInt(matcher.group(1));
    }

    /** What a script printed that has ended well, and did not make the server fail. */
    private static String run(String... command) throws Exception {
        String printed = ClientFolder.run(
                folder,
                Map.of(
                        "TERN_URL", plain.uri().toString(),
                        "TERN_TOOLS_URL", tools.uri().toString(),
                        "TERN_KEY", KEY,
                        "TERN_FABLES", InProcess.TESTDATA.resolve("golden/fables.json").toString()),
                command);
        assertThat(plain.log()).noneMatch(line -> line.contains("level=error"));
        assertThat(tools.log()).noneMatch(line -> line.contains("level=error"));
        return printed;
    }
}
