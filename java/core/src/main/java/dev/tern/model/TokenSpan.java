package dev.tern.model;

import java.lang.foreign.MemorySegment;

/**
 * Consecutive tokens of one sequence in a pass, which may have spans of several sequences.
 *
 * @param cache the sequence's; it holds {@code position} positions, and those of these tokens after the pass
 * @param position of the first token
 * @param ids ids in the vocabulary
 * @param first index of the first id to evaluate
 * @param count number of ids, 1 or more
 * @param firstLogits logits are computed for the tokens from this one of the span on; {@code count} for none
 * @param logits float32 {@code [count - firstLogits][vocab]}
 * @param top how many of the largest logits of each token matter, which with all that equal the least of them are then
 *     those of the whole head to the bit, while each other one may be -infinity; 0 for all
 */
public record TokenSpan(
        KvCache cache,
        int position,
        int[] ids,
        int first,
        int count,
        int firstLogits,
        MemorySegment logits,
        int top) {

    /** @throws IllegalArgumentException when {@code top} is negative */
    public TokenSpan {
        requireTop(top);
    }

    /**
     * Checks how many of the largest logits are to matter.
     *
     * @throws IllegalArgumentException when that is a negative number
     */
    public static void requireTop(int top) {
        if (top < 0) {
            throw new IllegalArgumentException("the largest logits: expected how many, or 0 for all; found " + top);
        }
    }

    /** Tokens whose logits are computed. */
    int wanted() {
        return count - firstLogits;
    }
}
