package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_screen;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * A screen of a float matrix ({@code tern_screen} of the C header): a copy of few bits with a bound of its error for
 * each row, from which follow bounds of every product. Written by {@link Kernels#screenPack}, read by
 * {@link Kernels#screenScores}. Not thread-safe beyond disjoint panels of 32 rows; alive as long as its memory.
 */
public final class Screen {
    /** Rows that lie interleaved: ranges of rows begin at multiples of this. */
    public static final int PANEL_ROWS = 32;

    /** Most columns: with more a sum could leave int32. */
    public static final int MAX_COLS = 131_072;

    private final MemorySegment codes;
    private final MemorySegment steps;
    private final MemorySegment residuals;
    private final MemorySegment norms;
    private final int rows;
    private final int cols;
    private final int bits;
    private final MemorySegment descriptor;

    private Screen(SegmentAllocator allocator, MemorySegment codes, int rows, int cols, int bits) {
        long floats = 4L * PANEL_ROWS * panels(rows);
        this.codes = codes;
        this.steps = allocator.allocate(floats, 64);
        this.residuals = allocator.allocate(floats, 64);
        this.norms = allocator.allocate(floats, 64);
        this.rows = rows;
        this.cols = cols;
        this.bits = bits;
        descriptor = tern_screen.allocate(allocator);
        tern_screen.codes(descriptor, codes);
        tern_screen.steps(descriptor, steps);
        tern_screen.residuals(descriptor, residuals);
        tern_screen.norms(descriptor, norms);
        tern_screen.rows(descriptor, rows);
        tern_screen.cols(descriptor, cols);
        tern_screen.stride(descriptor, panelBytes(cols, bits));
        tern_screen.bits(descriptor, bits);
    }

    /**
     * Room for a screen.
     *
     * @param bits 4 or 6 for each weight
     * @throws IllegalArgumentException when a number is outside its range
     */
    public static Screen allocate(SegmentAllocator allocator, int rows, int cols, int bits) {
        if (rows <= 0 || cols <= 0 || cols > MAX_COLS || bits != 4 && bits != 6) {
            throw new IllegalArgumentException("a screen of " + rows + " x " + cols + " in " + bits + " bits");
        }
        MemorySegment codes = allocator.allocate(Math.multiplyExact(panels(rows), panelBytes(cols, bits)), 64);
        KernelArguments.offHeap("codes", codes, 64);
        return new Screen(allocator, codes, rows, cols, bits);
    }

    /** Bytes of a screen, with what is kept for each row. */
    public static long byteSize(int rows, int cols, int bits) {
        return panels(rows) * (panelBytes(cols, bits) + 12L * PANEL_ROWS);
    }

    /** Panels of a matrix of so many rows. */
    static long panels(int rows) {
        return (rows + PANEL_ROWS - 1L) / PANEL_ROWS;
    }

    private static long panelBytes(int cols, int bits) {
        return bits == 4 ? (cols + 7L) / 8 * 128 : (cols + 15L) / 16 * 384;
    }

    /** Bytes from one panel to the next. */
    long stride() {
        return panelBytes(cols, bits);
    }

    /** The codes, panel after panel. */
    public MemorySegment codes() {
        return codes;
    }

    /** float32 of each row, as the two below: what its levels are multiplied by. */
    public MemorySegment steps() {
        return steps;
    }

    /** At least the Euclidean norm of what step and levels leave of the row. */
    public MemorySegment residuals() {
        return residuals;
    }

    /** At least the Euclidean norm of step times levels. */
    public MemorySegment norms() {
        return norms;
    }

    /** Rows of the matrix. */
    public int rows() {
        return rows;
    }

    /** Columns of the matrix. */
    public int cols() {
        return cols;
    }

    /** Bits of a weight. */
    public int bits() {
        return bits;
    }

    /** The {@code tern_screen} that C reads. Holds addresses alone: whoever passes it keeps this object reachable. */
    MemorySegment descriptor() {
        return descriptor;
    }
}
