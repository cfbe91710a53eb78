package dev.tern.measure;

import java.util.Arrays;
import java.util.List;

/**
 * Repeated measurements of one thing, in a unit that its owner names. On a machine with other work on it the median says
 * more than the mean, and least and most say how much it can be trusted.
 *
 * @param samples in the order in which they were measured, at least one
 */
public record Spread(List<Double> samples) {

    public Spread {
        samples = List.copyOf(samples);
        if (samples.isEmpty()) {
            throw new IllegalArgumentException("a spread needs at least one sample");
        }
    }

    public static Spread of(double... samples) {
        return new Spread(Arrays.stream(samples).boxed().toList());
    }

    /** The middle one, or the mean of the two in the middle. */
    public double median() {
        double[] sorted = samples.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public double least() {
        return samples.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }

    public double most() {
        return samples.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }
}
