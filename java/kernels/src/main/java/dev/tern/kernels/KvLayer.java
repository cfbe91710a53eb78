package dev.tern.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * One layer's cache of keys and values, each {@code [kvHeads][capacity][headDim]} of F32 or F16 ({@code tern_kv_layer}).
 * Not thread-safe beyond disjoint positions.
 */
public final class KvLayer {
    private final MemorySegment keys;
    private final MemorySegment values;
    private final int kvHeads;
    private final int capacity;
    private final int headDim;
    private final FloatType type;

    private KvLayer(MemorySegment keys, MemorySegment values, int kvHeads, int capacity, int headDim, FloatType type) {
        this.keys = keys;
        this.values = values;
        this.kvHeads = kvHeads;
        this.capacity = capacity;
        this.headDim = headDim;
        this.type = type;
        KernelArguments.offHeap("keys", keys, type.bytes());
        KernelArguments.offHeap("values", values, type.bytes());
    }

    /** Room for {@code capacity} positions, zeroed, 64-byte aligned. */
    public static KvLayer allocate(SegmentAllocator allocator, int kvHeads, int capacity, int headDim, FloatType type) {
        if (kvHeads <= 0 || capacity <= 0 || headDim <= 0 || type == FloatType.BF16) {
            throw new IllegalArgumentException(kvHeads + " x " + capacity + " x " + headDim + " of " + type);
        }
        long bytes = Math.multiplyExact(Math.multiplyExact((long) kvHeads * capacity, headDim), (long) type.bytes());
        return new KvLayer(allocator.allocate(bytes, 64), allocator.allocate(bytes, 64), kvHeads, capacity, headDim, type);
    }

    public MemorySegment keys() {
        return keys;
    }

    public MemorySegment values() {
        return values;
    }

    public int kvHeads() {
        return kvHeads;
    }

    /** Positions that fit. */
    public int capacity() {
        return capacity;
    }

    public int headDim() {
        return headDim;
    }

    public FloatType type() {
        return type;
    }
}
