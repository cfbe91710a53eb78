package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.safetensors.SafetensorsTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** A tensor in its file, and its real values. */
record StoredTensor(SafetensorsFile file, SafetensorsTensor tensor) {
    /** Elements read at a time: 64 KiB of floats stay in the second-level cache. */
    static final int CHUNK = 1 << 14;

    private static final int EXPONENT = 0x7f800000;
    private static final int LEAST_EXPONENT = 0x00800000;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Its bytes, mapped for the arena's life: a model passes through the address space tensor by tensor. */
    MemorySegment map(Arena arena) {
        return file.map(tensor, 0, tensor.byteSize(), arena);
    }

    /** The bytes of elements {@code [first, first + count)}. */
    MemorySegment map(long first, long count, Arena arena) {
        int bytes = tensor.type().bits() / 8;
        return file.map(tensor, first * bytes, count * bytes, arena);
    }

    /** An error in this tensor. */
    InputException.Builder error() {
        return InputException.at(file.path()).tensor(tensor.name());
    }

    /** Copies the bits of elements {@code [first, first + count)} of {@code data}, for types of 16 bits. */
    void copy(MemorySegment data, long first, int count, short[] out) {
        MemorySegment.copy(data, SHORT, first * 2, out, 0, count);
    }

    /** The value of an element of 16 bits. */
    float widen(short bits) {
        return switch (tensor.type()) {
            case BF16 -> Float.intBitsToFloat(bits << 16);
            case F16 -> Float.float16ToFloat(bits);
            default -> throw new IllegalStateException(tensor.name() + " is " + tensor.type());
        };
    }

    /**
     * Widens elements {@code [first, first + count)} of {@code data} to f32, exactly.
     *
     * @param data mapped elements of this tensor
     * @param shorts room for {@code count} values of 16 bits
     */
    void widen(MemorySegment data, long first, int count, short[] shorts, float[] out) {
        switch (tensor.type()) {
            case BF16 -> {
                copy(data, first, count, shorts);
                for (int i = 0; i < count; i++) {
                    out[i] = Float.intBitsToFloat(shorts[i] << 16);
                }
            }
            case F16 -> {
                copy(data, first, count, shorts);
                for (int i = 0; i < count; i++) {
                    out[i] = Float.float16ToFloat(shorts[i]);
                }
            }
            case F32 -> MemorySegment.copy(data, FLOAT, first * 4, out, 0, count);
            default -> throw new IllegalStateException(tensor.name() + " is " + tensor.type());
        }
    }

    /** Refuses NaN and infinity; {@code first} is the index of the first value in the tensor. */
    void requireFinite(float[] values, int count, long first) {
        int carry = 0; // an exponent of all ones is carried into the sign
        for (int i = 0; i < count; i++) {
            carry |= (Float.floatToRawIntBits(values[i]) & EXPONENT) + LEAST_EXPONENT;
        }
        if (carry >= 0) {
            return;
        }
        for (int i = 0; i < count; i++) {
            if (!Float.isFinite(values[i])) {
                throw error()
                        .problem("holds a value that is no number")
                        .expected("finite values")
                        .found(values[i] + " at index " + (first + i))
                        .cure("The weights are damaged or training diverged; nothing sensible can be made of them.")
                        .exception();
            }
        }
    }
}
