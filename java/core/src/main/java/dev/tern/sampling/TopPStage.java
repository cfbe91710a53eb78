package dev.tern.sampling;

/** {@link Truncation#topP}: the best, until their weights reach that share of the sum of all. */
record TopPStage(float p, int minKeep) implements Stage {
    @Override
    public void apply(Candidates candidates) {
        float max = candidates.max();
        double enough = p * candidates.sum(max);
        double reached = 0;
        int kept = 0;
        if (candidates.sorted()) {
            do {
                reached += candidates.weight(kept++, max);
            } while ((reached < enough || kept < minKeep) && kept < candidates.size());
            candidates.truncate(kept);
        } else {
            candidates.startPulling();
            do {
                reached += candidates.weight(candidates.pull(kept++), max);
            } while ((reached < enough || kept < minKeep) && kept < candidates.size());
            candidates.keepPulled(kept);
        }
    }
}
