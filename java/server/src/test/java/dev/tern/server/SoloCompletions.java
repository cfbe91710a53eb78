package dev.tern.server;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.StopReason;
import dev.tern.Token;
import dev.tern.io.InputException;
import dev.tern.sampling.TokenProbability;
import dev.tern.server.slots.Completion;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.server.slots.CompletionRequest;
import dev.tern.server.slots.CompletionTimings;
import dev.tern.server.slots.Completions;
import dev.tern.server.slots.DrainingException;
import dev.tern.server.slots.QueueFullException;
import dev.tern.server.slots.SlotMetrics;
import dev.tern.server.slots.SlotState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Completions as the library gives them, one after the other; a test can hold them up and count them. */
final class SoloCompletions implements Completions {
    /** How many tokens may come; as many as wanted unless a test takes them away. */
    final Semaphore tokens = new Semaphore(Integer.MAX_VALUE);

    final Semaphore cancelled = new Semaphore(0);
    private final Model model;
    private final int mostWaiting;
    private final Semaphore slot = new Semaphore(1, true);
    private final Set<Running> running = ConcurrentHashMap.newKeySet();
    private final AtomicLong promptTokens = new AtomicLong();
    private final AtomicLong generatedTokens = new AtomicLong();
    private volatile boolean closed;

    SoloCompletions(Model model, int mostWaiting) {
        this.model = model;
        this.mostWaiting = mostWaiting;
    }

    /** No token comes from now on until {@link #go}. */
    void hold() {
        tokens.drainPermits();
    }

    void go() {
        tokens.release(1 << 20);
    }

    @Override
    public Completion submit(CompletionRequest request) {
        if (closed) {
            throw new DrainingException();
        }
        if (request.prompt().length == 0 || request.prompt().length >= model.info().contextLength()) {
            throw InputException.at("prompt").problem("its length").exception();
        }
        if (running.size() > mostWaiting) {
            throw new QueueFullException(mostWaiting, Duration.ofSeconds(7));
        }
        Running completion = new Running(request);
        running.add(completion);
        Thread.ofVirtual().name("solo").start(completion::run);
        return completion;
    }

    @Override
    public List<SlotState> slots() {
        return List.of(new SlotState(0, model.info().contextLength(), 0, !running.isEmpty(), -1, 0, false));
    }

    @Override
    public int waiting() {
        return Math.max(0, running.size() - 1);
    }

    @Override
    public SlotMetrics metrics() {
        return new SlotMetrics(
                promptTokens.get(), 0, 0, generatedTokens.get(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, running.size(), waiting());
    }

    @Override
    public int save(int number, Path file) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int restore(int number, Path file) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int erase(int number) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void drain(Duration patience) throws InterruptedException {
        closed = true;
        long start = System.nanoTime();
        while (!running.isEmpty() && System.nanoTime() - start < patience.toNanos()) {
            Thread.sleep(5);
        }
        running.forEach(Running::close);
    }

    @Override
    public void close() {
        closed = true;
        running.forEach(Running::close);
    }

    private final class Running implements Completion {
        private final CompletionRequest request;
        private final LinkedBlockingQueue<CompletionEvent> events = new LinkedBlockingQueue<>();
        private final AtomicBoolean stopped = new AtomicBoolean();

        Running(CompletionRequest request) {
            this.request = request;
        }

        void run() {
            boolean taken = false;
            try {
                slot.acquire();
                taken = true;
                generate();
            } catch (RuntimeException e) {
                events.add(new CompletionEvent.Failed(e));
            } catch (InterruptedException e) {
                events.add(new CompletionEvent.Failed(new IllegalStateException(e)));
            } finally {
                running.remove(this);
                if (taken) {
                    slot.release();
                }
            }
        }

        private void generate() throws InterruptedException {
            GenerationOptions options = request.options();
            promptTokens.addAndGet(request.prompt().length);
            events.add(new CompletionEvent.Started(0, 0));
            if (request.progress()) {
                events.add(new CompletionEvent.Prefilled(request.prompt().length, request.prompt().length, 1_000_000));
            }
            int count = 0;
            StringBuilder held = new StringBuilder();
            try (Generation generation = model.generate(request.prompt(), options)) {
                for (Token token : generation) {
                    while (!stopped.get() && !tokens.tryAcquire(5, TimeUnit.MILLISECONDS)) {}
                    if (stopped.get()) {
                        break;
                    }
                    if (token.id() == Token.NO_ID) {
                        held.append(token.text());
                    } else {
                        count++;
                        generatedTokens.incrementAndGet();
                        events.add(new CompletionEvent.Generated(token.id(), token.text(), probabilities(token)));
                    }
                }
                CompletionTimings timings =
                        new CompletionTimings(0, request.prompt().length, 2_000_000, count, 1_000_000L * count, 0, 0);
                StopReason reason = stopped.get() ? StopReason.CANCELLED : generation.stopReason();
                String word = reason == StopReason.STOP_STRING ? options.stop().getFirst() : "";
                events.add(new CompletionEvent.Ended(reason, held.toString(), word, timings));
            }
        }

        private static List<TokenProbability> probabilities(Token token) {
            return token.probabilities().stream()
                    .map(one -> new TokenProbability(one.id(), one.logProbability()))
                    .toList();
        }

        @Override
        public @Nullable CompletionEvent next(Duration patience) throws InterruptedException {
            return events.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public void close() {
            if (!stopped.getAndSet(true) && running.contains(this)) {
                cancelled.release();
            }
        }
    }
}
