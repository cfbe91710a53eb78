package dev.tern.sampling;

import java.util.List;

/**
 * "Don't repeat yourself" (p-e-w, 2024): a token that would prolong the end of the text to something that stands
 * earlier in it loses {@code multiplier * base^(length - allowedLength)} of its logit, where length is how many tokens
 * of the end, before that token, stand there too.
 *
 * @param multiplier 0 is off
 * @param base how fast the penalty grows, 1 or more
 * @param allowedLength shorter repetitions cost nothing
 * @param lastN how many of the last tokens, the prompt's included, are searched; 0 is off, -1 all
 * @param sequenceBreakers texts over which no repetition reaches; tokens that contain one are never penalized
 */
public record Dry(float multiplier, float base, int allowedLength, int lastN, List<String> sequenceBreakers) {
    /** llama.cpp's: the ends of lines and of names in a dialogue, quotation marks and asterisks. */
    public static final List<String> DEFAULT_BREAKERS = List.of("\n", ":", "\"", "*");

    private static final int MOST_BREAKERS = 64; // each is looked for in every token of the vocabulary
    private static final int LONGEST_BREAKER = 1024; // characters

    /**
     * Checks the numbers and breakers.
     *
     * @throws IllegalArgumentException when a number is outside its range, a breaker is empty or longer than 1024
     *     characters, or there are more than 64
     */
    public Dry {
        SamplingOptions.require(multiplier >= 0 && multiplier <= 1e6f, "DRY multiplier", "0 (off) or more", multiplier);
        SamplingOptions.require(base >= 1 && base <= 1e6f, "DRY base", "1 or more", base);
        SamplingOptions.require(allowedLength >= 0, "DRY allowed length", "0 or more", allowedLength);
        SamplingOptions.require(lastN >= -1, "DRY penalty last n", "-1 (all), 0 (off) or more", lastN);
        sequenceBreakers = List.copyOf(sequenceBreakers);
        SamplingOptions.require(!sequenceBreakers.contains(""), "DRY sequence breaker", "some text", "none");
        int count = sequenceBreakers.size();
        SamplingOptions.require(count <= MOST_BREAKERS, "DRY sequence breakers", "at most " + MOST_BREAKERS, count);
        int longest = sequenceBreakers.stream().mapToInt(String::length).max().orElse(0);
        SamplingOptions.require(
                longest <= LONGEST_BREAKER,
                "DRY sequence breaker",
                "at most " + LONGEST_BREAKER + " characters",
                longest);
    }

    /** Whether it can change anything. */
    public boolean active() {
        return multiplier > 0 && lastN != 0;
    }
}
