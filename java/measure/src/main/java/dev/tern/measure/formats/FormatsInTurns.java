package dev.tern.measure.formats;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.ReferenceLogits;
import dev.tern.TextWindows;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.KernelPlanException;
import dev.tern.convert.ConversionReport;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.Method;
import dev.tern.measure.comparison.Origin;
import dev.tern.measure.comparison.Quality;
import dev.tern.measure.rivals.RivalBench;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Compares the formats of a checkpoint: converts it to each and validates it, holds each against the checkpoint's own
 * predictions of a text, and then measures in rounds, in each of which every format is run once, in a process of its
 * own. What happens on the machine meanwhile befalls all alike. A format that fails says why; the others go on. Used
 * once.
 */
public final class FormatsInTurns {
    private final FormatsRequest request;
    private final Surroundings surroundings;
    private final FormatPlans plans;
    private final LimitsAround limits;
    private final List<String> notes = new ArrayList<>();

    public FormatsInTurns(FormatsRequest request, Surroundings surroundings) {
        this(request, surroundings, LimitsAround.of(request.threads(), surroundings));
    }

    FormatsInTurns(FormatsRequest request, Surroundings surroundings, LimitsAround limits) {
        this.request = request;
        this.surroundings = surroundings;
        this.plans = new FormatPlans(request);
        this.limits = limits;
    }

    /**
     * What came of it.
     *
     * @param complete whether all that was asked for was measured
     */
    public record Outcome(Comparison comparison, boolean complete) {}

    /**
     * Compares.
     *
     * @param origin for the report
     * @throws InputException when the checkpoint or the text is at fault, or the disk is too full; nothing is left
     *     behind
     */
    public Outcome run(Origin origin) {
        try (Checkpoint checkpoint = Checkpoint.open(request.checkpoint());
                WorkFolder folder = request.folder().map(WorkFolder::keep).orElseGet(WorkFolder::temporary)) {
            checkpoint.notes().forEach(notes::add);
            Optional<TextWindows> text = text(checkpoint);
            List<FormatTrial> trials = plans.plan(folder.path());
            notes.addAll(plans.notes());
            requireRoom(trials, folder, text, checkpoint);
            convert(trials, checkpoint);
            compare(trials, checkpoint, text, folder);
            Optional<RivalTurns> rivals = measure(trials, folder);
            folder.finish();
            return outcome(origin, checkpoint, trials, text, rivals);
        }
    }

    private Optional<TextWindows> text(Checkpoint checkpoint) {
        if (request.text().isEmpty()) {
            return Optional.empty();
        }
        Optional<String> obstacle = ReferenceLogits.obstacle(checkpoint);
        if (obstacle.isPresent()) {
            notes.add("quality was not measured: " + obstacle.get());
            return Optional.empty();
        }
        return Optional.of(QualityMeasurement.windows(checkpoint, request.text().get()));
    }

    private void requireRoom(
            List<FormatTrial> trials, WorkFolder folder, Optional<TextWindows> text, Checkpoint checkpoint) {
        long logits = text.map(windows -> ReferenceLogits.bytes(windows, checkpoint.hyperparameters().vocabSize()))
                .orElse(0L);
        FormatPlans.requireRoom(trials, folder.path(), logits);
        long count = trials.stream().filter(trial -> !trial.failed()).count();
        surroundings.step(String.format(
                Locale.ROOT,
                "%d %s %s in %s, of %s that are free%s",
                count,
                count == 1 ? "format takes" : "formats take",
                FormatPlans.gibibytes(FormatPlans.needed(trials) + logits),
                folder.path(),
                FormatPlans.gibibytes(FormatPlans.room(folder.path())),
                folder.kept() ? "" : ", and are removed at the end"));
    }

    /** A part of a format's way. */
    private interface Part {
        void run();
    }

    /** What is the format's fault, or the machine's, ends its way and not that of the others. */
    private void attempt(FormatTrial trial, Part part) {
        if (trial.failed()) {
            return;
        }
        try {
            part.run();
        } catch (InputException | KernelUnavailableException | KernelBuildException | KernelPlanException e) {
            surroundings.check(); // not what Ctrl-C made of it
            trial.fail(String.valueOf(e.getMessage()));
        } catch (OutOfMemoryError e) {
            trial.fail("out of memory: " + e.getMessage());
        }
        if (trial.failed()) {
            surroundings.step(trial + ": failed: " + trial.result().failure().orElseThrow());
        }
    }

    private void convert(List<FormatTrial> trials, Checkpoint checkpoint) {
        for (FormatTrial trial : trials) {
            attempt(trial, () -> {
                warm(trial + ": read the checkpoint", checkpoint.weightFiles()); // the first must not pay for all
                ConversionReport report = trial.convert(plans.converter(trial.outtype())
                        .progress((phase, tensor, done, total) -> surroundings.progress(
                                trial + ": " + phase.name().toLowerCase(Locale.ROOT), done, total, "MiB", 1 << 20)));
                trial.kernels().ifPresent(plan -> provide(trial, plan));
                surroundings.step(String.format(
                        Locale.ROOT,
                        "%s: %s, converted in %.1f s, every ternary value and scale as in the checkpoint",
                        trial,
                        FormatPlans.gibibytes(report.plan().fileBytes()),
                        report.seconds()));
            });
        }
    }

