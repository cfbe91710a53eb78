package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_screen_scores;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Room for what a screen says of a matrix's rows ({@code tern_screen_scores} of the C header): for each token and row
 * an approximation of the product and an upper bound, and the largest of both in each panel of 32 rows. Written by
 * {@link Kernels#screenScores}; not thread-safe beyond different panels.
 */
public final class ScreenScores {
    private final MemorySegment scores;
    private final MemorySegment uppers;
    private final MemorySegment peaks;
    private final MemorySegment ceilings;
    private final int tokens;
    private final int rows;
    private final MemorySegment descriptor;

    private ScreenScores(SegmentAllocator allocator, int tokens, int rows) {
        this.tokens = tokens;
        this.rows = rows;
        long floats = Math.multiplyExact(4L * tokens, stride());
        long panelFloats = Math.multiplyExact(4L * tokens, panelStride());
        this.scores = allocator.allocate(floats, 64);
        this.uppers = allocator.allocate(floats, 64);
        this.peaks = allocator.allocate(panelFloats, 64);
        this.ceilings = allocator.allocate(panelFloats, 64);
        KernelArguments.offHeap("scores", scores, Float.BYTES);
        descriptor = tern_screen_scores.allocate(allocator);
        tern_screen_scores.scores(descriptor, scores);
        tern_screen_scores.uppers(descriptor, uppers);
        tern_screen_scores.peaks(descriptor, peaks);
        tern_screen_scores.ceilings(descriptor, ceilings);
        tern_screen_scores.stride(descriptor, stride());
        tern_screen_scores.panel_stride(descriptor, panelStride());
    }

    /** Room for {@code tokens} tokens and a matrix of {@code rows} rows. */
    public static ScreenScores allocate(SegmentAllocator allocator, int tokens, int rows) {
        if (tokens <= 0 || rows <= 0) {
            throw new IllegalArgumentException(tokens + " tokens and " + rows + " rows");
        }
        return new ScreenScores(allocator, tokens, rows);
    }

    /** float32 {@code [tokens][stride]}: about the product. */
    public MemorySegment scores() {
        return scores;
    }

    /** float32 {@code [tokens][stride]}: at least the product that {@link Kernels#floatMatmul} gives. */
    public MemorySegment uppers() {
        return uppers;
    }

    /** float32 {@code [tokens][panelStride]}: the largest score of a panel's rows. */
    public MemorySegment peaks() {
        return peaks;
    }

    /** float32 {@code [tokens][panelStride]}: the largest upper bound of a panel's rows. */
    public MemorySegment ceilings() {
        return ceilings;
    }

    /** Tokens there is room for. */
    public int tokens() {
        return tokens;
    }

    /** Rows of the matrix. */
    public int rows() {
        return rows;
    }

    /** Floats from one token to the next of scores and uppers. */
    public long stride() {
        return Screen.PANEL_ROWS * Screen.panels(rows);
    }

    /** Floats from one token to the next of peaks and ceilings. */
    public long panelStride() {
        return Screen.panels(rows);
    }

    /**
     * The {@code tern_screen_scores} that C reads. Holds addresses alone: whoever passes it keeps this object
     * reachable.
     */
    MemorySegment descriptor() {
        return descriptor;
    }
}
