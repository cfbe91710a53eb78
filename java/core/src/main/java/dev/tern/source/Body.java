package dev.tern.source;

import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The bytes of an answer as they come, with a limit to waiting for the next. For one reading thread. */
final class Body implements Flow.Subscriber<List<ByteBuffer>>, AutoCloseable {
    private final String host;
    private final Duration stallTimeout;
    private final BlockingQueue<Item> items = new LinkedBlockingQueue<>();
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

    private sealed interface Item {}

    private record Chunk(List<ByteBuffer> buffers) implements Item {}

    private record End(@Nullable Throwable failure) implements Item {}

    Body(String host, Duration stallTimeout, Flow.Publisher<List<ByteBuffer>> publisher) {
        this.host = host;
        this.stallTimeout = stallTimeout;
        publisher.subscribe(this);
    }

    /** The next bytes, or null at the end; an end before all announced bytes came is an error. */
    @Nullable List<ByteBuffer> next() throws IOException, InterruptedException {
        subscription.thenAccept(open -> open.request(1));
        Item item = items.poll(stallTimeout.toMillis(), TimeUnit.MILLISECONDS);
        return switch (item) {
            case null -> {
                close();
                throw new HttpTimeoutException(host + " sent nothing for " + Http.words(stallTimeout));
            }
            case Chunk chunk -> chunk.buffers();
            case End end when end.failure() == null -> null;
            case End end -> throw new IOException(host + " broke off: " + reason(end.failure()), end.failure());
        };
    }

    private static String reason(@Nullable Throwable failure) {
        String message = failure == null ? null : failure.getMessage();
        return message == null ? String.valueOf(failure) : message;
    }

    @Override
    public void onSubscribe(Flow.Subscription open) {
        subscription.complete(open);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        items.add(new Chunk(buffers));
    }

    @Override
    public void onError(Throwable failure) {
        items.add(new End(failure));
    }

    @Override
    public void onComplete() {
        items.add(new End(null));
    }

    /** Breaks the connection off unless all was read. */
    @Override
    public void close() {
        subscription.thenAccept(Flow.Subscription::cancel);
    }
}
