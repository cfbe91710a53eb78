package dev.tern.server.api;

import dev.tern.server.http.Exchange;
import dev.tern.server.http.Headers;
import dev.tern.server.http.Reply;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** One request on its way through an endpoint. */
public final class Call {
    private static final long MOST_VALUES = 1 << 20;
    private static final long VALUE_BYTES = 64; // of one in memory, about, besides its text

    private final Api api;
    private final Exchange exchange;
    private final RequestLog.Entry log;
    private int status;

    Call(Api api, Exchange exchange, RequestLog.Entry log) {
        this.api = api;
        this.exchange = exchange;
        this.log = log;
    }

    public EndpointOptions options() {
        return api.options();
    }

    /** The model, which is loaded where an endpoint needs it. */
    public Served served() {
        return api.served().orElseThrow(ApiException::loading);
    }

    public Exchange exchange() {
        return exchange;
    }

    public RequestLog.Entry log() {
        return log;
    }

    public String path() {
        return exchange.head().target().path();
    }

    public Map<String, String> query() {
        return exchange.head().target().query();
    }

    /** The body, a JSON object. */
    public Fields body() {
        long values = Json.values(exchange.body());
        if (values > MOST_VALUES) {
            throw ApiException.invalid(
                    "the body has " + values + " names and values; this server reads at most " + MOST_VALUES);
        }
        reserve(values * VALUE_BYTES);
        return Fields.of(exchange.body());
    }

    /**
     * Takes of the memory that all requests may have until the answer is given; refuses the request where none is
     * left.
     */
    public void reserve(long bytes) {
        if (!exchange.reserve(bytes)) {
            throw ApiException.unavailable(
                    "the requests at hand take all the memory there is for requests", Duration.ofSeconds(1));
        }
    }

    /** Answers with JSON. */
    public void json(JsonNode node) throws IOException {
        json(200, node, new Headers());
    }

    public void json(int code, JsonNode node, Headers more) throws IOException {
        respond(code, "application/json; charset=utf-8", Json.bytes(node), more);
    }

    /** Answers whole. */
    public void respond(int code, String contentType, byte[] body, Headers more) throws IOException {
        status = code;
        Headers headers = headers(contentType);
        if (more.first("Cache-Control").isEmpty()) {
            headers.add("Cache-Control", "no-store");
        }
        exchange.respond(new Reply(code, headers.addAll(more), body));
    }

    /** Answers in pieces. */
    public OutputStream stream(String contentType) throws IOException {
        status = 200;
        return exchange.stream(200, headers(contentType).add("Cache-Control", "no-store"));
    }

    /** Answers as a stream of events. */
    public EventStream events() throws IOException {
        status = 200;
        log.streamed();
        Headers headers = headers("text/event-stream; charset=utf-8")
                .add("Cache-Control", "no-store")
                .add("X-Accel-Buffering", "no"); // proxies must not wait for more
        return new EventStream(exchange.stream(200, headers));
    }

    private Headers headers(String contentType) {
        Headers headers = api.headers(exchange.head(), log.id());
        return contentType.isEmpty() ? headers : headers.add("Content-Type", contentType);
    }

    /** What an exception is to the client. */
    public ApiException errorOf(Throwable thrown) {
        return api.errorOf(thrown, log.id());
    }

    void status(int code) {
        status = code;
    }

    /** The status that was sent; 0 for none yet. */
    int status() {
        return status;
    }
}
