package dev.tern.browser;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Chromium without a window, spoken to by its DevTools protocol
 * (https://chromedevtools.github.io/devtools-protocol/). Thread-safe.
 */
final class Browser implements AutoCloseable {
    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome");
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final int PATIENCE_SECONDS = 60; // after which a browser is broken

    private final Process process;
    private final Path profile;
    private final HttpClient client = HttpClient.newHttpClient();
    private final WebSocket socket;
    private final AtomicInteger ids = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
    private final Map<String, BiConsumer<String, JsonNode>> listeners = new ConcurrentHashMap<>();

    private Browser(Process process, Path profile) throws IOException, InterruptedException {
        this.process = process;
        this.profile = profile;
        List<String> address = address();
        this.socket = client.newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + address.get(0) + address.get(1)), new Listener())
                .join();
    }

    /**
     * Starts the Chromium of the PATH, or that of {@code -Dtern.chromium}. Without one the test is skipped, and fails
     * with {@code -Dtern.require.chromium=true}.
     */
    static Browser start() throws IOException, InterruptedException {
        Optional<Path> program = find();
        if (program.isEmpty() && !Boolean.getBoolean("tern.require.chromium")) {
            Assumptions.abort("SKIPPED: no Chromium on the PATH (Debian: chromium), so pages are not tested");
        }
        Path profile = Files.createTempDirectory("tern-chromium");
        List<String> command = new ArrayList<>(List.of(
                program.orElseThrow(() -> new AssertionError("no Chromium on the PATH")).toString(),
                "--headless",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--lang=en-US"));
        if (System.getProperty("user.name").equals("root")) {
            command.add("--no-sandbox"); // Chromium has none for root
        }
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(profile.resolve("output").toFile())
                .start();
        return new Browser(process, profile);
    }

    private static Optional<Path> find() {
        String given = System.getProperty("tern.chromium");
        if (given != null) {
            return Optional.of(Path.of(given));
        }
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.of(path.split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** Port and path, which Chromium writes to a file once it listens. */
    private List<String> address() throws IOException, InterruptedException {
        Path file = profile.resolve("DevToolsActivePort");
        long start = System.nanoTime();
        while (process.isAlive() && System.nanoTime() - start < TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
            if (Files.exists(file)) {
                List<String> lines = Files.readAllLines(file);
                if (lines.size() > 1) {
                    return lines;
                }
            }
            Thread.sleep(20);
        }
        throw new AssertionError("Chromium did not start: " + Files.readString(profile.resolve("output")));
    }

    /** A page of its own, with its own storage. */
    Tab open() {
        String context = call("", "Target.createBrowserContext", MAPPER.createObjectNode())
                .path("browserContextId")
                .asString();
        ObjectNode create = MAPPER.createObjectNode().put("browserContextId", context).put("url", "about:blank");
        String target = call("", "Target.createTarget", create).path("targetId").asString();
        ObjectNode attach = MAPPER.createObjectNode().put("targetId", target).put("flatten", true);
        return new Tab(this, context, call("", "Target.attachToTarget", attach).path("sessionId").asString());
    }

    /** Closes a page and forgets what it kept. */
    void close(String context) {
        call("", "Target.disposeBrowserContext", MAPPER.createObjectNode().put("browserContextId", context));
    }

    void listen(String session, BiConsumer<String, JsonNode> listener) {
        listeners.put(session, listener);
    }

    /** Calls a method of the protocol; {@code session} is empty for the browser itself. */
    JsonNode call(String session, String method, ObjectNode parameters) {
        int id = ids.incrementAndGet();
        ObjectNode message = MAPPER.createObjectNode().put("id", id).put("method", method);
        message.set("params", parameters);
        if (!session.isEmpty()) {
            message.put("sessionId", session);
        }
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        answers.put(id, answer);
        synchronized (socket) {
            socket.sendText(MAPPER.writeValueAsString(message), true).join();
        }
        JsonNode node = answer.orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
        if (node.has("error")) {
            throw new AssertionError(method + ": " + node.path("error"));
        }
        return node.path("result");
    }

    private final class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                JsonNode message = MAPPER.readTree(text.toString());
                text.setLength(0);
                CompletableFuture<JsonNode> answer = answers.remove(message.path("id").asInt(0));
                if (answer != null) {
                    answer.complete(message);
                } else {
                    listeners
                            .getOrDefault(message.path("sessionId").asString(""), (method, parameters) -> {})
                            .accept(message.path("method").asString(""), message.path("params"));
                }
            }
            from.request(1);
            return CompletableFuture.completedStage(null);
        }
    }

    @Override
    public void close() {
        socket.abort();
        client.close();
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            try (Stream<Path> files = Files.walk(profile)) {
                files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
