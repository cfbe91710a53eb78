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
        int known = window.size();
        if (candidates.whole() && known < candidates.size() / 8) { // few of many: look at these alone
            for (int back = 0; back < known; back++) {
                int id = window.last(back);
                if (counts[id] > 0) {
                    penalize(candidates, id, counts[id]);
                    counts[id] = -counts[id]; // done
                }
            }
            for (int back = 0; back < known; back++) {
                int id = window.last(back);
                counts[id] = Math.abs(counts[id]);
            }
        } else {
            for (int i = 0; i < candidates.size(); i++) {
                int count = counts[candidates.id(i)];
                if (count > 0) {
                    penalize(candidates, i, count);
                }
            }
        }
    }

    private void penalize(Candidates candidates, int index, int count) {
        float logit = candidates.logit(index);
        float repeated = logit > 0 ? logit / penalties.repeat() : logit * penalties.repeat();
        candidates.setLogit(index, repeated - (count * penalties.frequency() + penalties.presence()));
    }
}
