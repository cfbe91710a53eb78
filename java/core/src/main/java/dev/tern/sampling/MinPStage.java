package dev.tern.sampling;

/** {@link Truncation#minP}: drops logits below that of {@code minP} times the largest probability. */
record MinPStage(float minP, int minKeep) implements Stage {
    @Override
    public void apply(Candidates candidates) {
        float max = candidates.max();
        double least = max + StrictMath.log(minP) * candidates.temperature();
        int passing = 0;
        for (int i = 0; i < candidates.size(); i++) {
            passing += passes(candidates.logit(i), least, max) ? 1 : 0;
        }
        if (passing < minKeep) {
            candidates.keepBest(minKeep);
            return;
        }
        int kept = 0;
        for (int i = 0; kept < passing; i++) {
            if (passes(candidates.logit(i), least, max)) {
                candidates.move(i, kept++);
            }
        }
        candidates.truncate(kept);
    }

    private static boolean passes(float logit, double least, float max) {
        return logit >= least || logit == max;
    }
}
