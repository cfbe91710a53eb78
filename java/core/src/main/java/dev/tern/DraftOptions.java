package dev.tern;

import dev.tern.model.PassTimes;

/**
 * Whether and how a generation guesses tokens ahead (prompt-lookup decoding): where the last tokens stood in the text
 * before, those that followed them there are evaluated together with the last token, in one pass. Each is kept when
 * the sampler, seeing the logits in front of it, chooses just that token; so the text, greedy or sampled, is to the
 * bit the one that comes without drafts. Texts that quote, revise or list are generated several times as fast where a
 * pass over a few tokens costs little more than over one; where nothing repeats nothing is drafted. Immutable.
 *
 * @param mode when to draft
 * @param maxTokens most tokens to draft at once; 0 for none. Logits of so many tokens are held in memory
 * @param minNgram how many of the last tokens must have stood before, at least
 */
public record DraftOptions(Mode mode, int maxTokens, int minNgram) {

    /** When to draft. */
    public enum Mode {
        /**
         * Where it pays: as many tokens as promise the most for the time, by how often guesses in this text came true
         * and by what passes of so many tokens have taken on this machine.
         */
        AUTO,
        /** Always as many as allowed, whenever the last tokens stood in the text before. */
        ON,
        /** Never. */
        OFF
    }

    /** @throws IllegalArgumentException when a number is outside its range */
    public DraftOptions {
        if (maxTokens < 0 || maxTokens >= PassTimes.MOST_TOKENS) {
            throw new IllegalArgumentException(
                    "draft max: expected 0 to " + (PassTimes.MOST_TOKENS - 1) + " tokens, found " + maxTokens);
        }
        if (minNgram < 1 || minNgram > 16) {
            throw new IllegalArgumentException("draft n-gram: expected 1 to 16 tokens, found " + minNgram);
        }
    }

    /** Where it pays, up to 15 tokens, after 2 that stood before. */
    public static DraftOptions defaults() {
        return new DraftOptions(Mode.AUTO, 15, 2);
    }

    /** No drafts. */
    public static DraftOptions off() {
        return new DraftOptions(Mode.OFF, 0, 2);
    }

    boolean enabled() {
        return mode != Mode.OFF && maxTokens > 0;
    }
}
