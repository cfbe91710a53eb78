package dev.tern.kernels;

import dev.tern.kernels.ffi.tern_kv_layer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * One layer's cache of keys and values, each {@code [kvHeads][capacity][headDim]} of F32, F16 or Q8_0
 * ({@code tern_kv_layer}). Not thread-safe beyond disjoint positions.
 */
public final class KvLayer {
    /** Most items for which {@link Kernels#attention} wants scratch ({@code TERN_ATTENTION_ROWS}). */
    public static final int ATTENTION_ROWS = 64;

    private final MemorySegment keys;
    private final MemorySegment values;
    private final int kvHeads;
    private final int capacity;
    private final int headDim;
    private final FloatType type;
    private final MemorySegment descriptor;

    private KvLayer(
            SegmentAllocator allocator,
            MemorySegment keys,
            MemorySegment values,
            int kvHeads,
            int capacity,
            int headDim,
            FloatType type) {
        this.keys = keys;
        this.values = values;
        this.kvHeads = kvHeads;
        this.capacity = capacity;
        this.headDim = headDim;
        this.type = type;
        KernelArguments.offHeap("keys", keys, type.alignment());
        KernelArguments.offHeap("values", values, type.alignment());
        descriptor = tern_kv_layer.allocate(allocator);
        tern_kv_layer.keys(descriptor, keys);
        tern_kv_layer.values(descriptor, values);
        tern_kv_layer.kv_heads(descriptor, kvHeads);
        tern_kv_layer.capacity(descriptor, capacity);
        tern_kv_layer.head_dim(descriptor, headDim);
        tern_kv_layer.type(descriptor, type.code());
    }

    /**
     * Room for {@code capacity} positions, zeroed, 64-byte aligned.
     *
     * @param headDim whole blocks of the type: of Q8_0 a multiple of 32
     */
    public static KvLayer allocate(SegmentAllocator allocator, int kvHeads, int capacity, int headDim, FloatType type) {
        if (kvHeads <= 0 || capacity <= 0 || headDim <= 0 || !type.isCacheType() || headDim % type.blockSize() != 0) {
            throw new IllegalArgumentException(kvHeads + " x " + capacity + " x " + headDim + " of " + type);
        }
        long bytes = Math.multiplyExact((long) kvHeads * capacity, type.bytes(headDim));
        MemorySegment keys = allocator.allocate(bytes, 64);
        MemorySegment values = allocator.allocate(bytes, 64);
        return new KvLayer(allocator, keys, values, kvHeads, capacity, headDim, type);
    }

    /**
     * Floats of scratch for {@link Kernels#attention} over {@code items} items, the longest of which attends to
     * {@code positions} positions ({@code TERN_ATTENTION_SCORES}). It does not grow beyond {@link #ATTENTION_ROWS}
     * items.
     */
    public static long attentionScores(int items, int positions) {
        return Math.min(items, ATTENTION_ROWS) * ((positions + 15L) / 16 * 16);
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

    /** Bytes of one position of one head, of the keys or of the values. */
    public long positionBytes() {
        return type.bytes(headDim);
    }

    /** The {@code tern_kv_layer} that C reads. Holds addresses alone: whoever passes it keeps this object reachable. */
    MemorySegment descriptor() {
        return descriptor;
    }
}
