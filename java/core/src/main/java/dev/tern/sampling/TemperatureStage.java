package dev.tern.sampling;

/** {@link Temperature#value}, above 0 and without a range. */
record TemperatureStage(double value) implements Stage {
    @Override
    public void apply(Candidates candidates) {
        candidates.heat(value);
    }
}
