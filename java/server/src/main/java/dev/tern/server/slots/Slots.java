package dev.tern.server.slots;

import dev.tern.Decoding;
import dev.tern.Model;
import dev.tern.Session;
import dev.tern.StopReason;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Completions of one model, computed in passes that all requests at work share (continuous batching). A request waits,
 * first come first served, for one of the slots; begins with what any slot has computed of its first tokens; and from
 * then on has a token in every pass until it ends, but for passes that are made while its own is paused for something
 * new. What it gives is to the bit what {@link Model#generate(int[], dev.tern.GenerationOptions)} gives.
 *
 * <p>One thread of its own makes the passes, over the threads of the model. Memory: each slot has a cache that grows
 * with its text up to the context and stays until another request takes the slot, or {@link #erase}.
 */
public final class Slots implements Completions {
    private final Model model;
    private final SlotOptions options;
    private final List<Slot> slots;
    private final RequestCheck check;
    private final SlotCounters counters = new SlotCounters();
    private final Crew crew;
    private final Scheduler scheduler;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition work = lock.newCondition(); // for the thread
    private final Condition change = lock.newCondition(); // for those that wait for slots or for quiet
    private final ArrayDeque<Task> waiting = new ArrayDeque<>();
    private final SessionLoans loans = new SessionLoans(lock, change, this::wake);
    private int busy; // slots with a request
    private long submitted;
    private long wakes;
    private boolean draining;
    private volatile boolean cancelling; // what the drain has not waited for
    private volatile boolean interrupting; // there is something that should not wait for a long pass
    private boolean closed;

    private Slots(Model model, SlotOptions options) {
        this.model = model;
        this.options = options;
        this.slots = IntStream.range(0, options.parallel()).mapToObj(id -> new Slot(id, model)).toList();
        this.check = RequestCheck.of(model, options.parallel());
        this.crew = new Crew(model.info().threads());
        this.scheduler = new Scheduler(slots, model, crew, counters, () -> interrupting);
        this.thread = Thread.ofPlatform().daemon().name("tern-slots").unstarted(this::run);
    }

    /** Slots of a model, ready to take requests. Close them before the model. */
    public static Slots open(Model model, SlotOptions options) {
        Slots slots = new Slots(model, options);
        slots.thread.start();
        return slots;
    }

    @Override
    public Completion submit(CompletionRequest request) {
        int[] prompt = request.prompt().clone();
        check.requirePrompt(prompt);
        request.slot().ifPresent(check::requireSlot);
        CompletionRequest own = new CompletionRequest(
                prompt,
                request.options(),
                request.slot(),
                request.cachePrompt(),
                request.timeLimit(),
                request.progress());
        lock.lock();
        try {
            requireRoom();
        } finally {
            lock.unlock();
        }
        FutureTask<Decoding> decoding = Task.decoding(model, own);
        lock.lock();
        try {
            requireRoom();
            Task task = new Task(submitted++, own, decoding, this::cancel);
            waiting.add(task);
            interrupting |= busy < slots.size();
            wake();
            return task;
        } finally {
            lock.unlock();
        }
    }

    /** Checks that another request may wait; with the lock. */
    private void requireRoom() {
        if (draining) {
            throw new DrainingException();
        }
        if (waiting.size() >= options.queue() + slots.size() - busy) { // idle slots take theirs in a moment
            counters.refused();
            throw new QueueFullException(waiting.size(), retryAfter());
        }
    }

    /** When a slot may be expected to become free: so many leave in the time that one needs. */
    private Duration retryAfter() {
        double nanos = counters.service() / slots.size();
        return Duration.ofNanos((long) Math.clamp(nanos, 1e9, 300e9));
    }

    /** Nobody reads it any more: one that waits leaves the queue, one at work its slot after the pass at hand. */
    private void cancel(Task task) {
        lock.lock();
        try {
            if (waiting.remove(task)) {
                endWaiting(task);
            } else {
                interrupting = true;
            }
            wake();
        } finally {
            lock.unlock();
        }
    }

    private void endWaiting(Task task) {
        counters.cancelledWaiting();
        task.tell(new CompletionEvent.Ended(
                StopReason.CANCELLED, "", "", new CompletionTimings(0, 0, 0, 0, 0, 0, 0)));
        change.signalAll();
    }

    @Override
    public List<SlotState> slots() {
        return slots.stream().map(Slot::state).toList();
    }

    @Override
    public int waiting() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public SlotMetrics metrics() {
        lock.lock();
        try {
            return counters.metrics(busy, waiting.size());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int save(int slot, Path file) throws InterruptedException {
        return reserved(slot, session -> {
            try (Session empty = session == null ? model.session() : null) {
                (session == null ? empty : session).save(file, true);
            }
            return session;
        });
    }

    @Override
    public int restore(int slot, Path file) throws InterruptedException {
        return reserved(slot, session -> {
            Session restored = model.restore(file);
            if (session != null) {
                session.close();
            }
            return restored;
        });
    }

    @Override
    public int erase(int slot) throws InterruptedException {
        int[] held = new int[1];
        reserved(slot, session -> {
            if (session != null) {
                held[0] = session.position();
                session.close();
            }
            return null;
        });
        return held[0];
    }

    /**
     * Has a slot's session for itself for a while.
     *
     * @param use gets the session, null where there is none, and returns the one that the slot has from then on
     * @return tokens that the slot holds then
     */
    private int reserved(int slot, Function<@Nullable Session, @Nullable Session> use) throws InterruptedException {
        check.requireSlot(slot);
        Session session = loans.take(slot);
        Session then = session;
        try {
            then = use.apply(session);
            return then == null ? 0 : then.position();
        } finally {
            loans.giveBack(slot, then);
        }
    }

    @Override
    public void drain(Duration patience) throws InterruptedException {
        long left = patience.toNanos();
        lock.lock();
        try {
            draining = true;
            while (left > 0 && !closed && busy + waiting.size() > 0) {
                left = change.awaitNanos(left);
            }
            cancelling = true;
            interrupting = true;
            wake();
            while (!closed && busy + waiting.size() > 0) {
                change.await();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            draining = true;
            closed = true;
            loans.close();
            interrupting = true;
            wake();
            change.signalAll();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (thread.isAlive() && thread != Thread.currentThread()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** There is something for the thread to see; with the lock. */
    private void wake() {
        wakes++;
        work.signal();
    }

    private void run() {
        try {
            long seen = -1;
            while ((seen = prepare(seen)) >= 0) {
                try {
                    scheduler.pass();
                } catch (Throwable thrown) { // a mistake of ours, which must not leave readers waiting for ever
                    slots.stream().filter(Slot::busy).forEach(slot -> slot.fail(thrown));
                }
            }
        } finally {
            end();
        }
    }

    /**
     * Waits until there is work, ends what is done, and begins what can be.
     *
     * @param seen the wakes that the last call has seen
     * @return those that this one has; -1 when all is over
     */
    private long prepare(long seen) {
        lock.lock();
        try {
            while (busy == 0 && seen == wakes) {
                work.awaitUninterruptibly();
            }
            if (closed) {
                return -1;
            }
            seen = wakes;
            interrupting = false;
            loans.takeBack(slots);
            if (cancelling) {
                waiting.forEach(this::endWaiting);
                waiting.clear();
            }
        } finally {
            lock.unlock();
        }
        for (Slot slot : slots) {
            if (slot.done() || slot.busy() && cancelling) {
                finish(slot);
            }
        }
        loans.grant(slots);
        while (begin()) {}
        return seen;
    }

    private void finish(Slot slot) {
        scheduler.release(slot);
        int tokens = slot.position();
        Slot.Outcome outcome = slot.finish();
        counters.finished(outcome, tokens);
        lock.lock();
        try {
            busy--;
            change.signalAll();
        } finally {
            lock.unlock();
        }
        outcome.task().tell(outcome.last()); // the slot is seen to be free by who knows of the end
    }

    /** Begins the first request that a slot can take; one that wants a slot that is busy lets others pass. */
    private boolean begin() {
        Task task = null;
        SharedPrefix.Choice choice = null;
        lock.lock();
        try {
            for (Iterator<Task> each = waiting.iterator(); each.hasNext() && choice == null; ) {
                task = each.next();
                choice = SharedPrefix.choose(slots, task);
                if (choice != null) {
                    each.remove();
                    busy++;
                }
            }
        } finally {
            lock.unlock();
        }
        if (choice == null) {
            return false;
        }
        SharedPrefix prefix = choice.prefix();
        choice.slot().begin(task, prefix == null ? null : prefix.source(), prefix == null ? 0 : prefix.tokens());
        return true;
    }

    /** Nothing is computed any more: tells all readers and frees all memory. */
    private void end() {
        lock.lock();
        try {
            draining = true; // also where a mistake of ours has ended the thread
            closed = true;
            loans.close();
            waiting.forEach(this::endWaiting);
            waiting.clear();
            change.signalAll();
        } finally {
            lock.unlock();
        }
        for (Slot slot : slots) {
            if (slot.busy()) {
                finish(slot);
            }
            slot.erase();
        }
        crew.close();
    }
}
