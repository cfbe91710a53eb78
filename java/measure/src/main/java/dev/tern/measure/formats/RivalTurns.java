package dev.tern.measure.formats;

import dev.tern.measure.comparison.RivalResult;
import dev.tern.measure.rivals.RivalBench;
import dev.tern.measure.rivals.Workload;
import dev.tern.measure.rivals.Rivals;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Other engines in the turns of a comparison. */
final class RivalTurns {
    private static final Duration ASK = Duration.ofMillis(50);

    private final List<RivalBench> benches;
    private final Surroundings surroundings;

    /** @param trials whose files the engines may run */
    RivalTurns(Rivals rivals, FormatsRequest request, List<FormatTrial> trials, Surroundings surroundings) {
        Map<String, Path> files = new HashMap<>();
        trials.stream().filter(FormatTrial::converted).forEach(trial -> files.put(trial.toString(), trial.file()));
        this.benches = rivals.benches(
                new Workload(request.prompt(), request.generated(), request.threads(), files));
        this.surroundings = surroundings;
    }

    List<RivalBench> benches() {
        return benches;
    }

    /** One round of an engine, on a thread of its own, so that it can be called off. */
    void round(RivalBench bench) {
        AtomicReference<@Nullable Throwable> fault = new AtomicReference<>();
        Thread runner = Thread.ofPlatform().daemon().name("tern-rival").start(() -> {
            try {
                bench.round();
            } catch (InterruptedException calledOff) {
                // nobody waits for it any more
            } catch (RuntimeException | Error e) {
                fault.set(e);
            }
        });
        try {
            while (!runner.join(ASK)) {
                surroundings.check();
            }
        } catch (InterruptedException e) {
            end(runner);
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while " + bench.engine() + " ran", e);
        } catch (RuntimeException | Error e) {
            end(runner);
            throw e;
        }
        switch (fault.get()) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> surroundings.check(); // Ctrl-C ends the engine, too
        }
    }

    /** The engine's processes end, then the thread. */
    private static void end(Thread runner) {
        runner.interrupt();
        try {
            runner.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    List<RivalResult> results() {
        return benches.stream().map(RivalBench::result).toList();
    }

    List<String> notes() {
        return benches.stream().flatMap(bench -> bench.notes().stream()).toList();
    }

    /** Whether each was run as often as asked, or is not there. */
    boolean complete() {
        return benches.stream().allMatch(bench -> bench.failure().isEmpty() || bench.result().skipped().isPresent());
    }
}
