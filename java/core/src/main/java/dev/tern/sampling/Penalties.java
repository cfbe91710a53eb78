package dev.tern.sampling;

/**
 * What makes tokens of the recent text less likely. For a token that stands {@code n > 0} times among the last
 * {@code lastN}, the prompt's included, its logit is divided (if positive) or multiplied (if not) by {@code repeat},
 * and then {@code n * frequency + presence} is subtracted.
 *
 * @param repeat 1 changes nothing; less than 1 makes repetition likelier
 * @param presence 0 changes nothing; OpenAI's range is -2 to 2
 * @param frequency 0 changes nothing; OpenAI's range is -2 to 2
 * @param lastN how many of the last tokens count as recent; 0 none, -1 all
 */
public record Penalties(float repeat, float presence, float frequency, int lastN) {

    /** @throws IllegalArgumentException when a number is outside its range */
    public Penalties {
        SamplingOptions.require(repeat > 0 && repeat <= 1e6f, "repeat penalty", "more than 0; 1 is off", repeat);
        SamplingOptions.require(
                Math.abs(presence) <= 1e6f, "presence penalty", "a number, mostly -2 to 2; 0 is off", presence);
        SamplingOptions.require(
                Math.abs(frequency) <= 1e6f, "frequency penalty", "a number, mostly -2 to 2; 0 is off", frequency);
        SamplingOptions.require(lastN >= -1, "repeat last n", "-1 (all), 0 (off) or more", lastN);
    }

    /** Whether they can change anything. */
    public boolean active() {
        return lastN != 0 && (repeat != 1 || presence != 0 || frequency != 0);
    }
}
