package dev.tern.tokenizer;

import java.util.Arrays;

/**
 * Merges the pieces of one word: always the pair of lowest rank, of equal ones the leftmost, until none merges. Holds the
 * scratch of one call of {@code encode}; not thread-safe.
 */
final class BytePairMerger {
    /** Up to here looking through all pairs is faster than keeping a heap. */
    private static final int SHORT = 40;

    private final MergeTable merges;
    private int[] ids = new int[64];
    private int[] ranks = new int[64];

    BytePairMerger(MergeTable merges) {
        this.merges = merges;
    }

    /** Room for the word's first pieces, one a byte; fill it, then call {@link #merge}. */
    int[] pieces(int count) {
        if (count > ids.length) {
            int capacity = Math.max(count, ids.length * 2);
            ids = new int[capacity];
            ranks = new int[capacity];
        }
        return ids;
    }

    /** Merges the first {@code count} of {@link #pieces} in place; returns how many remain. */
    int merge(int count) {
        return count <= SHORT ? mergeShort(count) : mergeLong(count);
    }

    private int mergeShort(int count) {
        int last = count - 1;
        for (int i = 0; i < last; i++) {
            ranks[i] = merges.rank(ids[i], ids[i + 1]);
        }
        while (true) {
            int best = MergeTable.NEVER;
            int at = -1;
            for (int i = 0; i < last; i++) {
                if (ranks[i] < best) {
                    best = ranks[i];
                    at = i;
                }
            }
            if (at < 0) {
                return last + 1;
            }
            ids[at] = merges.result(best);
            System.arraycopy(ids, at + 2, ids, at + 1, last - at - 1);
            System.arraycopy(ranks, at + 2, ranks, at + 1, Math.max(0, last - at - 2));
            last--;
            if (at > 0) {
                ranks[at - 1] = merges.rank(ids[at - 1], ids[at]);
            }
            if (at < last) {
                ranks[at] = merges.rank(ids[at], ids[at + 1]);
            }
        }
    }

    /**
     * O(n log n): a linked list of pieces and a heap of {@code rank << 32 | position}. An entry is stale, and skipped, when
     * the pair at its position has another rank by now.
     */
    private int mergeLong(int count) {
        int[] next = new int[count];
        int[] previous = new int[count];
        LongHeap heap = new LongHeap(count);
        for (int i = 0; i < count; i++) {
            next[i] = i + 1;
            previous[i] = i - 1;
            ranks[i] = i + 1 < count ? merges.rank(ids[i], ids[i + 1]) : MergeTable.NEVER;
            if (ranks[i] != MergeTable.NEVER) {
                heap.add((long) ranks[i] << 32 | i);
            }
        }
        while (!heap.isEmpty()) {
            long entry = heap.removeLeast();
            int at = (int) entry;
            int rank = (int) (entry >>> 32);
            if (ranks[at] != rank) {
                continue;
            }
            int gone = next[at];
            ids[at] = merges.result(rank);
            ranks[gone] = MergeTable.NEVER;
            next[at] = next[gone];
            if (next[at] < count) {
                previous[next[at]] = at;
            }
            rank(at, next[at], count, heap);
            if (previous[at] >= 0) {
                rank(previous[at], at, count, heap);
            }
        }
        int kept = 0;
        for (int i = 0; i < count; i = next[i]) {
            ids[kept++] = ids[i];
        }
        return kept;
    }

    private void rank(int left, int right, int count, LongHeap heap) {
        ranks[left] = right < count ? merges.rank(ids[left], ids[right]) : MergeTable.NEVER;
        if (ranks[left] != MergeTable.NEVER) {
            heap.add((long) ranks[left] << 32 | left);
        }
    }

    /** A binary heap of longs that grows. */
    static final class LongHeap {
        private long[] entries;
        private int size;

        LongHeap(int capacity) {
            entries = new long[capacity];
        }

        boolean isEmpty() {
            return size == 0;
        }

        void add(long entry) {
            if (size == entries.length) {
                entries = Arrays.copyOf(entries, size + (size >> 1) + 16);
            }
            int at = size++;
            while (at > 0 && entries[(at - 1) >> 1] > entry) {
                entries[at] = entries[(at - 1) >> 1];
                at = (at - 1) >> 1;
            }
            entries[at] = entry;
        }

        long removeLeast() {
            long least = entries[0];
            long entry = entries[--size];
            int at = 0;
            while (2 * at + 1 < size) {
                int child = 2 * at + 1;
                if (child + 1 < size && entries[child + 1] < entries[child]) {
                    child++;
                }
                if (entries[child] >= entry) {
                    break;
                }
                entries[at] = entries[child];
                at = child;
            }
            entries[at] = entry;
            return least;
        }
    }
}
