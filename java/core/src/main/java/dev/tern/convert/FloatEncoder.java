package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.ternary.Bfloat16;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/** Streams the embedding, the head and the norms in pieces, rounded to nearest even. Not thread-safe. */
final class FloatEncoder {
    private static final int PIECE = 1 << 20;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Checkpoint checkpoint;
    private final MemorySegment floats;
    private final MemorySegment bytes;

    FloatEncoder(Checkpoint checkpoint, Arena arena) {
        this.checkpoint = checkpoint;
        this.floats = arena.allocate(4L * PIECE, 64);
        this.bytes = arena.allocate(4L * PIECE, 64);
    }

    /**
     * Hands the tensor's bytes in {@code type} to {@code sink}, piece by piece; a piece is gone after the call.
     *
     * @throws InputException when a value is beyond the range of the type
     */
    void encode(CheckpointTensor tensor, GgmlType type, Consumer<MemorySegment> sink) {
        for (long first = 0; first < tensor.elements(); first += PIECE) {
            int count = (int) Math.min(PIECE, tensor.elements() - first);
            checkpoint.readFloats(tensor, first, count, floats);
            for (int i = 0; i < count; i++) {
                float value = floats.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
                if (!put(type, i, value)) {
                    throw InputException.at(checkpoint.folder())
                            .tensor(tensor.source())
                            .problem("holds " + value + ", which is beyond the range of " + type)
                            .cure(type == GgmlType.F16 ? "Choose --embedding-type bf16 or f32." : "Choose f32.")
                            .exception();
                }
            }
            sink.accept(bytes.asSlice(0, (long) count * type.blockBytes()));
        }
    }

    /** False when the value became infinite. */
    private boolean put(GgmlType type, int i, float value) {
        switch (type) {
            case F16 -> {
                short half = Float.floatToFloat16(value);
                bytes.set(SHORT, 2L * i, half);
                return (half & 0x7FFF) != 0x7C00;
            }
            case BF16 -> {
                short half = Bfloat16.of(value);
                bytes.set(SHORT, 2L * i, half);
                return (half & 0x7FFF) != 0x7F80;
            }
            case F32 -> {
                bytes.set(INT, 4L * i, Float.floatToRawIntBits(value));
                return true;
            }
            default -> throw new IllegalArgumentException("embeddings as " + type);
        }
    }
}
