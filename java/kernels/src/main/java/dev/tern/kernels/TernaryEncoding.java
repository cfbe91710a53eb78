package dev.tern.kernels;

/**
 * How a file stores a ternary matrix that kernels decode: types of ggml, row after row of whole blocks. {@link #code}
 * is {@code tern_ternary_encoding} of the C header, which defines the blocks and their values.
 */
public enum TernaryEncoding {
    TQ1_0(0, 256, 54),
    TQ2_0(1, 256, 66),
    Q2_K(2, 256, 84),
    Q4_0(3, 32, 18),
    Q8_0(4, 32, 34),
    F16(5, 1, 2),
    BF16(6, 1, 2),
    F32(7, 1, 4);

    private final int code;
    private final int blockSize;
    private final int blockBytes;

    TernaryEncoding(int code, int blockSize, int blockBytes) {
        this.code = code;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** The C header's number of this encoding. */
    public int code() {
        return code;
    }

    /** Columns of a block, of which a row is a whole number. */
    public int blockSize() {
        return blockSize;
    }

    /** Bytes of a row of {@code cols} columns, a multiple of the block. */
    public long rowBytes(int cols) {
        return (long) cols / blockSize * blockBytes;
    }

    /** Bytes of a block. */
    int blockBytes() {
        return blockBytes;
    }
}
