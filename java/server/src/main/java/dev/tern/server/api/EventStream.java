package dev.tern.server.api;

import dev.tern.server.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Server-sent events (HTML, section 9.2). What is sent leaves when it is flushed. For one thread. */
public final class EventStream {
    private static final byte[] END = {'\n', '\n'};

    private final OutputStream out;

    EventStream(OutputStream out) {
        this.out = out;
    }

    /** An event of JSON, which has no line ends. */
    public void send(JsonNode data) throws IOException {
        send(null, data);
    }

    /** An event with a name. */
    public void send(@Nullable String name, JsonNode data) throws IOException {
        if (name != null) {
            text("event: " + name + "\n");
        }
        text("data: ");
        out.write(Json.bytes(data));
        out.write(END);
    }

    /** OpenAI's last event. */
    public void done() throws IOException {
        text("data: [DONE]\n\n");
    }

    /** A comment, so that nobody on the way takes the connection for dead. */
    public void ping() throws IOException {
        text(": ping\n\n");
        flush();
    }

    public void flush() throws IOException {
        out.flush();
    }

    public void end() throws IOException {
        out.close();
    }

    private void text(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.US_ASCII));
    }
}
