package dev.tern.inspect;

/**
 * Where the probe draws its lines, as shares of chance: the logarithm of the vocabulary's size, which a model that knows
 * nothing scores. On the text of {@link ModelProbe} the trained test model (vocabulary 4096, chance 8.3 nats, 196
 * tokens) scores 0.50; with its weights in a wrong order 0.95 to 1.2, shuffled 1.1; with the gate's other activation 0.53, with q and k in the
 * other order 0.57, with inverted scales 0.59: little worse, but token by token so surely that the difference is 4.8, 6.4
 * and 8.7 of its standard errors.
 */
final class ProbeLimits {
    /** From here on a model says nothing: word frequencies alone bring it below. */
    static final double NEAR_CHANCE = 0.8;

    /** Below this a model is so good that no other reading can be the right one. */
    static final double CLEARLY_GOOD = 0.2;

    /** Another reading must at least bring the model this far. */
    static final double SENSIBLE = 0.75;

    /** Least gain of another reading, in nats a token. */
    static final double LEAST_GAIN = 0.05;

    /** Least gain of another reading in standard errors of the mean of the gains, token by token. */
    static final double STANDARD_ERRORS = 3;

    /** Fewer tokens prove nothing. */
    static final int LEAST_TOKENS = 48;

    /** Most tokens that are run: more cost time and prove no more. */
    static final int MOST_TOKENS = 192;

    private ProbeLimits() {}

    /** Whether the gains of a reading, token by token, are no coincidence. */
    static boolean better(double[] stored, double[] other, double chance) {
        int n = stored.length;
        double mean = 0;
        double mean2 = 0;
        double reached = 0;
        for (int i = 0; i < n; i++) {
            double gain = stored[i] - other[i];
            mean += gain / n;
            mean2 += gain * gain / n;
            reached += other[i] / n;
        }
        double error = Math.sqrt(Math.max(0, mean2 - mean * mean) / (n - 1));
        return mean > LEAST_GAIN && mean > STANDARD_ERRORS * error && reached < SENSIBLE * chance;
    }
}
