package dev.tern.tokenizer;

/** Finds the rank of a pair of neighbouring pieces, and what they become. Immutable once filled. */
final class MergeTable {
    /** The rank of a pair that does not merge. */
    static final int NEVER = Integer.MAX_VALUE;

    private static final long EMPTY = 0;

    /** Plus one, so that a new array is an empty table. */
    private final long[] keys;

    private final int[] slotRanks;
    private final int[] results;
    private final int mask;
    private final long seed = Hash.seed();

    MergeTable(int merges) {
        int capacity = Integer.highestOneBit(Math.max(8, merges)) << 2;
        keys = new long[capacity];
        slotRanks = new int[capacity];
        results = new int[merges];
        mask = capacity - 1;
    }

    /** Enters a merge; of two with the same pair the later counts, as in HF's {@code tokenizers}. */
    void put(int left, int right, int rank, int result) {
        int slot = slot(left, right);
        keys[slot] = key(left, right);
        slotRanks[slot] = rank;
        results[rank] = result;
    }

    /** The rank of the pair, or {@link #NEVER}. */
    int rank(int left, int right) {
        int slot = slot(left, right);
        return keys[slot] == EMPTY ? NEVER : slotRanks[slot];
    }

    /** The piece that the merge of this rank makes. */
    int result(int rank) {
        return results[rank];
    }

    private int slot(int left, int right) {
        long key = key(left, right);
        int slot = (int) Hash.of(key, seed) & mask;
        while (keys[slot] != key && keys[slot] != EMPTY) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private static long key(int left, int right) {
        return ((long) left << 32 | right) + 1;
    }
}
