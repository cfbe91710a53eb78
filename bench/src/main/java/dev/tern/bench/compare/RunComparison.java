package dev.tern.bench.compare;

import dev.tern.bench.compare.BenchmarkRun.Id;
import dev.tern.bench.compare.BenchmarkRun.Scores;
import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Two runs, benchmark by benchmark. A benchmark with its parameters, mode and number of threads is compared with
 * itself.
 *
 * @param rows what both have, in the first one's order
 * @param onlyA what the second one lacks
 * @param onlyB what the first one lacks
 */
public record RunComparison(List<Row> rows, List<Id> onlyA, List<Id> onlyB) {

    /** What the samples of an interval are. */
    public enum Samples {
        /** Iterations of one fork: what differs from fork to fork, such as how code was compiled, is not in it. */
        ITERATIONS,
        /** Means of forks. */
        FORKS,
        /** Means of forks, of which each of A has one of B that ran next to it. */
        PAIRS
    }

    /** What a row says. */
    public enum Verdict {
        FASTER,
        SLOWER,
        /** The interval has 1 in it. */
        UNDECIDED,
        /** There is no interval. */
        UNKNOWN
    }

    /**
     * @param a mean of the first run's scores
     * @param b mean of the second one's
     * @param speed how many times as fast B is as A, whatever the mode
     * @param interval of that; null where the samples give none
     * @param samples of the interval
     */
    public record Row(
            Id id,
            String unit,
            double a,
            double b,
            double speed,
            @Nullable RatioInterval interval,
            Samples samples) {

        public Verdict verdict() {
            if (interval == null) {
                return Verdict.UNKNOWN;
            }
            return !interval.excludesOne() ? Verdict.UNDECIDED : interval.low() > 1 ? Verdict.FASTER : Verdict.SLOWER;
        }
    }

    /**
     * Compares.
     *
     * @param paired whether the n-th fork of each was measured next to the n-th of the other
     * @param confidence of the intervals, such as 0.95
     * @throws InputException where a benchmark's units differ, or pairs are asked for and numbers of forks do
     */
    public static RunComparison of(BenchmarkRun a, BenchmarkRun b, boolean paired, double confidence) {
        List<Row> rows = new ArrayList<>();
        List<Id> onlyA = new ArrayList<>();
        for (Map.Entry<Id, Scores> entry : a.results().entrySet()) {
            Scores other = b.results().get(entry.getKey());
            if (other == null) {
                onlyA.add(entry.getKey());
            } else {
                rows.add(row(a, b, entry.getKey(), paired, confidence));
            }
        }
        List<Id> onlyB =
                b.results().keySet().stream().filter(id -> !a.results().containsKey(id)).toList();
        return new RunComparison(List.copyOf(rows), List.copyOf(onlyA), onlyB);
    }

    private static Row row(BenchmarkRun runA, BenchmarkRun runB, Id id, boolean paired, double confidence) {
        Scores a = runA.results().get(id);
        Scores b = runB.results().get(id);
        if (!a.unit().equals(b.unit())) {
            throw InputException.at(runB.name())
                    .problem(id.shortName() + " has another unit than in " + runA.name())
                    .expected(a.unit())
                    .found(b.unit())
                    .cure("Give both runs the same -tu.")
                    .exception();
        }
        Samples samples = paired
                ? Samples.PAIRS
                : a.forks().size() > 1 && b.forks().size() > 1 ? Samples.FORKS : Samples.ITERATIONS;
        if (paired && a.forks().size() != b.forks().size()) {
            throw InputException.at(runB.name())
                    .problem("forks of " + id.shortName() + " are no pairs")
                    .expected(a.forks().size() + ", as in " + runA.name())
                    .found(b.forks().size())
                    .exception();
        }
        double[] xs = samples == Samples.ITERATIONS ? a.iterations() : a.forkMeans();
        double[] ys = samples == Samples.ITERATIONS ? b.iterations() : b.forkMeans();
        double[] above = id.higherIsBetter() ? ys : xs;
        double[] below = id.higherIsBetter() ? xs : ys;
        RatioInterval interval = paired
                ? RatioInterval.ofPairs(above, below, confidence)
                : RatioInterval.of(above, below, confidence);
        double speed = RatioInterval.mean(above) / RatioInterval.mean(below);
        return new Row(id, a.unit(), a.mean(), b.mean(), speed, interval, samples);
    }
}
