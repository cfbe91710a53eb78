package dev.tern.bench.compare;

import java.util.Arrays;
import org.apache.commons.math3.distribution.TDistribution;
import org.jspecify.annotations.Nullable;

/**
 * The ratio of two means and its confidence interval by Fieller's theorem (E. C. Fieller, "Some problems in interval
 * estimation", 1954), which needs no logarithms and, unlike the quotient of two intervals, is not too wide.
 *
 * @param ratio of the means
 * @param low least ratio that the samples do not contradict
 * @param high largest one
 */
public record RatioInterval(double ratio, double low, double high) {

    /** Whether a ratio of 1 contradicts the samples. */
    public boolean excludesOne() {
        return low > 1 || high < 1;
    }

    /**
     * Of samples that have nothing to do with each other. Their variances may differ: the degrees of freedom are those
     * of Tamhane and Logan ("Finding the maximum safe dose level for heteroscedastic data", 2004), Welch's for a ratio.
     *
     * @param confidence such as 0.95
     * @return null when there is no such interval: fewer than two samples on a side, or a mean below the line that
     *     cannot be told from 0
     */
    public static @Nullable RatioInterval of(double[] above, double[] below, double confidence) {
        if (above.length < 2 || below.length < 2) {
            return null;
        }
        double va = variance(above) / above.length;
        double vb = variance(below) / below.length;
        double r = mean(above) / mean(below);
        double both = va + r * r * vb;
        double freedom = both == 0
                ? above.length + below.length - 2
                : both * both / (va * va / (above.length - 1) + Math.pow(r, 4) * vb * vb / (below.length - 1));
        return fieller(mean(above), mean(below), va, vb, 0, quantile(freedom, confidence));
    }

    /**
     * Of samples in pairs, the i-th ones measured together: what befell both alike, as a machine that slows down,
     * cancels.
     *
     * @return null as above
     */
    public static @Nullable RatioInterval ofPairs(double[] above, double[] below, double confidence) {
        if (above.length != below.length) {
            throw new IllegalArgumentException(above.length + " and " + below.length + " samples are no pairs");
        }
        int n = above.length;
        if (n < 2) {
            return null;
        }
        return fieller(
                mean(above),
                mean(below),
                variance(above) / n,
                variance(below) / n,
                covariance(above, below) / n,
                quantile(n - 1, confidence));
    }

    /**
     * All r for which {@code a - r b}, of variance {@code va - 2 r c + r^2 vb}, is within t deviations of 0: the roots
     * of {@code (b^2 - t^2 vb) r^2 - 2 (a b - t^2 c) r + (a^2 - t^2 va)}. Without a positive b^2 - t^2 vb they bound
     * nothing.
     */
    private static @Nullable RatioInterval fieller(double a, double b, double va, double vb, double c, double t) {
        double squared = b * b - t * t * vb;
        if (!(squared > 0)) {
            return null;
        }
        double linear = a * b - t * t * c;
        // Rounding may leave a little less than nothing where the variances are 0.
        double root = Math.sqrt(Math.max(0, linear * linear - squared * (a * a - t * t * va)));
        return new RatioInterval(a / b, (linear - root) / squared, (linear + root) / squared);
    }

    /** Of Student's distribution; infinite, so that it bounds nothing, where scores are no numbers. */
    private static double quantile(double freedom, double confidence) {
        if (Double.isNaN(freedom)) {
            return Double.POSITIVE_INFINITY;
        }
        return new TDistribution(freedom).inverseCumulativeProbability(1 - (1 - confidence) / 2);
    }

    static double mean(double[] samples) {
        return Arrays.stream(samples).average().orElseThrow();
    }

    private static double variance(double[] samples) {
        return covariance(samples, samples);
    }

    /** Of samples (n - 1). */
    private static double covariance(double[] x, double[] y) {
        double mx = mean(x);
        double my = mean(y);
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += (x[i] - mx) * (y[i] - my);
        }
        return sum / (x.length - 1);
    }
}
