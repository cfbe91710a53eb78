package dev.tern.convert;

import dev.tern.probe.Likelihood;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What two models predict at one position.
 *
 * @param expected the first one's most likely token
 * @param found the second one's
 * @param deviation root mean square of the difference of their logits, as a share of the standard deviation of the
 *     first one's
 * @param lead of the expected token over the found one in the first one's logits, as a share of the same; 0 where the
 *     two agree
 */
record LogitsComparison(int expected, int found, double deviation, double lead) {

    /**
     * Compares.
     *
     * @param expected float32 {@code [tokens][vocab]}
     * @param found the same of the other model
     * @param token index of the position
     */
    static LogitsComparison of(MemorySegment expected, MemorySegment found, int vocab, int token) {
        double mean = 0;
        double squares = 0;
        double difference = 0;
        for (int i = 0; i < vocab; i++) {
            double a = logit(expected, vocab, token, i);
            double b = logit(found, vocab, token, i);
            mean += a / vocab;
            squares += a * a / vocab;
            difference += (a - b) * (a - b) / vocab;
        }
        double unit = Math.sqrt(Math.max(squares - mean * mean, Float.MIN_NORMAL));
        int best = Likelihood.argmax(expected, vocab, token);
        int other = Likelihood.argmax(found, vocab, token);
        double lead = (double) logit(expected, vocab, token, best) - logit(expected, vocab, token, other);
        return new LogitsComparison(best, other, Math.sqrt(difference) / unit, lead / unit);
    }

    private static float logit(MemorySegment logits, int vocab, int token, int id) {
        return logits.getAtIndex(ValueLayout.JAVA_FLOAT, (long) token * vocab + id);
    }

    /** Whether both continue alike. */
    boolean agrees() {
        return expected == found;
    }

    /** Whether no more differs than {@code most} allows; what is no number is beyond it. */
    boolean within(double most) {
        return deviation <= most && (agrees() || lead <= most);
    }
}
