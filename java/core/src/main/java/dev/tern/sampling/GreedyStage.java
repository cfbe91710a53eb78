package dev.tern.sampling;

/** A temperature of 0: one token is left, the most likely. */
record GreedyStage() implements Stage {
    @Override
    public void apply(Candidates candidates) {
        candidates.keepLikeliest();
    }
}
