package dev.tern.measure.formats;

import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineProbe;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The machine's limits, probed before the rounds and after them: work of others takes away from a limit and never adds
 * to it, so the better number of both counts.
 */
final class LimitsAround {
    private final Supplier<MachineProbe.Result> probe;
    private final List<MachineLimits> probed = new ArrayList<>();
    private final Set<String> notes = new LinkedHashSet<>();

    /** @param probe measures this machine */
    LimitsAround(Supplier<MachineProbe.Result> probe) {
        this.probe = probe;
    }

    static LimitsAround of(List<Integer> threads, Surroundings surroundings) {
        return new LimitsAround(() -> MachineProbe.measure(threads, (what, done, all) ->
                surroundings.progress("the machine: " + what, done, all, "runs", 1)));
    }

    void probe() {
        MachineProbe.Result result = probe.get();
        probed.add(result.limits());
        notes.addAll(result.notes());
    }

    /** Empty where nothing was probed. */
    Optional<MachineLimits> limits() {
        return probed.isEmpty() ? Optional.empty() : Optional.of(best(probed));
    }

    /** On what could not be measured. */
    List<String> notes() {
        return List.copyOf(notes);
    }

    /** The largest of each number, in the order of the first that has it. */
    static MachineLimits best(List<MachineLimits> all) {
        record Reading(int threads, boolean largePages) {}
        record Product(String tier, int threads) {}
        Map<Reading, Double> reads = new LinkedHashMap<>();
        Map<Product, Double> peaks = new LinkedHashMap<>();
        for (MachineLimits limits : all) {
            limits.reads().forEach(read -> reads.merge(
                    new Reading(read.threads(), read.largePages()), read.gigabytesPerSecond(), Math::max));
            limits.peaks().forEach(peak -> peaks.merge(
                    new Product(peak.tier(), peak.threads()), peak.gigaOperationsPerSecond(), Math::max));
        }
        return new MachineLimits(
                reads.entrySet().stream()
                        .map(read -> new MachineLimits.Read(
                                read.getKey().threads(), read.getKey().largePages(), read.getValue()))
                        .toList(),
                peaks.entrySet().stream()
                        .map(peak -> new MachineLimits.Peak(
                                peak.getKey().tier(), peak.getKey().threads(), peak.getValue()))
                        .toList());
    }
}
