package dev.tern.ternary;

import dev.tern.gguf.GgmlType;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Quantizers for real-valued rows, the embedding's and the head's: Q8_0 (8.5 bits a weight) and Q6_K (6.5625). They
 * give the bytes of ggml's reference quantizers ({@code quantize_row_q8_0_ref}, {@code quantize_row_q6_K_ref}), bit for
 * bit.
 *
 * <p>Holds scratch memory: not thread-safe, one for each thread.
 */
public abstract sealed class BlockQuantizer permits Q8Quantizer, Q6kQuantizer {
    private final GgmlType type;

    BlockQuantizer(GgmlType type) {
        this.type = type;
    }

    /** Whether there is a quantizer for this type. */
    public static boolean supports(GgmlType type) {
        return type == GgmlType.Q8_0 || type == GgmlType.Q6_K;
    }

    /**
     * A quantizer.
     *
     * @param type Q8_0 or Q6_K
     * @throws IllegalArgumentException for any other type
     */
    public static BlockQuantizer of(GgmlType type) {
        return switch (type) {
            case Q8_0 -> new Q8Quantizer();
            case Q6_K -> new Q6kQuantizer();
            default -> throw new IllegalArgumentException("there is no quantizer for " + type);
        };
    }

    /** Q8_0 or Q6_K. */
    public final GgmlType type() {
        return type;
    }

    /** Why a matrix of these dimensions cannot be held, or empty. */
    public final Optional<String> obstacle(int rows, int cols) {
        return cols % type.blockSize() == 0
                ? Optional.empty()
                : Optional.of(type + " stores rows in blocks of " + type.blockSize() + ", and " + cols
                        + " columns are no multiple of that");
    }

    /**
     * Quantizes {@code values[from .. from + count)}.
     *
     * @param count a multiple of the type's block
     * @param out where {@code count / blockSize * blockBytes} bytes are written from {@code at} on
     * @throws IllegalArgumentException when a value is not finite or beyond the range of the type, or {@code count} is
     *     no multiple of the block
     */
    public final void quantize(float[] values, int from, int count, MemorySegment out, long at) {
        requireWholeBlocks(count);
        int infinite = 0x7F80_0000;
        int largest = 0; // magnitudes as integers are ordered as the floats, NaNs on top
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & 0x7FFF_FFFF);
        }
        if (largest >= infinite || Float.intBitsToFloat(largest) > limit()) {
            throw new IllegalArgumentException("a value of magnitude " + Float.intBitsToFloat(largest)
                    + " is beyond the range of " + type);
        }
        quantizeBlocks(values, from, count, out, at);
    }

    /** The largest magnitude whose block has a finite scale. */
    abstract float limit();

    abstract void quantizeBlocks(float[] values, int from, int count, MemorySegment out, long at);

    /**
     * What {@code count} stored weights are, exactly: every product fits in a float.
     *
     * @param in blocks from {@code at} on
     * @param count a multiple of the type's block
     */
    public abstract void dequantize(MemorySegment in, long at, int count, float[] out, int to);

    final void requireWholeBlocks(int count) {
        if (count % type.blockSize() != 0) {
            throw new IllegalArgumentException(type + ": " + count + " is no multiple of " + type.blockSize());
        }
    }
}
