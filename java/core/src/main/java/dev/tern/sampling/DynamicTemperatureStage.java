package dev.tern.sampling;

/**
 * {@link Temperature#range}: {@code low + (high - low) * h^exponent}, h the entropy of the candidates divided by the
 * logarithm of their number, those of logit -infinity left out.
 */
record DynamicTemperatureStage(Temperature temperature) implements Stage {
    @Override
    public void apply(Candidates candidates) {
        float max = candidates.max();
        double sum = 0;
        double weighted = 0;
        int finite = 0;
        for (int i = 0; i < candidates.size(); i++) {
            double exponent = candidates.exponent(i, max);
            if (exponent != Double.NEGATIVE_INFINITY) {
                double weight = StrictMath.exp(exponent);
                sum += weight;
                weighted += weight * exponent;
                finite++;
            }
        }
        if (finite < 2) {
            return;
        }
        // H = -sum p log p = log(sum) - sum(w x) / sum(w) for p = w / sum, w = exp x.
        double entropy = Math.max(0, StrictMath.log(sum) - weighted / sum);
        double share = Math.min(1, entropy / StrictMath.log(finite));
        double low = Math.max(0, (double) temperature.value() - temperature.range());
        double high = (double) temperature.value() + temperature.range();
        double power = temperature.exponent() == 0 ? 1 : StrictMath.exp(temperature.exponent() * StrictMath.log(share));
        double chosen = low + (high - low) * power; // StrictMath.pow allocates
        if (chosen > 0) {
            candidates.heat(chosen);
        } else {
            candidates.keepLikeliest();
        }
    }
}
