package dev.tern.probe;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** What logits say about a text. */
public final class Likelihood {
    private final int[] ids;
    private final double[] max;
    private final double[] sum; // of exp(logit - max)
    private final double[] chosen;

    /** Of a text whose logits come in pieces of the vocabulary. */
    Likelihood(int[] ids) {
        this.ids = ids;
        this.max = new double[ids.length - 1];
        this.sum = new double[ids.length - 1];
        this.chosen = new double[ids.length - 1];
        Arrays.fill(max, Double.NEGATIVE_INFINITY);
    }

    /**
     * Adds logits of some tokens of the vocabulary at every position.
     *
     * @param logits float32 {@code [ids.length][count]}
     * @param first the lowest id of them
     */
    void add(MemorySegment logits, int first, int count) {
        for (int t = 0; t < max.length; t++) {
            MemorySegment row = row(logits, count, t);
            double largest = max[t];
            for (int i = 0; i < count; i++) {
                largest = Math.max(largest, row.getAtIndex(ValueLayout.JAVA_FLOAT, i)); // NaN stays
            }
            double total = sum[t] == 0 ? 0 : sum[t] * Math.exp(max[t] - largest);
            for (int i = 0; i < count; i++) {
                total += Math.exp(row.getAtIndex(ValueLayout.JAVA_FLOAT, i) - largest);
            }
            max[t] = largest;
            sum[t] = total;
            int next = ids[t + 1] - first;
            if (next >= 0 && next < count) {
                chosen[t] = row.getAtIndex(ValueLayout.JAVA_FLOAT, next);
            }
        }
    }

    /**
     * Negative log-likelihoods in nats, of every token but the first, when all logits have been added:
     * {@code ids.length - 1} values; NaN where logits are not finite.
     */
    double[] negativeLog() {
        double[] result = new double[max.length];
        for (int t = 0; t < result.length; t++) {
            result[t] = Math.log(sum[t]) + max[t] - chosen[t];
        }
        return result;
    }

    /** The most likely next token after position {@code token}; the lowest id of equals. */
    public static int argmax(MemorySegment logits, int vocab, int token) {
        MemorySegment row = row(logits, vocab, token);
        int best = 0;
        float max = row.getAtIndex(ValueLayout.JAVA_FLOAT, 0);
        for (int i = 1; i < vocab; i++) {
            float value = row.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (value > max) {
                max = value;
                best = i;
            }
        }
        return best;
    }

    private static MemorySegment row(MemorySegment logits, int vocab, int token) {
        return logits.asSlice(4L * vocab * token, 4L * vocab);
    }
}
