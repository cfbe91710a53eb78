package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_activations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * Room for quantized activations of up to {@code tokens} tokens ({@code tern_activations} of the C header). Written by
 * {@link Kernels#quantize}, read by {@link Kernels#ternaryMatmul}. Not thread-safe beyond disjoint token ranges.
 */
public final class Activations {
    private final MemorySegment values;
    private final MemorySegment scales;
    private final MemorySegment sums;
    private final int tokens;
    private final long stride;
    private final MemorySegment descriptor;
    private int cols;

    private Activations(
            SegmentAllocator allocator,
            MemorySegment values,
            MemorySegment scales,
            MemorySegment sums,
            int tokens,
            long stride) {
        this.values = values;
        this.scales = scales;
        this.sums = sums;
        this.tokens = tokens;
        this.stride = stride;
        KernelArguments.offHeap("values", values, 1);
        KernelArguments.offHeap("scales", scales, Float.BYTES);
        KernelArguments.offHeap("sums", sums, Integer.BYTES);
        descriptor = tern_activations.allocate(allocator);
        tern_activations.values(descriptor, values);
        tern_activations.scales(descriptor, scales);
        tern_activations.sums(descriptor, sums);
        tern_activations.stride(descriptor, stride);
    }

    /** Room for {@code tokens} tokens of up to {@code maxCols} columns, 64-byte aligned. */
    public static Activations allocate(SegmentAllocator allocator, int tokens, int maxCols) {
        if (tokens <= 0 || maxCols <= 0) {
            throw new IllegalArgumentException(tokens + " tokens of " + maxCols + " columns");
        }
        long stride = (maxCols + TernaryWeights.GROUP - 1L) / TernaryWeights.GROUP * TernaryWeights.GROUP;
        return new Activations(
                allocator,
                allocator.allocate(Math.multiplyExact(tokens, stride), 64),
                allocator.allocate(4L * tokens, 64),
                allocator.allocate(4L * tokens, 64),
                tokens,
                stride);
    }

    /** int8, {@code [tokens][stride]}. */
    public MemorySegment values() {
        return values;
    }

    /** float32, {@code [tokens]}: r, by which x was multiplied. */
    public MemorySegment scales() {
        return scales;
    }

    /** int32, {@code [tokens]}: sums of the values. */
    public MemorySegment sums() {
        return sums;
    }

    /** The tokens there is room for. */
    public int tokens() {
        return tokens;
    }

    /** Bytes from one token to the next, a multiple of 128. */
    public long stride() {
        return stride;
    }

    /** Columns that the last {@link Kernels#quantize} filled, 0 before the first. */
    public int cols() {
        return cols;
    }

    /**
     * The {@code tern_activations} that C reads. Holds addresses alone: whoever passes it keeps this object reachable.
     */
    MemorySegment descriptor() {
        return descriptor;
    }

    /** Notes the width that is being written; threads that quantize tokens of one batch all write the same. */
    void quantized(int cols) {
        this.cols = cols;
    }
}
