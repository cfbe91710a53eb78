package dev.tern.server;

import dev.tern.Model;
import dev.tern.StopReason;
import dev.tern.server.slots.Completion;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.server.slots.CompletionRequest;
import dev.tern.server.slots.CompletionTimings;
import dev.tern.server.slots.Completions;
import dev.tern.server.slots.SlotMetrics;
import dev.tern.server.slots.SlotState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Says what the test wants it to, whatever is asked; keeps what was asked. */
public final class ScriptedCompletions implements Completions {
    public final List<CompletionRequest> requests = new CopyOnWriteArrayList<>();

    /** How many tokens may come; as many as there are unless a test takes them away. */
    public final Semaphore tokens = new Semaphore(Integer.MAX_VALUE);

    public final Semaphore cancelled = new Semaphore(0);
    private final Model model;
    private volatile String text = "";
    private volatile int piece = 1;
    private volatile StopReason reason = StopReason.END_TOKEN;
    private volatile @Nullable RuntimeException failure;

    ScriptedCompletions(Model model) {
        this.model = model;
    }

    /** Says this from now on, so many characters a token. */
    public void say(String what, int charactersPerToken, StopReason why) {
        text = what;
        piece = charactersPerToken;
        reason = why;
    }

    /** Fails after the text. */
    public void fail(RuntimeException cause) {
        failure = cause;
    }

    @Override
    public Completion submit(CompletionRequest request) {
        requests.add(request);
        List<CompletionEvent> events = new ArrayList<>();
        events.add(new CompletionEvent.Started(0, 2));
        int count = 0;
        for (int at = 0; at < text.length(); at += piece) {
            events.add(new CompletionEvent.Generated(
                    10 + count++, text.substring(at, Math.min(text.length(), at + piece)), List.of()));
        }
        RuntimeException cause = failure;
        events.add(
                cause != null
                        ? new CompletionEvent.Failed(cause)
                        : new CompletionEvent.Ended(
                                reason,
                                "",
                                "",
                                new CompletionTimings(2, request.prompt().length - 2, 1000, count, 1000, 0, 0)));
        return new Script(events);
    }

    @Override
    public List<SlotState> slots() {
        return List.of(new SlotState(0, model.info().contextLength(), 0, false, -1, 0, false));
    }

    @Override
    public int waiting() {
        return 0;
    }

    @Override
    public SlotMetrics metrics() {
        throw new UnsupportedOperationException();
    }

    @Override
    public int save(int number, Path file) {
        try {
            Files.writeString(file, "saved");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return 7;
    }

    @Override
    public int restore(int number, Path file) {
        return 7;
    }

    @Override
    public int erase(int number) {
        return 7;
    }

    @Override
    public void drain(Duration patience) {}

    @Override
    public void close() {}

    private final class Script implements Completion {
        private final Queue<CompletionEvent> events;

        Script(List<CompletionEvent> events) {
            this.events = new ConcurrentLinkedQueue<>(events);
        }

        @Override
        public @Nullable CompletionEvent next(Duration patience) throws InterruptedException {
            boolean token = events.peek() instanceof CompletionEvent.Generated;
            return token && !tokens.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS) ? null : events.poll();
        }

        @Override
        public void close() {
            if (!events.isEmpty()) {
                events.clear();
                cancelled.release();
            }
        }
    }
}
