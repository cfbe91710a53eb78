package dev.tern.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * All that may be going on at one place of a text: states that consume a byte, each with the calls that are open around
 * it. There is one object for equal ones of one {@link Configurations}, which also owns what changes in it.
 */
final class Configuration {
    /** Sorted by state and number of frame. */
    final int[] states;

    final Frame[] frames;

    /** Whether the text may end here. */
    final boolean complete;

    /** Whether the calls that are known may end here, and what is around them goes on. */
    final boolean leaves;

    /**
     * The largest stack that was needed while this was made: calls open, and those needed to come to an end. No part of
     * what it is; it grows where another way to it needed more.
     */
    int peak;

    /** By class of byte, null until it was asked for. */
    final @Nullable Configuration[] next;

    private final int hash;

    Configuration(int[] states, Frame[] frames, boolean complete, boolean leaves, int peak, int classes) {
        this.states = states;
        this.frames = frames;
        this.complete = complete;
        this.leaves = leaves;
        this.peak = peak;
        this.next = new Configuration[classes];
        int h = Arrays.hashCode(states) * 31 + (complete ? 1 : 0) + (leaves ? 2 : 0);
        for (Frame frame : frames) {
            h = 31 * h + frame.number;
        }
        hash = h;
    }

    boolean dead() {
        return states.length == 0 && !complete && !leaves;
    }

    /** Equal in content; frames are compared by identity. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Configuration c
                && hash == c.hash
                && complete == c.complete
                && leaves == c.leaves
                && Arrays.equals(states, c.states)
                && same(frames, c.frames);
    }

    private static boolean same(Frame[] a, Frame[] b) {
        for (int i = 0; i < a.length; i++) {
            if (a[i] != b[i]) {
                return false;
            }
        }
        return a.length == b.length;
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
