package dev.tern.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** A float matrix, row-major without gaps ({@code tern_float_matrix}): the embedding, or the head. Immutable. */
public final class FloatWeights {
    private final MemorySegment values;
    private final int rows;
    private final int cols;
    private final FloatType type;

    private FloatWeights(MemorySegment values, int rows, int cols, FloatType type) {
        this.values = values;
        this.rows = rows;
        this.cols = cols;
        this.type = type;
    }

    /**
     * A view of {@code rows * cols} elements.
     *
     * @param allocator where the small native descriptor lives; must live as long as the values
     * @throws IllegalArgumentException when the values are too short, on the heap or not aligned to their type, or a
     *     dimension is not positive
     */
    public static FloatWeights of(SegmentAllocator allocator, MemorySegment values, int rows, int cols, FloatType type) {
        if (rows <= 0 || cols <= 0 || Math.multiplyExact((long) rows * cols, type.bytes()) > values.byteSize()) {
            throw new IllegalArgumentException(
                    rows + " x " + cols + " " + type + " do not fit in " + values.byteSize() + " bytes");
        }
        KernelArguments.offHeap("values", values, type.bytes());
        return new FloatWeights(values, rows, cols, type);
    }

    public MemorySegment values() {
        return values;
    }

    public int rows() {
        return rows;
    }

    public int cols() {
        return cols;
    }

    public FloatType type() {
        return type;
    }
}
