package dev.tern.tokenizer;

import java.util.Arrays;

/**
 * Finds the id of a byte string: an open-addressing table over the pool of all tokens' bytes. Up to seven bytes, which most
 * pieces have, are told by the slot itself; of longer ones it has a hash. Immutable once filled.
 */
final class PieceTable {
    static final int ABSENT = -1;

    private static final int MAX_SHORT = 7;
    private static final int LENGTH_SHIFT = 8 * MAX_SHORT;

    /** Above the length of every short key. */
    private static final long LONG_MARK = 0xFFL << LENGTH_SHIFT;

    /** No key: a short one has its length plus one on top. */
    private static final long EMPTY = 0;

    private final byte[] pool;
    private final int[] offsets;
    private final long[] keys;
    private final int[] ids;
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
        this.keys = new long[capacity];
        this.ids = new int[capacity];
        this.mask = capacity - 1;
    }

    /** Enters the token under its bytes; returns the id that has them already, or {@link #ABSENT}. */
    int put(int id) {
        long key = key(pool, offsets[id], offsets[id + 1]);
        int slot = slot(key, pool, offsets[id], offsets[id + 1]);
        if (keys[slot] != EMPTY) {
            return ids[slot];
        }
        keys[slot] = key;
        ids[slot] = id;
        return ABSENT;
    }

    /** The id of the bytes {@code [from, to)}, or {@link #ABSENT}. */
    int find(byte[] bytes, int from, int to) {
        int slot = slot(key(bytes, from, to), bytes, from, to);
        return keys[slot] == EMPTY ? ABSENT : ids[slot];
    }

    private long key(byte[] bytes, int from, int to) {
        if (to - from > MAX_SHORT) {
            return Hash.of(bytes, from, to, seed) | LONG_MARK;
        }
        long key = to - from + 1;
        for (int at = from; at < to; at++) {
            key = key << 8 | bytes[at] & 0xFF;
        }
        return key << 8 * (MAX_SHORT - (to - from));
    }

    /** Where the bytes are, or the empty slot where they would be. */
    private int slot(long key, byte[] bytes, int from, int to) {
        boolean isShort = Long.compareUnsigned(key, LONG_MARK) < 0;
        for (int slot = (int) Hash.of(key, seed) & mask; ; slot = slot + 1 & mask) {
            if (keys[slot] == EMPTY || keys[slot] == key && (isShort || is(ids[slot], bytes, from, to))) {
                return slot;
            }
        }
    }

    private boolean is(int id, byte[] bytes, int from, int to) {
        return Arrays.equals(pool, offsets[id], offsets[id + 1], bytes, from, to);
    }
}