    /** Reads files through, so that they lie in the system's cache. */
    private void warm(String task, List<Path> files) {
        for (Path file : files) {
            PageCache.warm(file, (done, all) -> surroundings.progress(task, done, all, "MiB", 1 << 20));
        }
    }

    private void provide(FormatTrial trial, KernelPlan plan) {
        surroundings.provide(plan).ifPresent(trial::fail);
    }

    private void compare(
            List<FormatTrial> trials, Checkpoint checkpoint, Optional<TextWindows> text, WorkFolder folder) {
        if (text.isEmpty() || trials.stream().allMatch(FormatTrial::failed)) {
            trials.forEach(trial -> attempt(trial, () -> settle(trial)));
            return;
        }
        try (QualityMeasurement quality = QualityMeasurement.of(checkpoint, text.get(), folder.path(), surroundings)) {
            surroundings.step(String.format(
                    Locale.ROOT,
                    "the checkpoint: perplexity %.4f over %d tokens of %s",
                    quality.perplexity(),
                    text.get().positions(),
                    request.text().orElseThrow().name()));
            for (FormatTrial trial : trials) {
                attempt(trial, () -> {
                    Quality found = quality.measure(trial);
                    trial.quality(found);
                    surroundings.step(String.format(
                            Locale.ROOT,
                            "%s: perplexity %.4f, KL divergence %.3g nats, the same greedy token at %.2f %%%s",
                            trial,
                            found.perplexity(),
                            found.meanKl(),
                            100 * found.greedyAgreement(),
                            found.identical() ? ", equal to the bit" : ""));
                });
            }
        }
    }

    /** The first load of a format may measure which kernels suit it, and remember that: before times are taken. */
    private void settle(FormatTrial trial) {
        surroundings.check();
        Model.load(trial.file(), ModelOptions.builder()
                        .requireNative(surroundings.requireNative())
                        .build())
                .close();
    }

    /** The other engines, measured; empty where there are none to measure. */
    private Optional<RivalTurns> measure(List<FormatTrial> trials, WorkFolder folder) {
        boolean tests = request.prompt() > 0 || request.generated() > 0;
        if (!tests || trials.stream().allMatch(FormatTrial::failed)) {
            return Optional.empty();
        }
        Optional<RivalTurns> rivals = request.rivals().map(all -> new RivalTurns(all, request, trials, surroundings));
        probe();
        BenchProcess process = new BenchProcess(surroundings, folder.path());
        // Loads with most threads first: load and first token are as users have them.
        List<Integer> threads = request.threads().stream().sorted(Comparator.reverseOrder()).toList();
        int others = rivals.map(turns -> turns.benches().size()).orElse(0);
        int all = request.rounds() * (trials.size() + others);
        int done = 0;
        for (int round = 1; round <= request.rounds(); round++) {
            String task = "round " + round + " of " + request.rounds();
            for (FormatTrial trial : trials) {
                int turn = done++;
                attempt(trial, () -> {
                    warm(trial + ": read", List.of(trial.file()));
                    surroundings.progress(task + ": " + trial, turn, all, "runs", 1);
                    trial.add(process.run(trial.file(), request.prompt(), request.generated(), threads));
                });
            }
            for (RivalBench bench : rivals.map(RivalTurns::benches).orElse(List.of())) {
                surroundings.progress(task + ": " + bench.engine(), done++, all, "runs", 1);
                rivals.orElseThrow().round(bench);
            }
            surroundings.step(task + " is over");
        }
        probe();
        return rivals;
    }

    private void probe() {
        if (request.limits()) {
            limits.probe();
        }
    }

    private Outcome outcome(
            Origin origin,
            Checkpoint checkpoint,
            List<FormatTrial> trials,
            Optional<TextWindows> text,
            Optional<RivalTurns> rivals) {
        trials.forEach(trial -> trial.note().ifPresent(notes::add));
        notes.addAll(limits.notes());
        rivals.ifPresent(turns -> notes.addAll(turns.notes()));
        Comparison comparison = new Comparison(
                origin,
                CheckpointFacts.of(checkpoint, request.source()),
                method(text),
                limits.limits(),
                trials.stream().map(FormatTrial::result).toList(),
                rivals.map(RivalTurns::results).orElse(List.of()),
                notes);
        boolean quality = request.text().isEmpty() || trials.stream().allMatch(FormatTrial::hasQuality);
        boolean formats = trials.stream().noneMatch(FormatTrial::failed);
        return new Outcome(comparison, quality && formats && rivals.map(RivalTurns::complete).orElse(true));
    }

    private Method method(Optional<TextWindows> text) {
        return new Method(
                request.rounds(),
                request.prompt(),
                request.generated(),
                request.threads(),
                text.isPresent() ? request.text().orElseThrow().name() : "",
                text.map(TextWindows::positions).orElse(0),
                text.isPresent() ? QualityMeasurement.REFERENCE : "");
    }
}
