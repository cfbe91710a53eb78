package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * OpenAI's own clients against {@code tern serve}. They are not kept with the project: {@code src/test/clients/install}
 * gets them. Without one its test is skipped, or fails where {@code tern.require.clients} names it.
 */
class OpenAiClientsTest {
    private static final Path CLIENTS = Path.of("src/test/clients").toAbsolutePath();
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
        require("javascript", CLIENTS.resolve("node_modules/openai"));
        String output = run("node", "--test", "--test-reporter=tap", "openai.test.mjs");
        assertThat(count(output, "# tests (\\d+)")).isGreaterThanOrEqualTo(18);
        assertThat(count(output, "# pass (\\d+)")).isEqualTo(count(output, "# tests (\\d+)"));
    }

    @Test
    void python() throws Exception {
        Path python = CLIENTS.resolve(".venv/bin/python");
        require("python", python);
        String output = run(python.toString(), "openai_test.py");
        assertThat(count(output, "Ran (\\d+) tests")).isGreaterThanOrEqualTo(11);
        assertThat(output).contains("\nOK");
    }

    private static int count(String output, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(output);
        assertThat(matcher.find()).as(output).isTrue();
        return Integer.parseInt(matcher.group(1));
    }

    private static void require(String client, Path file) {
        if (!Files.exists(file)) {
            String message = "SKIPPED: OpenAI's client for " + client + " is not there; " + CLIENTS
                    + "/install gets it from its registry";
            if (List.of(System.getProperty("tern.require.clients", "").split(",")).contains(client)) {
                throw new AssertionError(message);
            }
            System.err.println(message);
            assumeTrue(false, message);
        }
    }

    /** What a script printed that has ended well, and did not make the server fail. */
    private static String run(String... command) throws Exception {
        Path output = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(CLIENTS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment()
                .putAll(Map.of(
                        "TERN_URL", plain.uri().toString(),
                        "TERN_TOOLS_URL", tools.uri().toString(),
                        "TERN_KEY", KEY,
                        "TERN_FABLES", InProcess.TESTDATA.resolve("golden/fables.json").toString()));
        Process process = builder.start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        process.destroyForcibly();
        String printed = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(ended).as(printed).isTrue();
        assertThat(process.exitValue()).as(printed).isZero();
        assertThat(plain.log()).noneMatch(line -> line.contains("level=error"));
        assertThat(tools.log()).noneMatch(line -> line.contains("level=error"));
        return printed;
    }
}
