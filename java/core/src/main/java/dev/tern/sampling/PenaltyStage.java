package dev.tern.sampling;

/** {@link Penalties}. */
final class PenaltyStage implements Stage {
    private final Penalties penalties;
    private final TokenWindow window;
    private final int[] counts; // of the window's tokens, by id

    PenaltyStage(Penalties penalties, int vocabSize) {
        this.penalties = penalties;
        this.window = new TokenWindow(penalties.lastN());
        this.counts = new int[vocabSize];
    }

    @Override
    public void accept(int id) {
        int left = window.add(id);
        counts[id]++;
        if (left >= 0) {
            counts[left]--;
        }
    }

    @Override
    public void apply(Candidates candidates) {
        if (window.size() == 0) {
            return;
        }
        candidates.applyTemperature();
        for (int i = 0; i < candidates.size(); i++) {
            int count = counts[candidates.id(i)];
            if (count > 0) {
                float logit = candidates.logit(i);
                float repeated = logit > 0 ? logit / penalties.repeat() : logit * penalties.repeat();
                candidates.setLogit(i, repeated - (count * penalties.frequency() + penalties.presence()));
            }
        }
    }
}
