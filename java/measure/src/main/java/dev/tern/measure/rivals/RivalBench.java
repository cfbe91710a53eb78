package dev.tern.measure.rivals;

import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.RivalResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * The measurement of one rival, a round at a time, so that it can take turns with others. What goes wrong with the
 * engine is part of the result and never an exception; after it the engine is not run again. Not thread-safe.
 */
public final class RivalBench {
    private static final Duration VERSION_LIMIT = Duration.ofSeconds(20);
    private static final int VERSION_LENGTH = 80;

    private final Rival rival;
    private final Workload workload;
    private final Installation installation;
    private final Map<Test, List<Double>> samples = new LinkedHashMap<>();
    private final Set<String> remarks = new LinkedHashSet<>();
    private Optional<String> failure = Optional.empty();
    private String version;
    private int rounds;

    /** A test of {@link Speed}; one of the numbers of tokens is 0. */
    private record Test(int prompt, int generated, int threads) {}

    RivalBench(Rival rival, Workload workload, Map<String, String> variables) {
        this.rival = rival;
        this.workload = workload;
        this.version = rival.version().text();
        this.installation = new Installation(rival, workload, variables);
        try {
            installation.check();
        } catch (RivalFailure e) {
            failure = Optional.of(e.getMessage());
        }
    }

    /** The engine's name. */
    public String engine() {
        return rival.engine();
    }

    /** Why it is not run, or not any more; empty as long as it is. */
    public Optional<String> failure() {
        return failure;
    }

    /**
     * Runs every test once with every number of threads; does nothing once the engine has failed.
     *
     * @throws InterruptedException when the thread is interrupted; the engine's processes have ended then
     */
    public void round() throws InterruptedException {
        if (failure.isPresent()) {
            return;
        }
        try {
            if (rounds == 0 && !rival.version().command().isEmpty()) {
                version = tellVersion();
            }
            for (int threads : workload.threads()) {
                measure(threads);
            }
            rounds++;
        } catch (RivalFailure e) {
            failure = Optional.of(e.getMessage());
        }
    }

    private void measure(int threads) throws RivalFailure, InterruptedException {
        Rates rates = Rates.NONE;
        boolean prefill = false;
        boolean decode = false;
        for (Rival.Run run : rival.runs()) {
            boolean ofPrompt = run.reading().readsPrefill() && workload.prompt() > 0;
            boolean ofGeneration = run.reading().readsDecode() && workload.generated() > 0;
            if (!ofPrompt && !ofGeneration) {
                continue;
            }
            installation.warm();
            ProcessOutput output = installation.run(run.command(), threads, rival.timeLimit());
            if (output.status() != 0) {
                throw new RivalFailure("it ended with exit status " + output.status() + saying(output));
            }
            rates = rates.and(run.reading().read(output, workload.prompt(), workload.generated(), threads));
            prefill |= ofPrompt;
            decode |= ofGeneration;
        }
        add(prefill, rates.prefill(), new Test(workload.prompt(), 0, threads));
        add(decode, rates.decode(), new Test(0, workload.generated(), threads));
        remarks.addAll(rates.remarks());
        if (version.isEmpty()) {
            version = rates.version();
        }
    }

    private void add(boolean expected, OptionalDouble rate, Test of) throws RivalFailure {
        if (rate.isPresent()) {
            samples.computeIfAbsent(of, key -> new ArrayList<>()).add(rate.getAsDouble());
        } else if (expected) {
            throw new RivalFailure("its output has no result of " + speed(of, List.of(1.0)).test());
        }
    }

    private static String saying(ProcessOutput output) {
        String tail = output.tail();
        return tail.isEmpty() ? ", without a word" : "; its last words: " + tail;
    }

    /** The first line that the version's command prints; nothing where it fails: a result without it is one, too. */
    private String tellVersion() throws InterruptedException {
        try {
            ProcessOutput output =
                    installation.run(rival.version().command(), workload.threads().getFirst(), VERSION_LIMIT);
            if (output.status() != 0) {
                return "";
            }
            String line = ProcessOutput.printable(output.out() + "\n" + output.err())
                    .lines()
                    .map(String::strip)
                    .filter(text -> !text.isEmpty())
                    .findFirst()
                    .orElse("");
            String version = line.startsWith("version: ") ? line.substring("version: ".length()) : line;
            return version.substring(0, Math.min(version.length(), VERSION_LENGTH));
        } catch (RivalFailure e) {
            return "";
        }
    }

    /**
     * What was measured so far. An engine that failed before its first result is skipped for that reason; one that
     * failed later keeps the results it has, and {@link #notes} tell.
     */
    public RivalResult result() {
        return new RivalResult(
                rival.engine(),
                version,
                rival.type(),
                installation.modelBytes(),
                samples.isEmpty() ? failure : Optional.empty(),
                samples.entrySet().stream()
                        .map(entry -> speed(entry.getKey(), entry.getValue()))
                        .toList());
    }

    private static Speed speed(Test test, List<Double> samples) {
        return new Speed(test.prompt(), test.generated(), 0, test.threads(), new Spread(samples));
    }

    /** What a reader of the result must know: the terms that are not equal, and what did not go as asked. */
    public List<String> notes() {
        if (samples.isEmpty()) {
            return List.of();
        }
        List<String> notes = new ArrayList<>();
        if (!rival.terms().isEmpty()) {
            notes.add(rival.engine() + ": " + rival.terms());
        }
        remarks.forEach(remark -> notes.add(rival.engine() + ": " + remark + "."));
        failure.ifPresent(reason -> notes.add(rival.engine() + ": round " + (rounds + 1) + " failed (" + reason
                + "); what stands here was measured before."));
        return notes;
    }
}
