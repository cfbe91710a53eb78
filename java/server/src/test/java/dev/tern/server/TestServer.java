package dev.tern.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Model;
import dev.tern.server.json.Json;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import tools.jackson.databind.JsonNode;

/** A server over the tiny model, and a client of it. */
public final class TestServer implements AutoCloseable {
    public final Model model;
    final SoloCompletions completions;
    public final ScriptedCompletions script;
    public final List<String> log = new CopyOnWriteArrayList<>();
    private final Server server;
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public TestServer(ServerOptions.Builder options) {
        this(options, 16);
    }

    public TestServer(ServerOptions.Builder options, int mostWaiting) {
        this(options, mostWaiting, TinyModel.model());
    }

    public TestServer(ServerOptions.Builder options, int mostWaiting, Model model) {
        this.model = model;
        completions = new SoloCompletions(model, mostWaiting);
        script = new ScriptedCompletions(model);
        server = Server.start(options.port(0).build(), log::add);
    }

    /** A server that is ready, with the options of a user who gives none. */
    public static TestServer ready() {
        return new TestServer(ServerOptions.builder().alias("tiny")).serve();
    }

    public TestServer serve() {
        server.serve(model, completions);
        return this;
    }

    /** Serves a script instead of the model's own words. */
    public TestServer serveScript() {
        server.serve(model, script);
        return this;
    }

    public Server server() {
        return server;
    }

    InetSocketAddress address() {
        return server.address();
    }

    public HttpResponse<String> send(String method, String path, String body, String... headers) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.uri() + path))
                .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            return client.send(request.build(), BodyHandlers.ofString(StandardCharsets.UTF_8));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    public HttpResponse<String> get(String path, String... headers) throws IOException {
        return send("GET", path, "", headers);
    }

    /** Posts JSON, in which an apostrophe stands for a quotation mark. */
    public HttpResponse<String> post(String path, String body, String... headers) throws IOException {
        return send("POST", path, body.replace('\'', '"'), headers);
    }

    /** The JSON of a good answer. */
    public JsonNode json(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/json; charset=utf-8");
        return parse(response.body());
    }

    /** The error object of a bad answer. */
    public JsonNode error(HttpResponse<String> response, int status, String type) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        JsonNode error = parse(response.body()).path("error");
        assertThat(error.path("code").asInt()).isEqualTo(status);
        assertThat(error.path("type").asString()).as(error.toString()).isEqualTo(type);
        assertThat(error.path("message").asString()).isNotEmpty();
        return error;
    }

    /** The data of a stream's events, after a look at their framing; comments left out. */
    public List<String> events(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream; charset=utf-8");
        assertThat(response.body()).endsWith("\n\n").doesNotContain("\r");
        List<String> data = new ArrayList<>();
        for (String event : response.body().split("\n\n")) {
            String[] lines = event.split("\n");
            if (!lines[0].startsWith(":")) {
                assertThat(lines[lines.length - 1]).startsWith("data: ");
                assertThat(lines.length == 1 || (lines.length == 2 && lines[0].startsWith("event: "))).isTrue();
                data.add(lines[lines.length - 1].substring("data: ".length()));
            }
        }
        return data;
    }

    /** The JSON of all events of a stream but OpenAI's last. */
    public List<JsonNode> parts(HttpResponse<String> response) {
        return events(response).stream().filter(data -> !data.equals("[DONE]")).map(TestServer::parse).toList();
    }

    public static JsonNode parse(String json) {
        return Json.read(json.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        server.close();
        completions.close();
        client.close();
    }
}
