package dev.tern.kernels;

/** Element type of a float tensor or of a KV cache. {@link #code} is {@code tern_float_type} of the C header. */
public enum FloatType {
    F32(0, 4),
    F16(1, 2),
    BF16(2, 2);

    private final int code;
    private final int bytes;

    FloatType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** The C header's number of this type. */
    public int code() {
        return code;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
