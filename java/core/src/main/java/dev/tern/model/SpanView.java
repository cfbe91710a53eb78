package dev.tern.model;

import java.util.Arrays;

/**
 * The tokens that a stage computes, as one list: of each span of the pass its last ones, or all. Those of a span have
 * consecutive rows in the pass's memory, the spans one behind the other. Reused from pass to pass.
 */
final class SpanView {
    private int spans;
    private int[] index = new int[2]; // [spans + 1]: number of the first token of span s in the list, then of all
    private int[] row = new int[1]; // of that token in the pass's memory
    private int[] position = new int[1]; // of it in its sequence

    void clear() {
        spans = 0;
        index[0] = 0;
    }

    /** Appends a span's tokens. */
    void add(int firstRow, int firstPosition, int count) {
        if (spans == row.length) {
            int room = 2 * spans;
            index = Arrays.copyOf(index, room + 1);
            row = Arrays.copyOf(row, room);
            position = Arrays.copyOf(position, room);
        }
        row[spans] = firstRow;
        position[spans] = firstPosition;
        index[spans + 1] = index[spans] + count;
        spans++;
    }

    int spans() {
        return spans;
    }

    /** Tokens in the list. */
    int tokens() {
        return index[spans];
    }

    /** Number of span {@code s}'s first token; of {@code s = spans()}, all. */
    int index(int s) {
        return index[s];
    }

    /** Tokens of a span, none or more. */
    int count(int s) {
        return index[s + 1] - index[s];
    }

    /** Row of a span's first token. */
    int row(int s) {
        return row[s];
    }

    /** Position of a span's first token. */
    int position(int s) {
        return position[s];
    }

    /** The span that a token of the list belongs to. */
    int spanOf(int token) {
        int s = 0;
        while (index[s + 1] <= token) {
            s++;
        }
        return s;
    }
}
