package dev.tern.speculation;

/**
 * Where each sequence of n tokens ended last: a hash table with linear probing, whose keys are the positions
 * themselves. Holds up to 16 bytes a token. A sequence that finds no room near its hash takes the place of another,
 * so no text makes a call slow. Not thread-safe.
 */
final class NgramTable {
    private static final int PROBES = 16;

    private final int n;
    private int[] ends = new int[64]; // end + 1; 0 is free
    private int used;

    NgramTable(int n) {
        this.n = n;
    }

    /** Remembers {@code tokens[end - n + 1 .. end]}, which must exist, instead of its last occurrence. */
    void put(int[] tokens, int end) {
        if (2 * used >= ends.length) {
            grow(tokens);
        }
        int slot = slot(tokens, end);
        used += ends[slot] == 0 ? 1 : 0;
        ends[slot] = end + 1;
    }

    /** Where the n tokens that end at {@code end} ended before, as far as {@link #put} was told; -1 for nowhere. */
    int last(int[] tokens, int end) {
        if (end < n - 1) {
            return -1;
        }
        int found = ends[slot(tokens, end)] - 1;
        return found >= 0 && equal(tokens, found, end) ? found : -1;
    }

    private int slot(int[] tokens, int end) {
        int hash = 0;
        for (int i = end - n + 1; i <= end; i++) {
            hash = (hash ^ tokens[i]) * 0x9E3779B1;
            hash ^= hash >>> 15;
        }
        int slot = hash & (ends.length - 1);
        for (int probe = 1; probe < PROBES && ends[slot] != 0 && !equal(tokens, ends[slot] - 1, end); probe++) {
            slot = (slot + 1) & (ends.length - 1);
        }
        return slot;
    }

    private boolean equal(int[] tokens, int end, int otherEnd) {
        for (int i = 0; i < n; i++) {
            if (tokens[end - i] != tokens[otherEnd - i]) {
                return false;
            }
        }
        return true;
    }

    private void grow(int[] tokens) {
        int[] old = ends;
        ends = new int[2 * old.length];
        used = 0;
        for (int end : old) {
            if (end != 0) {
                int slot = slot(tokens, end - 1);
                used += ends[slot] == 0 ? 1 : 0;
                ends[slot] = Math.max(ends[slot], end); // where two meet the later one stays
            }
        }
    }
}
