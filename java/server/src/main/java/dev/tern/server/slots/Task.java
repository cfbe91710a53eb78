package dev.tern.server.slots;

import dev.tern.Decoding;
import dev.tern.Model;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A request on its way, and what its reader sees of it. The scheduler tells, one reader listens. Thread-safe. */
final class Task implements Completion {
    private final long number;
    private final CompletionRequest request;
    private final Consumer<Task> cancel;
    private @Nullable FutureTask<Decoding> decoding; // taken by the slot
    private final LinkedBlockingQueue<CompletionEvent> events = new LinkedBlockingQueue<>();
    private volatile boolean cancelled;
    private volatile boolean ended; // its last event has been told
    private volatile boolean read; // to its end

    /**
     * A request that waits.
     *
     * @param decoding what {@link #decoding(Model, CompletionRequest)} has made
     * @param cancel is told, once, when nobody reads any more what has not ended
     */
    Task(long number, CompletionRequest request, FutureTask<Decoding> decoding, Consumer<Task> cancel) {
        this.number = number;
        this.request = request;
        this.decoding = decoding;
        this.cancel = cancel;
    }

    /**
     * Makes what chooses a request's tokens, its prompt told, or finds out why that cannot be: on the thread that
     * submits the request, as it may take its time (grammars, breakers of repetitions, long prompts) and others are at
     * work.
     */
    static FutureTask<Decoding> decoding(Model model, CompletionRequest request) {
        FutureTask<Decoding> making = new FutureTask<>(() -> {
            Decoding made = model.decoding(request.options());
            made.addPrompt(request.prompt());
            return made;
        });
        making.run();
        return making;
    }

    /** What chooses the tokens, once; or throws why there is none. For the scheduler. */
    Decoding takeDecoding() {
        FutureTask<Decoding> making = Objects.requireNonNull(decoding);
        decoding = null;
        if (making.state() == Future.State.SUCCESS) {
            return making.resultNow();
        }
        throw switch (making.exceptionNow()) {
            case RuntimeException unchecked -> unchecked;
            case Error error -> throw error;
            case Throwable checked -> new IllegalStateException(checked);
        };
    }

    long number() {
        return number;
    }

    CompletionRequest request() {
        return request;
    }

    boolean cancelled() {
        return cancelled;
    }

    /** Tells the reader; nobody's patience is asked for, as an answer is no longer than the context. */
    void tell(CompletionEvent event) {
        ended |= last(event);
        if (!cancelled || last(event)) {
            events.add(event);
        }
    }

    @Override
    public @Nullable CompletionEvent next(Duration patience) throws InterruptedException {
        if (read) {
            return null;
        }
        CompletionEvent event = events.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        read = event != null && last(event);
        return event;
    }

    private static boolean last(CompletionEvent event) {
        return event instanceof CompletionEvent.Ended || event instanceof CompletionEvent.Failed;
    }

    @Override
    public void close() {
        if (!cancelled) {
            cancelled = true;
            if (!ended) { // else there is nothing to stop, and no pass of others is to be paused for it
                events.clear();
                cancel.accept(this);
            }
        }
    }
}
