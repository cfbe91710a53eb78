package dev.tern.checkpoint;

import dev.tern.io.InputException;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.safetensors.SafetensorsTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A tensor in its file, and its real values. */
record StoredTensor(SafetensorsFile file, SafetensorsTensor tensor) {
    /** Elements read at a time: their bytes and what becomes of them stay in the second-level cache. */
    static final int CHUNK = 1 << 16;

    private static final int EXPONENT = 0x7f800000;
    private static final int LEAST_EXPONENT = 0x00800000;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORTS =
            MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bytes of an element. */
    int elementBytes() {
        return tensor.type().bits() / 8;
    }

    /** Copies the bytes of elements {@code [first, first + count)} to the front of {@code out}. */
    void read(long first, int count, byte[] out) {
        long size = elementBytes();
        file.read(tensor, first * size, MemorySegment.ofArray(out).asSlice(0, count * size));
    }

    /** An error in this tensor. */
    InputException.Builder error() {
        return InputException.at(file.path()).tensor(tensor.name());
    }

    /** The bits of the first {@code count} elements in {@code data}, for types of 16 bits. */
    void shorts(byte[] data, int count, short[] out) {
        MemorySegment.copy(MemorySegment.ofArray(data), SHORT, 0, out, 0, count);
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
     * Widens the first {@code count} elements in {@code data} to f32, exactly.
     *
     * @param data bytes of elements of this tensor
     */
    void widen(byte[] data, int count, float[] out) {
        switch (tensor.type()) {
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.intBitsToFloat((short) SHORTS.get(data, 2 * i) << 16);
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.float16ToFloat((short) SHORTS.get(data, 2 * i));
                }
            }
            case F32 -> MemorySegment.copy(MemorySegment.ofArray(data), FLOAT, 0, out, 0, count);
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
