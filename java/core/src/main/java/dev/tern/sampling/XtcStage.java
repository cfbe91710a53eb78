package dev.tern.sampling;

/**
 * {@link Xtc}. Draws one number whenever there are two candidates or more; below the probability, all tokens from the
 * threshold on but the least likely of them are dropped.
 */
record XtcStage(Xtc xtc, int minKeep, SplitMix random) implements Stage {
    @Override
    public void apply(Candidates candidates) {
        if (candidates.size() < 2 || random.nextDouble() >= xtc.probability()) {
            return;
        }
        float max = candidates.max();
        double least = xtc.threshold() * candidates.sum(max);
        int top = 0;
        int last = -1; // the least likely top choice, of equals the one with the highest id
        for (int i = 0; i < candidates.size(); i++) {
            if (isTop(candidates.weight(i, max), least)) {
                top++;
                if (last < 0 || isBehind(candidates, i, last)) {
                    last = i;
                }
            }
        }
        if (top < 2 || candidates.size() - (top - 1) < minKeep) {
            return;
        }
        int kept = 0;
        for (int i = 0; i < candidates.size(); i++) {
            if (i == last || !isTop(candidates.weight(i, max), least)) {
                candidates.move(i, kept++);
            }
        }
        candidates.truncate(kept);
    }

    private static boolean isTop(double weight, double least) {
        return weight >= least && weight > 0;
    }

    private static boolean isBehind(Candidates candidates, int i, int j) {
        float a = candidates.logit(i);
        float b = candidates.logit(j);
        return a < b || (a == b && candidates.id(i) > candidates.id(j));
    }
}
