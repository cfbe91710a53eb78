package dev.tern.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * Runs numbered tasks on several threads, which take them in order. Each thread has a worker of its own, so that
 * workers may hold buffers.
 */
final class Workers {
    private final AtomicInteger next = new AtomicInteger();
    private final BlockingQueue<Outcome> outcomes = new LinkedBlockingQueue<>();
    private final int tasks;
    private volatile boolean stopped;

    /** What a thread tells: that a task is done or has failed, or that the thread has ended. */
    private sealed interface Outcome {}

    private record Done(int task) implements Outcome {}

    private record Failed(int task, Throwable cause) implements Outcome {}

    private record Ended() implements Outcome {}

    private Workers(int tasks) {
        this.tasks = tasks;
    }

    /**
     * Runs tasks 0 to {@code tasks - 1}; returns when no thread is at work any more.
     *
     * @param worker makes a thread's own, on that thread
     * @param done called on the calling thread after each task; what it throws ends the work
     * @throws RuntimeException (or Error) what {@code done} threw, or else the failure of the task with the lowest
     *     number of those that failed
     */
    static void run(int threads, int tasks, Supplier<IntConsumer> worker, IntConsumer done) {
        new Workers(tasks).run(Math.min(threads, tasks), worker, done);
    }

    private void run(int count, Supplier<IntConsumer> worker, IntConsumer done) {
        List<Failed> failures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Thread.ofPlatform().daemon().name("tern-convert-" + i).start(() -> work(worker));
        }
        boolean interrupted = false;
        for (int running = count; running > 0; ) {
            try {
                switch (outcomes.take()) {
                    case Done(int task) -> {
                        if (!stopped) {
                            done.accept(task);
                        }
                    }
                    case Failed failed -> {
                        failures.add(failed);
                        stopped = true;
                    }
                    case Ended ended -> running--;
                }
            } catch (InterruptedException e) {
                interrupted = true;
                stopped = true;
                failures.add(new Failed(-1, new IllegalStateException("interrupted while tensors were converted", e)));
            } catch (RuntimeException | Error e) {
                stopped = true;
                failures.add(new Failed(-1, e));
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        failures.stream().min((a, b) -> Integer.compare(a.task, b.task)).ifPresent(first -> rethrow(first.cause));
    }

    private void work(Supplier<IntConsumer> worker) {
        try {
            IntConsumer own = worker.get();
            for (int task = next.getAndIncrement(); task < tasks && !stopped; task = next.getAndIncrement()) {
                try {
                    own.accept(task);
                    outcomes.add(new Done(task));
                } catch (RuntimeException | Error e) {
                    outcomes.add(new Failed(task, e));
                }
            }
        } catch (RuntimeException | Error e) { // no worker could be made
            outcomes.add(new Failed(-1, e));
        } finally {
            outcomes.add(new Ended());
        }
    }

    private static void rethrow(Throwable cause) {
        switch (cause) {
            case RuntimeException unchecked -> throw unchecked;
            case Error error -> throw error;
            default -> throw new IllegalStateException(cause);
        }
    }
}
