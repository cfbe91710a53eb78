package dev.tern.tokenizer;

import java.util.Arrays;

/** Token ids that become more. Not thread-safe. */
final class IdList {
    private int[] ids;
    private int count;

    IdList(int expected) {
        ids = new int[Math.max(8, expected)];
    }

    void add(int id) {
        room(1);
        ids[count++] = id;
    }

    void addAll(int[] more, int length) {
        room(length);
        System.arraycopy(more, 0, ids, count, length);
        count += length;
    }

    int[] toArray() {
        return count == ids.length ? ids : Arrays.copyOf(ids, count);
    }

    private void room(int more) {
        if (count + more > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(count + more, ids.length + (ids.length >> 1)));
        }
    }
}
