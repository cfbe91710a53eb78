package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_lut_tables;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Room for the tables of up to {@code tokens} tokens ({@code tern_lut_tables} of the C header). Written by
 * {@link LutKernels#buildTables}, read by {@link LutKernels#matmul}. Not thread-safe beyond disjoint token ranges.
 */
public final class LutTables {
    private final MemorySegment values;
    private final int tokens;
    private final long stride;
    private final MemorySegment descriptor;
    private LutShape.Format format = LutShape.Format.TL2;
    private int cols;

    private LutTables(SegmentAllocator allocator, MemorySegment values, int tokens, long stride) {
        this.values = values;
        this.tokens = tokens;
        this.stride = stride;
        KernelArguments.offHeap("values", values, 1);
        descriptor = tern_lut_tables.allocate(allocator);
        tern_lut_tables.values(descriptor, values);
        tern_lut_tables.stride(descriptor, stride);
    }

    /** Room for tables of either format, of {@code tokens} tokens of up to {@code maxCols} columns, 64-byte aligned. */
    public static LutTables allocate(SegmentAllocator allocator, int tokens, int maxCols) {
        if (tokens <= 0 || maxCols <= 0) {
            throw new IllegalArgumentException(tokens + " tokens of " + maxCols + " columns");
        }
        long largest = Math.max(tableBytes(LutShape.Format.TL1, maxCols), tableBytes(LutShape.Format.TL2, maxCols));
        long stride = (largest + 63) / 64 * 64;
        return new LutTables(allocator, allocator.allocate(Math.multiplyExact(tokens, stride), 64), tokens, stride);
    }

    /**
     * Bytes of a token's tables ({@code TERN_LUT_TABLE_BYTES}): 32 for each of cols / 24 * 8 triples and for each pair of the
     * last 224 columns (TL2), or for each pair (TL1).
     */
    static long tableBytes(LutShape.Format format, int cols) {
        return format == LutShape.Format.TL2 ? cols / 24 * 8 * 32L + Math.min(cols, 224) / 2 * 32L : cols / 2 * 32L;
    }

    /** The tokens there is room for. */
    public int tokens() {
        return tokens;
    }

    MemorySegment values() {
        return values;
    }

    long stride() {
        return stride;
    }

    /** Whether the last tables built are of this format and width. */
    boolean holds(LutShape.Format wantedFormat, int wantedCols) {
        return format == wantedFormat && cols == wantedCols;
    }

    /** Notes what is being written; threads that build tables of one batch all write the same. */
    void built(LutShape.Format newFormat, int newCols) {
        format = newFormat;
        cols = newCols;
    }

    /** The {@code tern_lut_tables} that C reads. */
    MemorySegment descriptor() {
        return descriptor;
    }
}
