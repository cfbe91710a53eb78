package dev.tern.inspect;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Looks at the stored numbers of tensors, whatever they should be. */
final class WeightCheck {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Codes 0, 1, 2 four times: the largest byte of a packed matrix. */
    private static final int LARGEST_PACKED = 0b10101010;

    private WeightCheck() {}

    /** Whether a tensor of floats or bytes holds nothing but what bytes of four codes can be: whole numbers, beyond 2. */
    static boolean holdsPackedBytes(GgufFile file, GgufTensor tensor) {
        if (tensor.type() == GgmlType.I8) {
            return true;
        }
        if (!tensor.type().isFloat()) {
            return false;
        }
        MemorySegment data = file.data(tensor);
        boolean beyondTwo = false;
        for (long i = 0; i < tensor.elements(); i++) {
            float value = value(data, tensor.type(), i);
            if (!(value >= 0 && value <= LARGEST_PACKED && value == Math.rint(value))) {
                return false;
            }
            beyondTwo |= value > 2;
        }
        return beyondTwo;
    }

    /** Whether the blocks of a quantized tensor have different scales, as no ternary matrix of one scale has. */
    static boolean blocksDiffer(GgufFile file, GgufTensor tensor) {
        if (tensor.type().scaleOffset().isEmpty()) {
            return false;
        }
        int at = tensor.type().scaleOffset().getAsInt();
        MemorySegment data = file.data(tensor);
        int first = 0;
        for (long block = at; block < tensor.byteSize(); block += tensor.type().blockBytes()) {
            int scale = data.get(SHORT, block) & 0x7FFF; // Q4_0 has signed scales
            if (scale != 0 && first != 0 && scale != first) {
                return true;
            }
            first = scale == 0 ? first : scale;
        }
        return false;
    }

    private static float value(MemorySegment data, GgmlType type, long index) {
        return switch (type) {
            case F32 -> data.get(FLOAT, 4 * index);
            case F16 -> Float.float16ToFloat(data.get(SHORT, 2 * index));
            default -> Float.intBitsToFloat(data.get(SHORT, 2 * index) << 16);
        };
    }
}
