package dev.tern.measure.report;

import dev.tern.measure.MachineLimits.Peak;
import dev.tern.measure.MachineLimits.Read;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.ModelFacts;
import dev.tern.measure.comparison.RivalResult;
import dev.tern.measure.report.Entry.Test;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A comparison as its reports look at it. Immutable. */
final class Results {
    private final Comparison comparison;
    private final List<Entry> measured;
    private final List<Entry> rivals;
    private final List<Integer> threadCounts;

    Results(Comparison comparison) {
        this.comparison = comparison;
        this.measured = comparison.formats().stream()
                .filter(format -> format.failure().isEmpty())
                .map(Entry::of)
                .toList();
        this.rivals = comparison.rivals().stream()
                .filter(rival -> rival.skipped().isEmpty())
                .map(Entry::of)
                .toList();
        TreeSet<Integer> counts = new TreeSet<>();
        measured.forEach(entry -> entry.speeds().forEach(speed -> counts.add(speed.threads())));
        rivals.forEach(entry -> entry.speeds().forEach(speed -> counts.add(speed.threads())));
        this.threadCounts = List.copyOf(counts);
    }

    Comparison comparison() {
        return comparison;
    }

    /** Formats that did not fail. */
    List<Entry> measured() {
        return measured;
    }

    /** Other engines that ran. */
    List<Entry> rivals() {
        return rivals;
    }

    /** Both, formats first. */
    List<Entry> entries() {
        return Stream.concat(measured.stream(), rivals.stream()).toList();
    }

    List<FormatResult> failed() {
        return comparison.formats().stream()
                .filter(format -> format.failure().isPresent())
                .toList();
    }

    List<RivalResult> skipped() {
        return comparison.rivals().stream()
                .filter(rival -> rival.skipped().isPresent())
                .toList();
    }

    /** Of threads at which anything was measured, ascending. */
    List<Integer> threadCounts() {
        return threadCounts;
    }

    /** The number of threads that tables and charts are about: the most at which a format was measured. */
    int threads() {
        return measured.stream()
                .flatMap(entry -> entry.speeds().stream())
                .map(speed -> speed.threads())
                .max(Comparator.naturalOrder())
                .orElse(threadCounts.isEmpty() ? 1 : threadCounts.getLast());
    }

    Optional<Spread> speed(Entry entry, Test test) {
        return entry.speed(test, threads());
    }

    /** Such as "2 threads". */
    String onThreads() {
        return threads(threads());
    }

    /** Such as "1 thread". */
    static String threads(int count) {
        return count == 1 ? "1 thread" : count + " threads";
    }

    /** The last part of where the model came from. */
    String modelName() {
        ModelFacts model = comparison.model();
        String source = model.source().replaceFirst("[/\\\\]+$", "");
        return source.isEmpty() ? model.architecture() : source.substring(source.lastIndexOf('/') + 1);
    }

    /**
     * Multiplications and additions of the ternary matrices for a token, on average over the tokens of the test. Of a
     * prompt only the last token is computed behind the last block's keys and values, as {@code tern bench --roofline}
     * counts, too. The head's are not among them.
     */
    double operationsPerToken(Test test) {
        ModelFacts model = comparison.model();
        double all = 2.0 * model.ternaryParameters();
        if (test == Test.DECODE || model.layers() == 0) {
            return all;
        }
        double outputGateUpDown = 2.0 * model.hidden() * (model.hidden() + 3.0 * model.intermediate());
        int prompt = Math.max(1, comparison.method().prompt());
        return all - Math.min(outputGateUpDown, all / model.layers()) * (prompt - 1) / prompt;
    }

    /** The most that so many threads read, in 10^9 bytes a second, of pages of either size. */
    OptionalDouble bandwidth() {
        return comparison.limits().stream()
                .flatMap(limits -> limits.reads().stream())
                .filter(read -> read.threads() == threads())
                .mapToDouble(Read::gigabytesPerSecond)
                .filter(value -> value > 0 && Double.isFinite(value))
                .max();
    }

    /** What so many threads multiply at most on the tier in use, in 10^9 operations a second. */
    OptionalDouble peak() {
        return comparison.limits().stream()
                .flatMap(limits -> limits.peaks().stream())
                .filter(peak -> peak.threads() == threads()
                        && peak.tier().equals(comparison.origin().tier()))
                .mapToDouble(Peak::gigaOperationsPerSecond)
                .filter(value -> value > 0 && Double.isFinite(value))
                .max();
    }

    /** Of the read bandwidth that decode reaches. */
    OptionalDouble bandwidthShare(Entry entry) {
        Optional<FormatResult> format = entry.format().filter(f -> f.bytesPerToken() > 0);
        Optional<Spread> decode = speed(entry, Test.DECODE);
        return format.isEmpty() || decode.isEmpty() || bandwidth().isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(decode.get().median()
                        * format.get().bytesPerToken()
                        / 1e9
                        / bandwidth().getAsDouble());
    }

    /** Of the integer peak that prefill reaches with the ternary matrices. */
    OptionalDouble peakShare(Entry entry) {
        Optional<Spread> prefill = speed(entry, Test.PREFILL);
        return entry.isRival()
                        || prefill.isEmpty()
                        || peak().isEmpty()
                        || comparison.model().ternaryParameters() == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(
                        prefill.get().median() * operationsPerToken(Test.PREFILL) / 1e9 / peak().getAsDouble());
    }

    /** Entries of a test with the fastest first; those without it are left out. */
    List<Entry> fastestFirst(List<Entry> entries, Test test) {
        List<Entry> sorted = new ArrayList<>(entries);
        sorted.removeIf(entry -> speed(entry, test).isEmpty());
        sorted.sort(Comparator.comparingDouble(
                        (Entry entry) -> speed(entry, test).orElseThrow().median())
                .reversed());
        return sorted;
    }

    /** Whether two speeds cannot be told apart: their spreads meet, or they are within 3 % of each other. */
    static boolean even(Spread a, Spread b) {
        return a.most() >= b.least() && b.most() >= a.least()
                || Math.max(a.median(), b.median()) <= 1.03 * Math.min(a.median(), b.median());
    }
}
