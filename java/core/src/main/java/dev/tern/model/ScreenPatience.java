package dev.tern.model;

import java.util.Arrays;

/**
 * Whether to try a screen for a token. One that spares nothing costs more than the head alone, so after each failure
 * the next 1, 3, 7, ... 255 passes go without: in the long run that is one try in 256, and nine in the first 500.
 * Each success makes the pause that the next failure has a quarter shorter. Kept apart for each order of magnitude of
 * how many logits are wanted, as the most likely token is easier to find than forty. Not thread-safe.
 */
final class ScreenPatience {
    private static final int LONGEST = 255;

    private final int[] pauses = new int[Integer.SIZE + 1];
    private final int[] left = new int[Integer.SIZE + 1];

    /** Says so, and counts the pass. */
    boolean tries(int top) {
        int order = order(top);
        if (left[order] > 0) {
            left[order]--;
            return false;
        }
        return true;
    }

    /** What became of a try. */
    void tried(int top, boolean spared) {
        int order = order(top);
        pauses[order] = spared ? pauses[order] * 3 / 4 : Math.min(LONGEST, 2 * pauses[order] + 1);
        left[order] = spared ? 0 : pauses[order];
    }

    /** Another screen: what came of the last one says nothing of it. */
    void forget() {
        Arrays.fill(pauses, 0);
        Arrays.fill(left, 0);
    }

    private static int order(int top) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(top);
    }
}
