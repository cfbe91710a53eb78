package dev.tern.sampling;

/**
 * {@link Mirostat}: cuts, draws one number, and learns from the surprise of what it drew. {@code mu}, the surprise at
 * which it cuts, begins at 2 tau.
 */
final class MirostatChoice {
    private static final int ESTIMATED = 100; // the likeliest tokens that version 1 looks at
    private static final double LOG2 = StrictMath.log(2);

    private final Mirostat mirostat;
    private final int vocabSize;
    private final SplitMix random;
    private double mu;

    MirostatChoice(Mirostat mirostat, int vocabSize, SplitMix random) {
        this.mirostat = mirostat;
        this.vocabSize = vocabSize;
        this.random = random;
        this.mu = 2.0 * mirostat.tau();
    }

    /** The index of the candidate that is chosen; those that were cut are gone. */
    int choose(Candidates candidates) {
        if (mirostat.version() == 1) {
            cutByRank(candidates);
        } else {
            cutBySurprise(candidates);
        }
        int chosen = candidates.draw(random.nextDouble());
        float max = candidates.max();
        double surprise = (StrictMath.log(candidates.sum(max)) - candidates.exponent(chosen, max)) / LOG2;
        mu -= mirostat.eta() * (surprise - mirostat.tau());
        return chosen;
    }

    /** Version 2: drops what is more surprising than mu, in bits; leaves one. */
    private void cutBySurprise(Candidates candidates) {
        float max = candidates.max();
        double logSum = StrictMath.log(candidates.sum(max));
        int kept = 0;
        int size = candidates.size();
        for (int i = 0; i < size; i++) {
            if ((logSum - candidates.exponent(i, max)) / LOG2 <= mu) {
                candidates.move(i, kept++);
            }
        }
        if (kept == 0) {
            candidates.keepLikeliest();
        } else {
            candidates.truncate(kept);
        }
    }

    /**
     * Version 1: Zipf's exponent s is estimated by least squares from the ratios of neighbouring probabilities; then
     * {@code k = ((s - 1) 2^mu / (1 - V^(1 - s)))^(1/s)} of V tokens have a mean surprise of mu.
     */
    private void cutByRank(Candidates candidates) {
        if (candidates.size() == 1) {
            return;
        }
        float max = candidates.max();
        candidates.startPulling();
        double products = 0;
        double squares = 0;
        int pulled = 1;
        double before = candidates.exponent(candidates.pull(0), max);
        while (pulled < Math.min(ESTIMATED, candidates.size())) {
            double exponent = candidates.exponent(candidates.pull(pulled), max);
            pulled++;
            if (exponent == Double.NEGATIVE_INFINITY) {
                break;
            }
            double ranks = StrictMath.log((double) pulled / (pulled - 1));
            products += ranks * (before - exponent);
            squares += ranks * ranks;
            before = exponent;
        }
        double s = squares == 0 ? Double.POSITIVE_INFINITY : products / squares;
        double k = 1;
        if (s < Double.POSITIVE_INFINITY) {
            double over = s - 1;
            double logVocab = StrictMath.log(vocabSize);
            double scale = over == 0 ? 1 / logVocab : over / -StrictMath.expm1(-over * logVocab);
            k = StrictMath.exp((StrictMath.log(scale) + mu * LOG2) / s); // StrictMath.pow allocates
        }
        int kept = Math.clamp((long) k, 1, candidates.size()); // NaN, as of no slope at all, counts as 1
        while (pulled < kept) {
            candidates.pull(pulled++);
        }
        candidates.keepPulled(kept);
    }
}
