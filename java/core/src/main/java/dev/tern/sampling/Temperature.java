package dev.tern.sampling;

/**
 * How flat the distribution is made from which a token is drawn.
 *
 * @param value logits are divided by it; 0 takes the most likely of the tokens that are left
 * @param range more than 0: the temperature lies between {@code value - range} (at least 0), where the model is
 *     certain, and {@code value + range}, where all tokens are equally likely: {@code low + (high - low) * h^exponent}
 *     with the entropy h of the tokens left, as a share of the largest that so many can have (llama.cpp's dynamic
 *     temperature)
 * @param exponent of that entropy
 */
public record Temperature(float value, float range, float exponent) {

    /** @throws IllegalArgumentException when a number is outside its range */
    public Temperature {
        SamplingOptions.require(value >= 0 && value <= 1e6f, "temperature", "0 or more", value);
        SamplingOptions.require(range >= 0 && range <= 1e6f, "dynamic temperature range", "0 (off) or more", range);
        SamplingOptions.require(
                exponent >= 0 && exponent <= 1e6f, "dynamic temperature exponent", "0 or more", exponent);
    }

    /** Whether the most likely token is always taken. */
    public boolean isGreedy() {
        return value == 0 && range == 0;
    }
}
