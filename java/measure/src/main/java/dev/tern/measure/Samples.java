package dev.tern.measure;

import java.util.Arrays;

/**
 * Repeated measurements of one thing, in nanoseconds a run, and the tokens a run handled.
 *
 * @param nanos one entry a repetition, at least one
 * @param tokens tokens of one run
 */
public record Samples(long[] nanos, int tokens) {

    public double meanNanos() {
        return Arrays.stream(nanos).average().orElseThrow();
    }

    /** Standard deviation of the sample (n - 1), 0 for a single run. */
    public double deviationNanos() {
        return deviation(Arrays.stream(nanos).asDoubleStream().toArray());
    }

    /** Tokens a second of each run. */
    public double[] rates() {
        return Arrays.stream(nanos).mapToDouble(n -> tokens * 1e9 / n).toArray();
    }

    public double meanRate() {
        return Arrays.stream(rates()).average().orElseThrow();
    }

    public double deviationRate() {
        return deviation(rates());
    }

    /** The middle rate: what a run on a machine with other work on it is best compared by. */
    public double medianRate() {
        return Spread.of(rates()).median();
    }

    private static double deviation(double[] values) {
        if (values.length < 2) {
            return 0;
        }
        double mean = Arrays.stream(values).average().orElseThrow();
        double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        return Math.sqrt(squares / (values.length - 1));
    }
}
