package dev.tern.convert;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.ternary.Bfloat16;
import dev.tern.ternary.BlockQuantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Streams the embedding, the head and the norms in pieces, rounded to nearest even, or quantized as ggml does. Not thread-safe.
 */
final class FloatEncoder {
    /** Values and results of a piece stay in the second-level cache; a multiple of every block. */
    private static final int PIECE = 1 << 16;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Checkpoint checkpoint;
    private final String architecture;
    private final float[] values = new float[PIECE];
    private final short[] halves = new short[PIECE];
    private final MemorySegment bytes;

    /** @param architecture of the file, which decides the order of some rows */
    FloatEncoder(Checkpoint checkpoint, String architecture, Arena arena) {
        this.checkpoint = checkpoint;
        this.architecture = architecture;
        this.bytes = arena.allocate(4L * PIECE, 64);
    }

    /**
     * Hands the tensor's bytes in {@code type} to {@code sink}, piece by piece; a piece is gone after the call.
     *
     * @throws InputException when a value is beyond the range of the type
     */
    void encode(CheckpointTensor tensor, GgmlType type, Consumer<MemorySegment> sink) {
        Optional<BlockQuantizer> quantizer =
                BlockQuantizer.supports(type) ? Optional.of(BlockQuantizer.of(type)) : Optional.empty();
        for (long first = 0; first < tensor.elements(); first += PIECE) {
            int count = (int) Math.min(PIECE, tensor.elements() - first);
            read(tensor, first, count);
            if (quantizer.isPresent()) {
                quantize(quantizer.get(), tensor, count, sink);
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
            sink.accept(bytes.asSlice(0, (long) count * type.blockBytes()));
        }
    }

    private void quantize(
            BlockQuantizer quantizer, CheckpointTensor tensor, int count, Consumer<MemorySegment> sink) {
        try {
            quantizer.quantize(values, 0, count, bytes, 0);
        } catch (IllegalArgumentException e) {
            throw beyondRange(tensor, quantizer.type(), count);
        }
        GgmlType type = quantizer.type();
        sink.accept(bytes.asSlice(0, (long) count / type.blockSize() * type.blockBytes()));
    }

    private void read(CheckpointTensor tensor, long first, int count) {
        MemorySegment to = MemorySegment.ofArray(values);
        if (!RopePermutation.interleavesFloats(tensor.name(), architecture)) {
            checkpoint.readFloats(tensor, first, count, to);
            return;
        }
        int cols = tensor.cols();
        int headDim = checkpoint.hyperparameters().headDim();
        for (int done = 0; done < count; ) {
            int col = (int) ((first + done) % cols);
            int now = Math.min(cols - col, count - done);
            long row = RopePermutation.sourceRow((first + done) / cols, headDim);
            checkpoint.readFloats(tensor, row * cols + col, now, to.asSlice(4L * done, 4L * now));
            done += now;
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

    private InputException beyondRange(CheckpointTensor tensor, GgmlType type, int count) {
        float largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
        }
        return InputException.at(checkpoint.folder())
                .tensor(tensor.source())
                .problem("holds a value of magnitude " + largest + ", which is beyond the range of " + type)
                .cure(type == GgmlType.BF16 ? "Choose f32." : "Choose --embedding-type bf16 or f32.")
                .exception();
    }
}
