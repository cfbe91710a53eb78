package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Iterator;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A client of {@code tern serve} that reads answers of any kind, whole and streamed. Thread-safe. */
final class ServeClient implements AutoCloseable {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private final URI server;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    ServeClient(ServeProcess server) {
        this.server = server.uri();
    }

    /** JSON in which an apostrophe stands for a quotation mark. */
    static ObjectNode json(String text) {
        return (ObjectNode) MAPPER.readTree(text.replace('\'', '"'));
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(server.resolve(path)).build(), BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, JsonNode body) throws IOException, InterruptedException {
        return http.send(request(path, body), BodyHandlers.ofString());
    }

    private HttpRequest request(String path, JsonNode body) {
        return HttpRequest.newBuilder(server.resolve(path))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(MAPPER.writeValueAsString(body)))
                .build();
    }

    /** What was said, and why it ended; of an embedding its numbers. */
    String answer(String path, JsonNode body) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        JsonNode answer = MAPPER.readTree(response.body());
        return path.equals("/v1/embeddings")
                ? answer.at("/data/0/embedding").asString()
                : text(answer) + "|" + end(answer).orElseThrow();
    }

    /** The same of a stream; empty where the client leaves, which it does after so many events. */
    Optional<String> streamed(String path, ObjectNode body, int leaveAfter) throws IOException, InterruptedException {
        ObjectNode streaming = body.deepCopy().put("stream", true);
        HttpResponse<Stream<String>> response = http.send(request(path, streaming), BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            assertThat(response.statusCode()).isEqualTo(200);
            StringBuilder text = new StringBuilder();
            Optional<String> end = Optional.empty();
            int events = 0;
            for (Iterator<String> each = lines.iterator(); each.hasNext(); ) {
                String line = each.next();
                if (line.startsWith("data: {")) {
                    JsonNode event = MAPPER.readTree(line.substring("data: ".length()));
                    assertThat(event.has("error")).as(line).isFalse();
                    text.append(text(event));
                    Optional<String> before = end;
                    end = end(event).or(() -> before);
                    if (++events == leaveAfter) {
                        return Optional.empty(); // closing the stream closes the connection
                    }
                }
            }
            return Optional.of(text + "|" + end.orElseThrow());
        }
    }

    private static String text(JsonNode answer) {
        JsonNode choice = answer.path("choices").path(0);
        return answer.path("content").asString("")
                + choice.path("text").asString("")
                + choice.at("/message/content").asString("")
                + choice.at("/delta/content").asString("");
    }

    private static Optional<String> end(JsonNode answer) {
        JsonNode reason = answer.at("/choices/0/finish_reason");
        JsonNode type = answer.path("stop_type");
        return reason.isString()
                ? Optional.of(reason.asString())
                : type.isString() ? Optional.of(type.asString()) : Optional.empty();
    }

    @Override
    public void close() {
        http.shutdownNow();
        http.close();
    }
}
