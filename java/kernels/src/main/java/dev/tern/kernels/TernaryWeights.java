package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_ternary_matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * A ternary matrix in a run-time layout ({@code tern_ternary_matrix} of the C header). An I2_S tensor whose columns are
 * a multiple of 128 has the layout {@link TernaryLayout#ROWS} as it lies; the others are made by
 * {@link Kernels#ternaryPack}. Immutable; alive as long as the memory it was made over.
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
    private final TernaryLayout layout;
    private final MemorySegment descriptor;

    private TernaryWeights(
            SegmentAllocator allocator, MemorySegment codes, int rows, int cols, float scale, TernaryLayout layout) {
        this.codes = codes;
        this.rows = rows;
        this.cols = cols;
        this.scale = scale;
        this.layout = layout;
        descriptor = tern_ternary_matrix.allocate(allocator);
        tern_ternary_matrix.codes(descriptor, codes);
        tern_ternary_matrix.rows(descriptor, rows);
        tern_ternary_matrix.cols(descriptor, cols);
        tern_ternary_matrix.stride(descriptor, layout.stride(cols));
        tern_ternary_matrix.scale(descriptor, scale);
        tern_ternary_matrix.layout(descriptor, layout.code());
    }

    /** Bytes from one row to the next in {@link TernaryLayout#ROWS}: 32 for each begun group of 128 columns. */
    public static long rowBytes(int cols) {
        return (cols + GROUP - 1L) / GROUP * GROUP_BYTES;
    }

    /**
     * A view of codes in the layout {@link TernaryLayout#ROWS}; as {@link #of(SegmentAllocator, MemorySegment, int,
     * int, float, TernaryLayout)}.
     */
    public static TernaryWeights of(SegmentAllocator allocator, MemorySegment codes, int rows, int cols, float scale) {
        return of(allocator, codes, rows, cols, scale, TernaryLayout.ROWS);
    }

    /**
     * A view of packed codes.
     *
     * @param allocator where the small native descriptor lives; must live as long as the codes
     * @param codes {@code layout.bytes(rows, cols)} bytes or more; panels begin at a multiple of 64 bytes
     * @param scale s, finite
     * @throws IllegalArgumentException when the codes are too short, crooked or on the heap, or a dimension is not
     *     positive or so large that a row's sum could leave its integer ({@link TernaryLayout#maxCols})
     */
    public static TernaryWeights of(
            SegmentAllocator allocator, MemorySegment codes, int rows, int cols, float scale, TernaryLayout layout) {
        if (rows <= 0 || cols <= 0 || cols > layout.maxCols() || layout.bytes(rows, cols) > codes.byteSize()) {
            throw new IllegalArgumentException(
                    rows + " x " + cols + " codes do not fit in " + codes.byteSize() + " bytes as " + layout);
        }
        KernelArguments.offHeap("codes", codes, layout == TernaryLayout.ROWS ? 1 : 64);
        return new TernaryWeights(allocator, codes, rows, cols, scale, layout);
    }

    /** The packed codes, {@link #byteSize} bytes or more. */
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
        return layout.bytes(rows, cols);
    }

    /** How the codes lie. */
    public TernaryLayout layout() {
        return layout;
    }

    /**
     * The {@code tern_ternary_matrix} that C reads. Holds addresses alone: whoever passes it keeps this object
     * reachable.
     */
    MemorySegment descriptor() {
        return descriptor;
    }
}
