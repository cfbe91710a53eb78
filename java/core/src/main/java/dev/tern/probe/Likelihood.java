package dev.tern.probe;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What logits say about a text. */
public final class Likelihood {
    private Likelihood() {}

    /**
     * Negative log-likelihoods in nats, of every token but the first.
     *
     * @param logits float32 {@code [ids.length][vocab]}
     * @return {@code ids.length - 1} values; NaN where logits are not finite
     */
    public static double[] negativeLog(MemorySegment logits, int vocab, int[] ids) {
        double[] nll = new double[ids.length - 1];
        for (int t = 0; t + 1 < ids.length; t++) {
            MemorySegment row = row(logits, vocab, t);
            float max = row.getAtIndex(ValueLayout.JAVA_FLOAT, argmax(logits, vocab, t));
            double sum = 0;
            for (int i = 0; i < vocab; i++) {
                sum += Math.exp((double) row.getAtIndex(ValueLayout.JAVA_FLOAT, i) - max);
            }
            nll[t] = Math.log(sum) + max - row.getAtIndex(ValueLayout.JAVA_FLOAT, ids[t + 1]);
        }
        return nll;
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
