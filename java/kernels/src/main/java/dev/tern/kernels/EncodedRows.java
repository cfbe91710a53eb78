package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;

/** Random rows of a ternary matrix as files store them, for the kernels to be tried on. */
final class EncodedRows {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private EncodedRows() {}

    /**
     * Fills memory with blocks.
     *
     * @param scale which fp16 and BF16 hold
     */
    static void fill(TernaryEncoding encoding, MemorySegment blocks, float scale, RandomGenerator random) {
        for (long at = 0; at < blocks.byteSize(); at += encoding.blockBytes()) {
            fill(encoding, blocks.asSlice(at, encoding.blockBytes()), Float.floatToFloat16(scale), random);
        }
    }

    private static void fill(TernaryEncoding encoding, MemorySegment block, short d, RandomGenerator random) {
        switch (encoding) {
            case TQ1_0 -> {
                for (int i = 0; i < 52; i++) {
                    int q = i < 48 ? random.nextInt(243) : 3 * random.nextInt(81); // the last four: a fifth trit 0
                    block.set(JAVA_BYTE, i, (byte) ((256 * q + 242) / 243));
                }
                block.set(SHORT, 52, d);
            }
            case TQ2_0 -> {
                codes(block.asSlice(0, 64), 2, 3, 0, random);
                block.set(SHORT, 64, d);
            }
            case Q2_K -> {
                block.asSlice(0, 16).fill((byte) 0x11);
                codes(block.asSlice(16, 64), 2, 3, 0, random);
                block.set(SHORT, 80, d);
                block.set(SHORT, 82, d);
            }
            case Q4_0 -> {
                block.set(SHORT, 0, d);
                codes(block.asSlice(2, 16), 4, 3, 7, random);
            }
            case Q8_0 -> {
                block.set(SHORT, 0, d);
                codes(block.asSlice(2, 32), 8, 3, -1, random);
            }
            case F16, BF16, F32 -> {
                float weight = Float.float16ToFloat(d) * (random.nextInt(3) - 1);
                int bits = encoding == TernaryEncoding.F16
                        ? Float.floatToFloat16(weight)
                        : Float.floatToRawIntBits(weight) >> (encoding == TernaryEncoding.BF16 ? 16 : 0);
                for (int i = 0; i < block.byteSize(); i++) {
                    block.set(JAVA_BYTE, i, (byte) (bits >> 8 * i));
                }
            }
        }
    }

    /** Bytes of values of {@code width} bits, each from {@code least} to less than {@code least + count}. */
    private static void codes(MemorySegment bytes, int width, int count, int least, RandomGenerator random) {
        for (long at = 0; at < bytes.byteSize(); at++) {
            int value = 0;
            for (int shift = 0; shift < 8; shift += width) {
                value |= least + random.nextInt(count) << shift;
            }
            bytes.set(JAVA_BYTE, at, (byte) value);
        }
    }
}
