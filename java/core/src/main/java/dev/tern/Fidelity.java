package dev.tern;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * How far a model's predictions of a text are from a checkpoint's own, position by position over whole distributions:
 * with p the checkpoint's distribution of the next token and q the model's, both the softmax of float32 logits, in
 * double,
 *
 * <ul>
 *   <li>KL divergence: {@code Σ p(i) (log p(i) - log q(i))} over the vocabulary, in nats, 0 or more; exactly 0 where
 *       logits are equal to the bit;
 *   <li>perplexity: {@code exp} of the mean of {@code -log q(token that follows)};
 *   <li>greedy agreement: whether both have the same most likely token, the lowest id of equals.
 * </ul>
 *
 * @param perplexity of the text in the model
 * @param referencePerplexity of the text in the checkpoint
 * @param meanKl mean of the positions' divergences
 * @param mostKl the largest of them
 * @param greedyAgreement share of the positions at which both agree, 0 to 1
 * @param positions compared
 * @param identical whether every logit of every position is equal to the bit
 */
public record Fidelity(
        double perplexity,
        double referencePerplexity,
        double meanKl,
        double mostKl,
        double greedyAgreement,
        int positions,
        boolean identical) {

    /** Told after each position; what it throws ends the work. */
    @FunctionalInterface
    public interface Progress {
        void position(int done, int all);
    }

    /**
     * Measures a model. Loaded with a cache of float32 the weights' format alone makes a difference; with another one
     * the cache's rounding does too.
     *
     * @throws InputException when the vocabulary is of another size than the checkpoint's, a window is longer than the
     *     context, or logits are not finite
     */
    public static Fidelity measure(Model model, ReferenceLogits reference, Progress progress) {
        int vocab = model.hyperparameters().vocabSize();
        if (vocab != reference.vocabSize()) {
            throw InputException.at(model.info().path())
                    .expected("a vocabulary of " + reference.vocabSize() + ", as the checkpoint's")
                    .found(vocab)
                    .exception();
        }
        Sums sums = new Sums(model, reference, progress);
        List<int[]> windows = reference.text().windows();
        try (Session session = model.session()) {
            for (int i = 0; i < windows.size(); i++) {
                int[] window = windows.get(i);
                int first = reference.firstPosition(i);
                session.rewind(0);
                session.feed(window, 0, (position, logits) -> {
                    if (position + 1 < window.length) {
                        sums.add(first + position, logits, window[position + 1]);
                    }
                });
            }
        }
        return sums.result();
    }

    private static final class Sums {
        private final Model model;
        private final ReferenceLogits reference;
        private final Progress progress;
        private final int all;
        private double nll;
        private double kl;
        private double mostKl;
        private int agreeing;
        private int count;
        private boolean identical = true;

        Sums(Model model, ReferenceLogits reference, Progress progress) {
            this.model = model;
            this.reference = reference;
            this.progress = progress;
            this.all = reference.text().positions();
        }

        void add(int position, MemorySegment logits, int next) {
            MemorySegment expected = reference.row(position);
            Softmax p = reference.softmax(position);
            Softmax q = Softmax.of(logits);
            if (!q.finite()) {
                throw InputException.at(model.info().path())
                        .problem("its model's logits are no numbers at token " + position + " of the text")
                        .exception();
            }
            boolean equal = expected.mismatch(logits) < 0;
            double divergence = equal ? 0 : Softmax.divergence(expected, p, logits, q);
            identical &= equal;
            kl += divergence;
            mostKl = Math.max(mostKl, divergence);
            agreeing += p.best() == q.best() ? 1 : 0;
            nll -= q.logProbability(logits, next);
            count++;
            progress.position(count, all);
        }

        Fidelity result() {
            return new Fidelity(
                    Math.exp(nll / count),
                    reference.perplexity(),
                    kl / count,
                    mostKl,
                    (double) agreeing / count,
                    count,
                    identical);
        }
    }
}
