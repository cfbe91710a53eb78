package dev.tern.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Looks for numbers that are not finite: in tensors of floats, and in the scales of ggml's blocks, whose weights are
 * finite where these are. Tensors are read by position, 4 MiB at a time, so that the largest embedding fills no memory.
 * Stateless and thread-safe.
 */
public final class FiniteCheck {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int PIECE = 1 << 22;

    private FiniteCheck() {}

    /**
     * Where a number that is not finite stands.
     *
     * @param row of the tensor, all dimensions behind the first counted through
     * @param column of the value, or the first of the block
     * @param scale whether it is the scale of a block
     */
    public record Place(long row, long column, boolean scale) {
        /** In words that continue a sentence: "row 0, column 2 is no finite number". */
        @Override
        public String toString() {
            String at = "row " + row + ", column " + column;
            return (scale ? "the scale of the block at " + at : at) + " is no finite number";
        }
    }

    /** Whether it is known where a type has its floats. */
    public static boolean supports(GgmlType type) {
        return type.isFloat() || type.scaleOffset().isPresent();
    }

    /**
     * The first number of a tensor that is not finite.
     *
     * @throws IllegalArgumentException when the type is not {@link #supports supported}
     * @throws dev.tern.io.InputException when the file has become unreadable since it was opened
     */
    public static Optional<Place> first(GgufFile file, GgufTensor tensor) {
        GgmlType type = tensor.type();
        if (!supports(type)) {
            throw new IllegalArgumentException("nothing is known of the floats in " + type);
        }
        int stride = type.blockBytes();
        int offset = type.scaleOffset().orElse(0);
        byte[] buffer = new byte[(int) Math.min(PIECE / stride * stride, tensor.byteSize())];
        for (long from = 0; from < tensor.byteSize(); from += buffer.length) {
            int bytes = (int) Math.min(buffer.length, tensor.byteSize() - from);
            MemorySegment piece = MemorySegment.ofArray(buffer).asSlice(0, bytes);
            file.read(tensor, from, piece);
            for (int at = offset; at < bytes; at += stride) {
                if (!isFinite(type, piece, at)) {
                    long element = (from + at) / stride * type.blockSize();
                    return Optional.of(new Place(element / tensor.cols(), element % tensor.cols(), !type.isFloat()));
                }
            }
        }
        return Optional.empty();
    }

    /** Infinities and NaN have all bits of the exponent. */
    private static boolean isFinite(GgmlType type, MemorySegment piece, int at) {
        return switch (type) {
            case F32 -> (piece.get(INT, at) & 0x7F80_0000) != 0x7F80_0000;
            case BF16 -> (piece.get(SHORT, at) & 0x7F80) != 0x7F80;
            default -> (piece.get(SHORT, at) & 0x7C00) != 0x7C00; // F16, and the scales of blocks
        };
    }
}
