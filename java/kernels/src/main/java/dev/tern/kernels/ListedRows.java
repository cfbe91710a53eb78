package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Objects;

/**
 * A list of a matrix's rows, each with the tokens that it is to be multiplied with: what {@link Kernels#screenSelect}
 * finds and {@link Kernels#floatMatmulRows} takes. Two arrays of int32: row numbers, and masks with bit t for token t.
 * Not thread-safe beyond different entries; alive as long as its memory.
 */
public final class ListedRows {
    /** Most tokens: the bits of a mask. */
    public static final int MAX_TOKENS = Integer.SIZE;

    private final MemorySegment rows;
    private final MemorySegment masks;
    private final int room;

    private ListedRows(MemorySegment rows, MemorySegment masks, int room) {
        this.rows = rows;
        this.masks = masks;
        this.room = room;
    }

    /**
     * Room for a list, of zeros: row 0 without tokens.
     *
     * @throws IllegalArgumentException when {@code room} is negative or the allocator gives heap memory
     */
    public static ListedRows allocate(SegmentAllocator allocator, int room) {
        if (room < 0) {
            throw new IllegalArgumentException("a list of " + room + " rows");
        }
        MemorySegment rows = allocator.allocate(4L * room, 64);
        KernelArguments.offHeap("rows", rows, Integer.BYTES);
        return new ListedRows(rows, allocator.allocate(4L * room, 64), room);
    }

    /**
     * Entries {@code [from, from + count)} of this list, in the same memory.
     *
     * @throws IndexOutOfBoundsException when they are no part of it
     */
    public ListedRows part(int from, int count) {
        Objects.checkFromIndexSize(from, count, room);
        return new ListedRows(rows.asSlice(4L * from, 4L * count), masks.asSlice(4L * from, 4L * count), count);
    }

    /** Entries there is room for. */
    public int room() {
        return room;
    }

    /** The row of an entry. */
    public int row(int entry) {
        return rows.getAtIndex(JAVA_INT, entry);
    }

    /** The tokens of an entry: bit t for token t. */
    public int mask(int entry) {
        return masks.getAtIndex(JAVA_INT, entry);
    }

    /** Sets an entry. */
    public void set(int entry, int row, int mask) {
        rows.setAtIndex(JAVA_INT, entry, row);
        masks.setAtIndex(JAVA_INT, entry, mask);
    }

    MemorySegment rows() {
        return rows;
    }

    MemorySegment masks() {
        return masks;
    }
}
