package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServeCommandTest {
    private static final Pattern READY = Pattern.compile("tern: serving .* at (http://127\\.0\\.0\\.1:\\d+): 2 slots of .*");

    @TempDir
    private Path folder;

    private Path model() {
        Path file = folder.resolve("tiny.gguf");
        assertThat(InProcess.tern("convert", InProcess.PACKED, "-o", file).status()).isZero();
        return file;
    }

    @Test
    void servesUntilItIsToldToStop() throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "# mine\nsecret-key\n\nother\n");
        Process process = new ProcessBuilder(TernProcess.command(
                        "serve", "-m", model(), "--port", "0", "--parallel", "2", "--api-key-file", keys, "--alias",
                        "tiny", "--drain", "5"))
                .redirectOutput(folder.resolve("out").toFile())
                .start();
        try (BufferedReader err = process.errorReader(StandardCharsets.UTF_8);
                HttpClient client = HttpClient.newHttpClient()) {
            URI server = ready(err);
            HttpResponse<String> response = client.send(
                    HttpRequest.newBuilder(server.resolve("/completion"))
                            .header("Content-Type", "application/json")
                            .header("Authorization", "Bearer secret-key")
                            .POST(BodyPublishers.ofString("{\"prompt\": \"2+2=\", \"n_predict\": 10}"))
                            .build(),
                    BodyHandlers.ofString());
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            assertThat(response.body()).contains("\"model\":\"tiny\"").contains("\"content\":\"");
            response = client.send(HttpRequest.newBuilder(server.resolve("/slots")).build(), BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(401);
            process.toHandle().destroy(); // SIGTERM; process.destroy() would close its streams
            String rest = String.join("\n", err.lines().toList());
            assertThat(rest).contains("route=/completion status=200").contains("tern: stopping");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(143);
            assertThat(folder.resolve("out")).isEmptyFile();
        } finally {
            process.destroyForcibly();
        }
    }

    private static URI ready(BufferedReader err) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line = err.readLine(); line != null; line = err.readLine()) {
            lines.add(line);
            Matcher matcher = READY.matcher(line);
            if (matcher.matches()) {
                return URI.create(matcher.group(1));
            }
        }
        throw new AssertionError("never ready: " + lines);
    }

    @Test
    void whatIsWrongIsSaidBeforeTheModelIsLoaded() {
        Path none = folder.resolve("none.gguf");
        requireUsage("port: expected 0 to 65535", "serve", "-m", none, "--port", "70000");
        requireUsage("--max-body: expected 1 to 1024 MiB", "serve", "-m", none, "--max-body", "0");
        requireUsage("parallel: expected 1 to 1024", "serve", "-m", none, "--parallel", "0");
        requireUsage("CORS origin", "serve", "-m", none, "--cors", "example");
        requireInput("no such file", "serve", "-m", none, "--port", "0", "--api-key-file", folder.resolve("no-keys"));
        requireInput("no such folder", "serve", "-m", none, "--port", "0", "--slot-save-path", folder.resolve("no"));
        requireInput("no such host", "serve", "-m", none, "--port", "0", "--host", "no.such.host.invalid");
        requireInput("none.gguf", "serve", "-m", none, "--port", "0");
    }

    private static void requireUsage(String words, Object... command) {
        InProcess.Result result = InProcess.tern(command);
        assertThat(result.err()).contains(words);
        assertThat(result.status()).isEqualTo(2);
    }

    private static void requireInput(String words, Object... command) {
        InProcess.Result result = InProcess.tern(command);
        assertThat(result.err()).contains(words);
        assertThat(result.status()).isEqualTo(1);
    }
}
