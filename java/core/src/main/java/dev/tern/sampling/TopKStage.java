package dev.tern.sampling;

/** {@link Truncation#topK}. */
record TopKStage(int k) implements Stage {
    @Override
    public void apply(Candidates candidates) {
        candidates.keepBest(k);
    }
}
