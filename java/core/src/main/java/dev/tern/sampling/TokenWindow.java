package dev.tern.sampling;

import java.util.Arrays;

/** The last tokens of a sequence: a ring that grows to its size as tokens come. */
final class TokenWindow {
    private final int most; // -1: all
    private int[] ring = {};
    private long added;

    /** @param most how many tokens it holds at most, 1 or more; -1 for all */
    TokenWindow(int most) {
        this.most = most;
    }

    /** Adds a token; the one that falls out for it, or -1. */
    int add(int id) {
        if (added == ring.length && (most < 0 || ring.length < most)) {
            int grown = Math.max(64, 2 * ring.length);
            ring = Arrays.copyOf(ring, most < 0 ? grown : Math.min(most, grown));
        }
        int place = (int) (added % ring.length);
        int oldest = added < ring.length ? -1 : ring[place];
        ring[place] = id;
        added++;
        return oldest;
    }

    int size() {
        return (int) Math.min(added, ring.length);
    }

    /** The token added last for 0, the one before for 1, and so on. */
    int last(int back) {
        return ring[(int) ((added - 1 - back) % ring.length)];
    }
}
