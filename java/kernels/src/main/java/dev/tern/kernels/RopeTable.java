package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_rope;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** Rotation tables for positions {@code [0, positions)} ({@code tern_rope} of the C header). Immutable once filled. */
public final class RopeTable {
    private final MemorySegment cosines;
    private final MemorySegment sines;
    private final int positions;
    private final int dims;
    private final RopePairing pairing;
    private final MemorySegment descriptor;

    private RopeTable(
            SegmentAllocator allocator,
            MemorySegment cosines,
            MemorySegment sines,
            int positions,
            int dims,
            RopePairing pairing) {
        this.cosines = cosines;
        this.sines = sines;
        this.positions = positions;
        this.dims = dims;
        this.pairing = pairing;
        descriptor = tern_rope.allocate(allocator);
        tern_rope.cosines(descriptor, cosines);
        tern_rope.sines(descriptor, sines);
        tern_rope.dims(descriptor, dims);
        tern_rope.pairing(descriptor, pairing.code());
    }

    /**
     * A view of filled tables.
     *
     * @param cosines float32, {@code [positions][dims / 2]}
     * @param sines float32, {@code [positions][dims / 2]}
     * @param dims leading elements of a head that are rotated; even
     * @throws IllegalArgumentException when a table is too short, on the heap or not aligned, or {@code dims} is odd
     */
    public static RopeTable of(
            SegmentAllocator allocator,
            MemorySegment cosines,
            MemorySegment sines,
            int positions,
            int dims,
            RopePairing pairing) {
        if (positions <= 0 || dims <= 0 || dims % 2 != 0) {
            throw new IllegalArgumentException(positions + " positions of " + dims + " rotated elements");
        }
        long bytes = Math.multiplyExact((long) positions * (dims / 2), 4L);
        if (bytes > cosines.byteSize() || bytes > sines.byteSize()) {
            throw new IllegalArgumentException("rotation tables too short for " + positions + " positions of " + dims);
        }
        KernelArguments.offHeap("cosines", cosines, Float.BYTES);
        KernelArguments.offHeap("sines", sines, Float.BYTES);
        return new RopeTable(allocator, cosines, sines, positions, dims, pairing);
    }

    public MemorySegment cosines() {
        return cosines;
    }

    public MemorySegment sines() {
        return sines;
    }

    public int positions() {
        return positions;
    }

    public int dims() {
        return dims;
    }

    public RopePairing pairing() {
        return pairing;
    }

    /** The {@code tern_rope} that C reads. Holds addresses alone: whoever passes it keeps this object reachable. */
    MemorySegment descriptor() {
        return descriptor;
    }
}
