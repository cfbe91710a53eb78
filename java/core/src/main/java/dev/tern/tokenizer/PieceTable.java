package dev.tern.tokenizer;

import java.util.Arrays;

/** Finds the id of a byte string: an open-addressing table over the pool of all tokens' bytes. Immutable once filled. */
final class PieceTable {
    static final int ABSENT = -1;

    private final byte[] pool;
    private final int[] offsets;
    private final int[] slots;
    private final int mask;
    private final long seed = Hash.seed();

    PieceTable(Spellings tokens) {
        this(tokens.utf8(), tokens.offsets());
    }

    /** A table over tokens whose bytes are {@code pool[offsets[id] .. offsets[id + 1])}. */
    PieceTable(byte[] pool, int[] offsets) {
        this.pool = pool;
        this.offsets = offsets;
        // At most half full, so that a miss ends soon.
        int capacity = Integer.highestOneBit(Math.max(8, offsets.length)) << 2;
        this.slots = new int[capacity];
        this.mask = capacity - 1;
        Arrays.fill(slots, ABSENT);
    }

    /** Enters the token under its bytes; returns the id that has them already, or {@link #ABSENT}. */
    int put(int id) {
        int from = offsets[id];
        int to = offsets[id + 1];
        for (int slot = (int) Hash.of(pool, from, to, seed) & mask; ; slot = slot + 1 & mask) {
            int other = slots[slot];
            if (other == ABSENT) {
                slots[slot] = id;
                return ABSENT;
            }
            if (Arrays.equals(pool, offsets[other], offsets[other + 1], pool, from, to)) {
                return other;
            }
        }
    }

    /** The id of the bytes {@code [from, to)}, or {@link #ABSENT}. */
    int find(byte[] bytes, int from, int to) {
        for (int slot = (int) Hash.of(bytes, from, to, seed) & mask; ; slot = slot + 1 & mask) {
            int id = slots[slot];
            if (id == ABSENT || Arrays.equals(pool, offsets[id], offsets[id + 1], bytes, from, to)) {
                return id;
            }
        }
    }
}
