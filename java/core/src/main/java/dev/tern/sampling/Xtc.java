package dev.tern.sampling;

/**
 * "Exclude top choices" (p-e-w, 2024): of the tokens that are at least as likely as the threshold all but the least
 * likely are dropped, now and then.
 *
 * @param probability that it is done for a token; 0 is off
 * @param threshold probability from which a token is a top choice; above 0.5 there cannot be two, and it is off
 */
public record Xtc(float probability, float threshold) {

    /** @throws IllegalArgumentException when a number is outside its range */
    public Xtc {
        SamplingOptions.require(
                probability >= 0 && probability <= 1, "XTC probability", "from 0 (off) to 1", probability);
        SamplingOptions.require(threshold >= 0 && threshold <= 1, "XTC threshold", "from 0 to 1", threshold);
    }

    /** Whether it can change anything. */
    public boolean active() {
        return probability > 0 && threshold <= 0.5f;
    }
}
