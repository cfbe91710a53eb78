package dev.tern.server.completion;

import dev.tern.server.slots.Completion;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.server.slots.CompletionRequest;
import dev.tern.server.slots.Completions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The completions of one request, submitted together and read as one. For one thread; any may close it. */
final class Choices implements AutoCloseable {
    private static final int AHEAD = 256;
    private static final Duration STEP = Duration.ofMinutes(1);

    private final List<Completion> completions;
    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(AHEAD);
    private final List<Thread> readers = new ArrayList<>();

    /**
     * What happened to one of them.
     *
     * @param choice its index
     */
    record Event(int choice, CompletionEvent event) {}

    private Choices(List<Completion> completions) {
        this.completions = completions;
        if (completions.size() > 1) {
            for (int i = 0; i < completions.size(); i++) {
                int choice = i;
                readers.add(Thread.ofVirtual().name("tern-choice").start(() -> read(choice)));
            }
        }
    }

    /** Submits all of them, or none when one is refused. */
    static Choices submit(Completions completions, List<CompletionRequest> requests) {
        List<Completion> submitted = new ArrayList<>();
        try {
            requests.forEach(request -> submitted.add(completions.submit(request)));
            return new Choices(submitted);
        } catch (RuntimeException e) {
            submitted.forEach(Completion::close);
            throw e;
        }
    }

    /** The next event of any of them; null when none came in time. */
    @Nullable Event next(Duration patience) throws InterruptedException {
        if (readers.isEmpty()) {
            CompletionEvent event = completions.getFirst().next(patience);
            return event == null ? null : new Event(0, event);
        }
        return events.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    private void read(int choice) {
        try {
            while (true) {
                CompletionEvent event = completions.get(choice).next(STEP);
                if (event != null) {
                    events.put(new Event(choice, event));
                    if (event instanceof CompletionEvent.Ended || event instanceof CompletionEvent.Failed) {
                        return;
                    }
                }
            }
        } catch (InterruptedException e) {
            return; // nobody wants to know
        }
    }

    /** Ends all of them. */
    @Override
    public void close() {
        completions.forEach(Completion::close);
        readers.forEach(Thread::interrupt);
    }
}
