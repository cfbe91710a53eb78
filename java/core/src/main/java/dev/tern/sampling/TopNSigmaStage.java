package dev.tern.sampling;

/**
 * {@link Truncation#topNSigma}: drops logits below {@code max - n * sigma}, sigma the standard deviation of those that
 * are not -infinity. The temperature does not matter.
 */
record TopNSigmaStage(float n) implements Stage {
    @Override
    public void apply(Candidates candidates) {
        double sum = 0;
        int finite = 0;
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.logit(i) != Float.NEGATIVE_INFINITY) {
                sum += candidates.logit(i);
                finite++;
            }
        }
        double mean = sum / finite;
        double squares = 0;
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.logit(i) != Float.NEGATIVE_INFINITY) {
                double distance = candidates.logit(i) - mean;
                squares += distance * distance;
            }
        }
        float max = candidates.max();
        double least = max - n * Math.sqrt(squares / finite);
        int kept = 0;
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.logit(i) >= least || candidates.logit(i) == max) {
                candidates.move(i, kept++);
            }
        }
        candidates.truncate(kept);
    }
}
