package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_float_matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** A float matrix, row-major without gaps ({@code tern_float_matrix}): the embedding, or the head. Immutable. */
public final class FloatWeights {
    private final MemorySegment values;
    private final int rows;
    private final int cols;
    private final FloatType type;
    private final MemorySegment descriptor;

    private FloatWeights(
            SegmentAllocator allocator, MemorySegment values, int rows, int cols, FloatType type) {
        this.values = values;
        this.rows = rows;
        this.cols = cols;
        this.type = type;
        descriptor = tern_float_matrix.allocate(allocator);
        tern_float_matrix.values(descriptor, values);
        tern_float_matrix.rows(descriptor, rows);
        tern_float_matrix.cols(descriptor, cols);
        tern_float_matrix.stride(descriptor, cols);
        tern_float_matrix.type(descriptor, type.code());
    }

    /**
     * A view of {@code rows * cols} elements.
     *
     * @param allocator where the small native descriptor lives; must live as long as the values
     * @throws IllegalArgumentException when the values are too short, on the heap or not aligned to their type, a
     *     dimension is not positive, or the columns are no whole blocks
     */
    public static FloatWeights of(
            SegmentAllocator allocator, MemorySegment values, int rows, int cols, FloatType type) {
        if (rows <= 0
                || cols <= 0
                || cols % type.blockSize() != 0
                || type.bytes((long) rows * cols) > values.byteSize()) {
            throw new IllegalArgumentException(
                    rows + " x " + cols + " " + type + " do not fit in " + values.byteSize() + " bytes");
        }
        KernelArguments.offHeap("values", values, type.alignment());
        return new FloatWeights(allocator, values, rows, cols, type);
    }

    /** The numbers, {@code [rows][cols]}, row-major. */
    public MemorySegment values() {
        return values;
    }

    /** Outputs. */
    public int rows() {
        return rows;
    }

    /** Inputs. */
    public int cols() {
        return cols;
    }

    /** The type of the numbers. */
    public FloatType type() {
        return type;
    }

    /**
     * The {@code tern_float_matrix} that C reads. Holds addresses alone: whoever passes it keeps this object reachable.
     */
    MemorySegment descriptor() {
        return descriptor;
    }
}
