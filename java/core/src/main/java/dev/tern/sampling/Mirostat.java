package dev.tern.sampling;

/**
 * Keeps the text's perplexity where it is wanted (Basu et al., "Mirostat", 2021): how many tokens are left to draw from
 * is corrected after each token by how surprising it was. Where it is on, of the stages only the temperature is used,
 * whether it is among the samplers or not, as in llama.cpp: no penalties and no other filters.
 *
 * @param version 0 is off; 1 estimates how fast probabilities fall from the 100 likeliest tokens, 2 cuts at a surprise
 * @param tau the surprise that a token should have, bits
 * @param eta how fast the correction learns
 */
public record Mirostat(int version, float tau, float eta) {

    /** @throws IllegalArgumentException when a number is outside its range */
    public Mirostat {
        SamplingOptions.require(version >= 0 && version <= 2, "mirostat", "0 (off), 1 or 2", version);
        SamplingOptions.require(tau >= 0 && tau <= 1e3f, "mirostat tau", "0 or more", tau);
        SamplingOptions.require(eta >= 0 && eta <= 1e3f, "mirostat eta", "0 or more", eta);
    }

    /** Whether it is on. */
    public boolean active() {
        return version > 0;
    }
}
