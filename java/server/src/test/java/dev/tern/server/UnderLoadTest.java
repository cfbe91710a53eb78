package dev.tern.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.server.http.RawClient;
import dev.tern.server.json.Json;
import dev.tern.server.slots.SlotOptions;
import dev.tern.server.slots.SlotState;
import dev.tern.server.slots.Slots;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Many clients at once over the slots: polite ones, and others between them that vanish, stall or talk nonsense. */
class UnderLoadTest {
    private static final int CLIENTS = 48;
    private static final List<String> PROMPTS =
            List.of("A fox", "The lion and the mouse", "Once upon a time there was", "An old man", "Two dogs");

    private final Model model = TinyModel.model();

    private static String request(int client, boolean stream) {
        String body = Json.text(Json.object()
                .put("prompt", PROMPTS.get(client % PROMPTS.size()))
                .put("n_predict", 4 + client % 13)
                .put("temperature", client % 2 == 0 ? 0 : 1)
                .put("seed", client)
                .put("stream", stream));
        return "POST /completion HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
                + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body;
    }

    private String alone(int client) {
        return model.generate(
                        PROMPTS.get(client % PROMPTS.size()),
                        GenerationOptions.builder()
                                .maxTokens(4 + client % 13)
                                .temperature(client % 2 == 0 ? 0 : 1)
                                .seed(client)
                                .build())
                .text();
    }

    /** What a polite client gets; nothing for the others. */
    private static String ask(Server server, int client) throws IOException {
        try (RawClient raw = new RawClient(server.address())) {
            switch (client % 8) {
                case 5 -> raw.send(request(client, true)).readUntil("data: "); // and leaves
                case 6 -> raw.send(request(client, false).substring(0, 60 + client)); // and leaves
                case 7 -> assertThat(RawClient.status(raw.send("nonsense\r\n\r\n").readAll())).isEqualTo(400);
                default -> {
                    String answer = raw.send(request(client, false)).readAll();
                    assertThat(RawClient.status(answer)).as(answer).isEqualTo(200);
                    return TestServer.parse(answer.substring(answer.indexOf("\r\n\r\n") + 4))
                            .path("content")
                            .asString();
                }
            }
        }
        return "";
    }

    @Test
    void eachGetsWhatItGetsAloneAndNothingIsLeft() throws Exception {
        try (Slots slots = Slots.open(model, new SlotOptions(4, CLIENTS));
                Server server = Server.start(ServerOptions.builder().port(0).build(), line -> {});
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            server.serve(model, slots);
            List<Future<String>> answers = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int client = i;
                answers.add(clients.submit(() -> ask(server, client)));
            }
            for (int i = 0; i < CLIENTS; i++) {
                assertThat(answers.get(i).get()).as("client " + i).isEqualTo(i % 8 > 4 ? "" : alone(i));
            }
            long start = System.nanoTime();
            while (server.connections() > 0 || slots.waiting() > 0 || slots.slots().stream().anyMatch(SlotState::busy)) {
                assertThat(System.nanoTime() - start).as("everything comes to rest").isLessThan(20_000_000_000L);
                Thread.sleep(5);
            }
        }
    }
}
