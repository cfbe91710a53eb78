package dev.tern.kernels;

/**
 * Element type of a float matrix or of a KV cache. {@link #code} is {@code tern_float_type} of the C header, which
 * defines the layout and the value of every element. {@link #Q8_0} and {@link #Q6_K} are blocks of ggml.
 */
public enum FloatType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    BF16(2, 1, 2),
    Q8_0(3, 32, 34),
    Q6_K(4, 256, 210);

    private final int code;
    private final int blockSize;
    private final int blockBytes;

    FloatType(int code, int blockSize, int blockBytes) {
        this.code = code;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** The C header's number of this type. */
    public int code() {
        return code;
    }

    /** Elements of a block, of which a row is a whole number; 1 for plain floats. */
    public int blockSize() {
        return blockSize;
    }

    /** Whether a KV cache may be of it: F32, F16 and Q8_0. */
    public boolean isCacheType() {
        return this == F32 || this == F16 || this == Q8_0;
    }

    /** Whether elements are stored one by one, not in blocks. */
    public boolean isPlain() {
        return blockSize == 1;
    }

    /**
     * Bytes of one element.
     *
     * @throws IllegalStateException for a type of blocks
     */
    public int bytes() {
        if (!isPlain()) {
            throw new IllegalStateException(this + " has no bytes of one element");
        }
        return blockBytes;
    }

    /** Bytes of {@code elements} elements, a multiple of the block. */
    public long bytes(long elements) {
        return Math.multiplyExact(elements / blockSize, (long) blockBytes);
    }

    /** What the address of a matrix must be a multiple of: an element, or the fp16 in a block. */
    public int alignment() {
        return isPlain() ? blockBytes : 2;
    }
}
