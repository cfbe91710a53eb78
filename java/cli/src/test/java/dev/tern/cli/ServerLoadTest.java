package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Many clients at once, with mixed requests: each gets what its request gives alone, and afterwards the server holds no
 * more than before. Short by default; {@code -Dtern.load.seconds=60 -Dtern.load.clients=64} makes it a long one.
 */
class ServerLoadTest {
    private static final int CLIENTS = Integer.getInteger("tern.load.clients", 16);
    private static final int SECONDS = Integer.getInteger("tern.load.seconds", 3);
    private static final String SCHEMA = "{'type': 'object', 'properties': {'animal': {'enum': ['fox', 'lion']},"
            + " 'age': {'type': 'integer', 'minimum': 0, 'maximum': 99}, 'friends': {'type': 'array', 'items':"
            + " {'enum': ['crow', 'ass']}, 'maxItems': 3}}, 'required': ['animal', 'age', 'friends'],"
            + " 'additionalProperties': false}";

    private final AtomicLong answers = new AtomicLong();
    private final AtomicLong left = new AtomicLong();
    private final AtomicLong characters = new AtomicLong();
    private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();

    private record Request(String path, ObjectNode body) {}

    /** Greedy and seeded, chats and texts, answers that follow a schema, prompts that nearly fill the context. */
    private static List<Request> requests() {
        JsonNode fables = JsonMapper.builder()
                .build()
                .readTree(InProcess.TESTDATA.resolve("golden/fables.json").toFile())
                .path("fables");
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            JsonNode messages = fables.path(i).at("/prompt/messages");
            ObjectNode greedy = ServeClient.json("{'temperature': 0}");
            greedy.set("messages", messages);
            requests.add(new Request("/v1/chat/completions", greedy));
            ObjectNode wild = ServeClient.json("{'messages': [{'role': 'user', 'content': 'What is the moon?'}],"
                    + " 'temperature': 1.5, 'max_tokens': 40, 'seed': " + i + "}");
            requests.add(new Request("/v1/chat/completions", wild));
        }
        for (int i = 0; i < 4; i++) {
            requests.add(new Request(
                    "/v1/chat/completions",
                    ServeClient.json("{'messages': [{'role': 'user', 'content': 'Tell me.'}], 'temperature': 1.2,"
                            + " 'response_format': {'type': 'json_object', 'schema': " + SCHEMA + "},"
                            + " 'seed': " + i + "}")));
            String story = fables.path(20 + i).path("greedy_text").asString() + "\n"
                    + fables.path(30 + i).path("greedy_text").asString();
            requests.add(new Request(
                    "/completion",
                    ServeClient.json("{'n_predict': 20, 'temperature': 0.9, 'seed': 1, 'n_probs': 2}")
                            .put("prompt", story)));
            requests.add(new Request(
                    "/v1/completions",
                    ServeClient.json("{'prompt': 'A fox', 'max_tokens': 6, 'temperature': 1.5, 'seed': " + i + "}")));
            requests.add(new Request(
                    "/v1/embeddings",
                    ServeClient.json("{'encoding_format': 'base64'}").put("input", story.substring(0, 100 + i))));
        }
        return requests;
    }

    @Test
    void everyAnswerIsWhatItIsAlone(@TempDir Path folder) throws Exception {
        Path model = folder.resolve("tiny.gguf");
        assertThat(InProcess.tern("convert", InProcess.PACKED, "-o", model).status()).isZero();
        try (ServeProcess server = ServeProcess.startWith("-Xmx128m", "-m", model, "--metrics")) { // of heap, for all
            Map<Request, String> alone = new LinkedHashMap<>();
            try (ServeClient client = new ServeClient(server)) {
                for (Request request : requests()) {
                    ObjectNode anew = request.body().deepCopy().put("cache_prompt", false);
                    alone.put(request, client.answer(request.path(), anew));
                }
            }
            load(server, alone, 1);
            Optional<ProcessVitals> before = server.atRest();
            answers.set(0);
            long start = System.nanoTime();
            load(server, alone, SECONDS);
            double seconds = (System.nanoTime() - start) * 1e-9;
            Optional<ProcessVitals> after = server.atRest();
            assertThat(wrong).isEmpty();
            assertThat(answers.get()).isGreaterThan(CLIENTS);
            assertThat(server.log()).noneMatch(line -> line.contains("level=error"));
            System.out.println(String.format(
                    Locale.ROOT,
                    "%d clients, %.1f s: %d answers (%.0f characters a second), %d left in the midst; %s, then %s",
                    CLIENTS, seconds, answers.get(), characters.get() / seconds, left.get(), before, after));
            if (before.isPresent()) {
                assertThat(after.get().threads()).isLessThanOrEqualTo(before.get().threads() + 4); // the JVM's own come
                assertThat(after.get().descriptors()).isLessThanOrEqualTo(before.get().descriptors());
                assertThat(after.get().residentBytes())
                        .isLessThan(before.get().residentBytes() + (96L << 20)); // the heap may not have been full
            }
        }
    }

    private void load(ServeProcess server, Map<Request, String> alone, int seconds) throws InterruptedException {
        List<Request> requests = List.copyOf(alone.keySet());
        long start = System.nanoTime();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            RandomGenerator random = new SplittableRandom(i);
            clients.add(Thread.ofVirtual().start(() -> {
                try (ServeClient client = new ServeClient(server)) {
                    while (System.nanoTime() - start < seconds * 1_000_000_000L && wrong.isEmpty()) {
                        Request request = requests.get(random.nextInt(requests.size()));
                        ask(client, request, alone.get(request), random);
                    }
                } catch (IOException | InterruptedException | RuntimeException | AssertionError e) {
                    wrong.add(e.toString());
                }
            }));
        }
        for (Thread client : clients) {
            client.join();
        }
    }

    private void ask(ServeClient client, Request request, String expected, RandomGenerator random)
            throws IOException, InterruptedException {
        Optional<String> answer;
        if (request.path().equals("/v1/embeddings") || random.nextInt(8) == 0) {
            answer = Optional.of(client.answer(request.path(), request.body()));
        } else {
            answer = client.streamed(request.path(), request.body(), random.nextInt(16) == 0 ? 3 : -1);
        }
        if (answer.isEmpty()) {
            left.incrementAndGet();
        } else if (answer.get().equals(expected)) {
            answers.incrementAndGet();
            characters.addAndGet(expected.length());
        } else {
            wrong.add(request + ": expected " + expected + ", found " + answer.get());
        }
    }
}
