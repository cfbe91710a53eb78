package dev.tern.server.api;

import dev.tern.server.http.RequestHead;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One line for each request, as logfmt has it, without anything that its content or its address says. */
public final class RequestLog {
    private static final int MOST_CAUSES = 8;

    private final Consumer<String> sink;

    public RequestLog(Consumer<String> sink) {
        this.sink = sink;
    }

    /** What is known of one request. For one thread at a time. */
    public final class Entry {
        private final long start = System.nanoTime();
        private final String id = "req_" + Long.toHexString(ThreadLocalRandom.current().nextLong() >>> 4);
        private final String method;
        private final String route;
        private final InetSocketAddress client;
        private int promptTokens = -1;
        private int cachedTokens;
        private int generatedTokens;
        private boolean streamed;

        private Entry(String method, String route, InetSocketAddress client) {
            this.method = method;
            this.route = route;
            this.client = client;
        }

        /** A name for it, for the client too. */
        String id() {
            return id;
        }

        /** Counts a completion. */
        public void count(int prompt, int cached, int generated) {
            promptTokens = Math.max(0, promptTokens) + prompt;
            cachedTokens += cached;
            generatedTokens += generated;
        }

        void streamed() {
            streamed = true;
        }

        /** Writes the line. */
        void end(int status, String outcome) {
            StringBuilder line = new StringBuilder(160);
            line.append("time=").append(Instant.now().truncatedTo(ChronoUnit.MILLIS));
            line.append(" level=").append(status >= 500 && status != 503 && status != 501 ? "error" : "info");
            line.append(" method=").append(method).append(" route=").append(route);
            line.append(" status=").append(status);
            if (!outcome.isEmpty()) {
                line.append(" outcome=").append(outcome);
            }
            if (promptTokens >= 0) {
                line.append(" prompt_tokens=").append(promptTokens);
                line.append(" cached_tokens=").append(cachedTokens);
                line.append(" tokens=").append(generatedTokens);
            }
            if (streamed) {
                line.append(" stream=true");
            }
            line.append(String.format(Locale.ROOT, " ms=%.1f", (System.nanoTime() - start) * 1e-6));
            line.append(" client=").append(client.getAddress().getHostAddress()).append(':').append(client.getPort());
            line.append(" id=").append(id);
            sink.accept(line.toString());
        }
    }

    /**
     * A request that has begun.
     *
     * @param route its pattern, which is one of a few, and not the path that was sent; null where there is none
     */
    Entry begin(@Nullable RequestHead head, InetSocketAddress client, @Nullable String route) {
        boolean plain = head != null && head.method().matches("[A-Z]{1,10}");
        return new Entry(plain ? head.method() : "-", route == null ? "-" : route, client);
    }

    /**
     * Something to tell that belongs to a request, for the server's own people: what was thrown and what it came from,
     * without their messages, which may quote what the request says.
     */
    void problem(String id, Throwable thrown) {
        sink.accept("time=" + Instant.now().truncatedTo(ChronoUnit.MILLIS) + " level=error id=" + id + " error="
                + thrown.getClass().getSimpleName());
        frames(thrown);
        Throwable cause = thrown.getCause();
        for (int i = 0; cause != null && i < MOST_CAUSES; i++) {
            sink.accept("  caused by " + cause.getClass().getName());
            frames(cause);
            cause = cause.getCause();
        }
    }

    private void frames(Throwable thrown) {
        for (StackTraceElement element : thrown.getStackTrace()) {
            sink.accept("    at " + element);
        }
    }
}
