package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_ternary_matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * A ternary matrix in the run-time layout ({@code tern_ternary_matrix} of the C header): 2-bit codes in groups of 128
 * columns, rows padded to whole groups. An I2_S tensor whose columns are a multiple of 128 has this layout as it lies.
 * Immutable; alive as long as the memory it was made over.
 */
public final class TernaryWeights implements Projection {
    /** Columns of one group. */
    public static final int GROUP = 128;

    /** Bytes of one group. */
    public static final int GROUP_BYTES = GROUP / 4;

    /** Most columns of a row: with one more, 128 a column, a sum could leave int32. */
    public static final int MAX_COLS = (1 << 24) - 1;

    private final MemorySegment codes;
    private final int rows;
    private final int cols;
    private final float scale;
    private final MemorySegment descriptor;

    private TernaryWeights(SegmentAllocator allocator, MemorySegment codes, int rows, int cols, float scale) {
        this.codes = codes;
        this.rows = rows;
        this.cols = cols;
        this.scale = scale;
        descriptor = tern_ternary_matrix.allocate(allocator);
        tern_ternary_matrix.codes(descriptor, codes);
        tern_ternary_matrix.rows(descriptor, rows);
        tern_ternary_matrix.cols(descriptor, cols);
        tern_ternary_matrix.stride(descriptor, rowBytes(cols));
        tern_ternary_matrix.scale(descriptor, scale);
    }

    /** Bytes from one row to the next: 32 for each begun group of 128 columns. */
    public static long rowBytes(int cols) {
        return (cols + GROUP - 1L) / GROUP * GROUP_BYTES;
    }

    /**
     * A view of packed codes.
     *
     * @param allocator where the small native descriptor lives; must live as long as the codes
     * @param codes {@code rows * rowBytes(cols)} bytes or more
     * @param scale s, finite
     * @throws IllegalArgumentException when the codes are too short or on the heap, or a dimension is not positive or
     *     so large that a row's sum could leave int32 ({@link #MAX_COLS})
     */
    public static TernaryWeights of(SegmentAllocator allocator, MemorySegment codes, int rows, int cols, float scale) {
        if (rows <= 0 || cols <= 0 || cols > MAX_COLS || Math.multiplyExact(rows, rowBytes(cols)) > codes.byteSize()) {
            throw new IllegalArgumentException(
                    rows + " x " + cols + " codes do not fit in " + codes.byteSize() + " bytes");
        }
        KernelArguments.offHeap("codes", codes, 1);
        return new TernaryWeights(allocator, codes, rows, cols, scale);
    }

    /** The packed codes, {@code rows * rowBytes(cols)} bytes or more. */
    public MemorySegment codes() {
        return codes;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int cols() {
        return cols;
    }

    @Override
    public float scale() {
        return scale;
    }

    @Override
    public long byteSize() {
        return rows * rowBytes(cols);
    }

    /**
     * The {@code tern_ternary_matrix} that C reads. Holds addresses alone: whoever passes it keeps this object
     * reachable.
     */
    MemorySegment descriptor() {
        return descriptor;
    }
}
