package dev.tern;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What turns one position's logits into a distribution, in double from the float32 logits:
 * {@code log p(i) = logit(i) - logSum}.
 *
 * @param best the most likely token, the lowest id of equals
 * @param logSum {@code log Σ exp(logit)}, computed as {@code max + log Σ exp(logit - max)}, summed by ascending id
 */
record Softmax(int best, double logSum) {

    /** @param logits float32 {@code [vocab]} */
    static Softmax of(MemorySegment logits) {
        long vocab = logits.byteSize() / 4;
        int best = 0;
        float max = logits.getAtIndex(ValueLayout.JAVA_FLOAT, 0);
        for (int i = 1; i < vocab; i++) {
            float logit = logits.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (logit > max) {
                max = logit;
                best = i;
            }
        }
        double sum = 0;
        for (int i = 0; i < vocab; i++) {
            sum += Math.exp((double) logits.getAtIndex(ValueLayout.JAVA_FLOAT, i) - max);
        }
        return new Softmax(best, max + Math.log(sum));
    }

    /** False when a logit is NaN or +infinity. */
    boolean finite() {
        return Double.isFinite(logSum);
    }

    double logProbability(MemorySegment logits, int id) {
        return logits.getAtIndex(ValueLayout.JAVA_FLOAT, id) - logSum;
    }

    /**
     * The Kullback-Leibler divergence of {@code q} from {@code p}, {@code Σ p(i) (log p(i) - log q(i))} over the whole
     * vocabulary by ascending id, in nats. It cannot be negative; what rounding makes of it below 0 is given as 0.
     */
    static double divergence(MemorySegment p, Softmax ofP, MemorySegment q, Softmax ofQ) {
        long vocab = p.byteSize() / 4;
        double sum = 0;
        for (int i = 0; i < vocab; i++) {
            double logP = ofP.logProbability(p, i);
            sum += Math.exp(logP) * (logP - ofQ.logProbability(q, i));
        }
        return Math.max(0, sum);
    }
}
