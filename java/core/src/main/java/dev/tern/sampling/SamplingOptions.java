package dev.tern.sampling;

/**
 * How the next token is chosen.
 *
 * @param temperature 0 takes the most likely token; otherwise logits are divided by it, after the filters
 * @param topK keep the k most likely tokens; 0 keeps all
 * @param topP keep the most likely tokens until their probabilities reach this sum; 1 keeps all
 * @param minP drop tokens less likely than this share of the most likely one; 0 drops none
 * @param repeatPenalty logits of recent tokens are divided (if positive) or multiplied (if not) by it; 1 changes nothing
 * @param repeatLastN how many of the last tokens, the prompt's included, count as recent; 0 none, -1 all
 * @param seed of the random numbers: the same seed, logits and options give the same tokens on every machine
 */
public record SamplingOptions(
        float temperature, int topK, float topP, float minP, float repeatPenalty, int repeatLastN, long seed) {

    /** @throws IllegalArgumentException when a number is outside its range; the message names it */
    public SamplingOptions {
        require(temperature >= 0 && temperature <= 1e6f, "temperature", "0 or more", temperature);
        require(topK >= 0, "top-k", "0 (off) or more", topK);
        require(topP > 0 && topP <= 1, "top-p", "more than 0, up to 1 (off)", topP);
        require(minP >= 0 && minP <= 1, "min-p", "from 0 (off) to 1", minP);
        require(repeatPenalty > 0 && repeatPenalty <= 1e6f, "repeat penalty", "more than 0; 1 is off", repeatPenalty);
        require(repeatLastN >= -1, "repeat last n", "-1 (all), 0 (off) or more", repeatLastN);
    }

    /** Always the most likely token. */
    public static SamplingOptions greedy() {
        return new SamplingOptions(0, 0, 1, 0, 1, 0, 0);
    }

    /**
     * How many of the largest logits decide: where these, and all that equal the least of them, are what they are, any
     * of the others may be -infinity and the same token is chosen. 0 where all logits matter.
     */
    public int decisiveLogits() {
        if (repeatPenalty != 1 && repeatLastN != 0) {
            return 0; // which changes logits before the largest are taken
        }
        return temperature == 0 ? 1 : topK;
    }

    private static void require(boolean condition, String name, String expected, Object found) {
        if (!condition) {
            throw new IllegalArgumentException(name + ": expected " + expected + ", found " + found);
        }
    }
}
