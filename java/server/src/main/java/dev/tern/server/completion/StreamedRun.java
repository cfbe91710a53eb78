package dev.tern.server.completion;

import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.EventStream;
import dev.tern.server.json.Json;
import dev.tern.server.slots.CompletionEvent;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** A run whose answer is a stream of events. It begins with the first event, so that what fails before has a status. */
public final class StreamedRun implements CompletionRun.Listener {
    private final Call call;
    private final Format format;
    private @Nullable EventStream stream;

    /** How events look. */
    public interface Format {
        /** What comes first. */
        default void begin(EventStream stream) throws IOException {}

        void happened(EventStream stream, Choice choice, CompletionEvent event) throws IOException;

        /** What comes last, when all has gone well. */
        default void end(EventStream stream) throws IOException {}

        /** An error after the stream has begun. */
        default void error(EventStream stream, ApiException error) throws IOException {
            stream.send(error.body());
        }
    }

    private StreamedRun(Call call, Format format) {
        this.call = call;
        this.format = format;
    }

    public static void run(Call call, CompletionRun run, CompletionBody body, Format format)
            throws IOException, InterruptedException {
        StreamedRun streamed = new StreamedRun(call, format);
        try {
            if (run.run(body.pings(), streamed)) {
                EventStream stream = streamed.stream();
                format.end(stream);
                stream.end();
            }
        } catch (RuntimeException e) {
            EventStream stream = streamed.stream;
            if (stream == null) {
                throw e;
            }
            format.error(stream, call.errorOf(e));
            stream.end();
        }
    }

    private EventStream stream() throws IOException {
        EventStream open = stream;
        if (open == null) {
            open = call.events();
            stream = open;
            format.begin(open);
        }
        return open;
    }

    @Override
    public void happened(Choice choice, CompletionEvent event) throws IOException {
        format.happened(stream(), choice, event);
    }

    @Override
    public void pause() throws IOException {
        if (stream != null) {
            stream.flush();
        }
    }

    @Override
    public void silence() throws IOException {
        stream().ping();
    }

    /** llama-server's {@code prompt_progress}. */
    public static ObjectNode progress(Choice choice, CompletionEvent.Prefilled prefilled) {
        return Json.object()
                .put("total", prefilled.total())
                .put("cache", choice.timings().cachedTokens())
                .put("processed", prefilled.tokens())
                .put("time_ms", prefilled.nanos() / 1_000_000);
    }
}
