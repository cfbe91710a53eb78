package dev.tern.convert;

import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.ternary.Bfloat16;
import dev.tern.ternary.BlockQuantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Streams the embedding, the head and the norms in pieces of whole rows, rounded to nearest even, or quantized as ggml
 * does. Not thread-safe.
 */
final class FloatEncoder {
    /** Values and results of a piece stay in the second-level cache. */
    private static final int PIECE = 1 << 16;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ConversionSource source;
    private float[] values = new float[PIECE];
    private short[] halves = new short[PIECE];
    private @Nullable BlockQuantizer quantizer;
    private MemorySegment bytes = MemorySegment.ofArray(new byte[4 * PIECE]);

    FloatEncoder(ConversionSource source) {
        this.source = source;
    }

    /** Takes a piece. */
    @FunctionalInterface
    interface Sink {
        /**
         * @param offset from the start of the tensor, in bytes
         * @param piece gone after the call
         */
        void accept(long offset, MemorySegment piece);
    }

    /**
     * Hands the bytes of rows {@code [firstRow, endRow)} in {@code type} to {@code sink}, piece by piece.
     *
     * @throws InputException when a value is beyond the range of the type
     */
    void encode(SourceTensor tensor, GgmlType type, long firstRow, long endRow, Sink sink) {
        int cols = Math.toIntExact(tensor.cols());
        long step = Math.max(1, PIECE / cols);
        reserve(step * cols);
        ConversionSource.Floats floats = source.floats(tensor);
        for (long row = firstRow; row < endRow; row += step) {
            long rows = Math.min(step, endRow - row);
            int count = (int) (rows * cols);
            floats.read(row * cols, count, values);
            if (BlockQuantizer.supports(type)) {
                quantize(tensor, type, count);
                sink.accept(type.bytes(cols, row), bytes.asSlice(0, type.bytes(cols, rows)));
                continue;
            }
            boolean fits = switch (type) {
                case F16 -> toFloat16(count);
                case BF16 -> toBfloat16(count);
                case F32 -> true;
                default -> throw new IllegalArgumentException("embeddings as " + type);
            };
            if (!fits) {
                throw beyondRange(tensor, type, count);
            }
            if (type == GgmlType.F32) {
                MemorySegment.copy(values, 0, bytes, FLOAT, 0, count);
            } else {
                MemorySegment.copy(halves, 0, bytes, SHORT, 0, count);
            }
            sink.accept(type.bytes(cols, row), bytes.asSlice(0, type.bytes(cols, rows)));
        }
    }

    private void quantize(SourceTensor tensor, GgmlType type, int count) {
        if (quantizer == null || quantizer.type() != type) {
            quantizer = BlockQuantizer.of(type);
        }
        try {
            quantizer.quantize(values, 0, count, bytes, 0);
        } catch (IllegalArgumentException e) {
            throw beyondRange(tensor, type, count);
        }
    }

    /** Rows wider than a piece are pieces. */
    private void reserve(long count) {
        if (count > values.length) {
            int size = Math.toIntExact(count);
            values = new float[size];
            halves = new short[size];
            bytes = MemorySegment.ofArray(new byte[Math.multiplyExact(4, size)]);
        }
    }

    /** False when a value became infinite. */
    private boolean toFloat16(int count) {
        int room = 0;
        for (int i = 0; i < count; i++) {
            short half = Float.floatToFloat16(values[i]);
            halves[i] = half;
            room |= 0x7BFF - (half & 0x7FFF); // negative from infinity on
        }
        return room >= 0;
    }

    private boolean toBfloat16(int count) {
        int room = 0;
        for (int i = 0; i < count; i++) {
            short half = Bfloat16.of(values[i]);
            halves[i] = half;
            room |= 0x7F7F - (half & 0x7FFF);
        }
        return room >= 0;
    }

    private InputException beyondRange(SourceTensor tensor, GgmlType type, int count) {
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }
        return InputException.at(source.path())
                .tensor(tensor.source())
                .problem("holds a value of magnitude " + largest + ", which is beyond the range of " + type)
                .cure(type == GgmlType.BF16 ? "Choose f32." : "Choose --embedding-type bf16 or f32.")
                .exception();
    }
}
