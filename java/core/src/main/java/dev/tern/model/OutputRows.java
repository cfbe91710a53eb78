package dev.tern.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Where what a pass gives of its tokens belongs, logits or states: a row of floats for each, in memory of whoever wants
 * them. Reused from pass to pass; a pass's members write to rows, and columns, of their own.
 */
final class OutputRows {
    private int width;
    private int count;
    private int owners;
    private MemorySegment[] memory = new MemorySegment[1];
    private long[] offset = new long[1];

    /** Forgets all rows; those to come have {@code width} floats. */
    void clear(int width) {
        Arrays.fill(memory, MemorySegment.NULL);
        this.width = width;
        count = 0;
        owners = 0;
    }

    /** Appends {@code rows} rows that lie one behind the other. */
    void add(MemorySegment of, int rows) {
        if (rows == 0) {
            return;
        }
        if (count + rows > memory.length) {
            int room = Math.max(2 * memory.length, count + rows);
            memory = Arrays.copyOf(memory, room);
            offset = Arrays.copyOf(offset, room);
            Arrays.fill(memory, count, room, MemorySegment.NULL);
        }
        for (int row = 0; row < rows; row++) {
            memory[count] = of;
            offset[count++] = 4L * row * width;
        }
        owners++;
    }

    int count() {
        return count;
    }

    /** Whether all rows lie one behind the other, in {@link #together}. */
    boolean areTogether() {
        return owners == 1;
    }

    /** All rows, {@code [count][width]}. */
    MemorySegment together() {
        return memory[0];
    }

    /** Writes one column of a row. */
    void set(int row, int column, float value) {
        memory[row].set(JAVA_FLOAT, offset[row] + 4L * column, value);
    }

    /** Writes columns {@code [column, column + columns)} of a row. */
    void set(int row, int column, MemorySegment from, long fromOffset, int columns) {
        MemorySegment.copy(from, fromOffset, memory[row], offset[row] + 4L * column, 4L * columns);
    }
}
