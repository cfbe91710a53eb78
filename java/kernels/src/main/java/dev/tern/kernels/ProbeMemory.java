package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Memory filled with finite numbers, the same for every instance. */
final class ProbeMemory {
    private final Arena arena;
    private final RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);

    ProbeMemory(Arena arena) {
        this.arena = arena;
    }

    Arena arena() {
        return arena;
    }

    /** Zeros. */
    MemorySegment bytes(long n) {
        return arena.allocate(n, 64);
    }

    /** Copies, one after the other. */
    MemorySegment joined(MemorySegment... parts) {
        MemorySegment all = bytes(Arrays.stream(parts).mapToLong(MemorySegment::byteSize).sum());
        long at = 0;
        for (MemorySegment part : parts) {
            MemorySegment.copy(part, 0, all, at, part.byteSize());
            at += part.byteSize();
        }
        return all;
    }

    /** Floats of [-1, 1). */
    MemorySegment floats(long n) {
        MemorySegment floats = bytes(n * 4);
        for (long i = 0; i < n; i++) {
            floats.setAtIndex(JAVA_FLOAT, i, random.nextFloat() * 2 - 1);
        }
        return floats;
    }

    /** Packed codes from 0 to 2. */
    MemorySegment codes(long n) {
        MemorySegment codes = bytes(n);
        for (long i = 0; i < n; i++) {
            int byteOfCodes = 0;
            for (int k = 0; k < 4; k++) {
                byteOfCodes = byteOfCodes << 2 | random.nextInt(3);
            }
            codes.set(JAVA_BYTE, i, (byte) byteOfCodes);
        }
        return codes;
    }

    /** Rows of packed codes; those of columns that pad a row are 1. */
    MemorySegment codes(int rows, int cols) {
        long rowBytes = TernaryWeights.rowBytes(cols);
        MemorySegment codes = codes(rows * rowBytes);
        for (int row = 0; row < rows; row++) {
            for (long c = cols; c < rowBytes * 4; c++) {
                long at = row * rowBytes + c / 128 * 32 + c % 32;
                int shift = (int) (6 - 2 * (c % 128 / 32));
                codes.set(JAVA_BYTE, at, (byte) (codes.get(JAVA_BYTE, at) & ~(3 << shift) | 1 << shift));
            }
        }
        return codes;
    }

    /** Rows of a ternary matrix of scale 0.75. */
    MemorySegment encoded(TernaryEncoding encoding, int rows, int cols) {
        MemorySegment blocks = bytes(rows * encoding.rowBytes(cols));
        EncodedRows.fill(encoding, blocks, 0.75f, random);
        return blocks;
    }

    /** A float matrix whose elements are finite. */
    FloatWeights matrix(int rows, int cols, FloatType type) {
        long elements = (long) rows * cols;
        MemorySegment values = bytes(type.bytes(elements));
        int block = type.isPlain() ? type.bytes() : (int) type.bytes(type.blockSize());
        for (long i = 0; i < values.byteSize(); i++) {
            values.set(JAVA_BYTE, i, (byte) random.nextInt());
        }
        for (long at = 0; at < values.byteSize(); at += block) { // of blocks the fp16 d, of plain floats all
            float number = random.nextFloat() * 2 - 1;
            switch (type) {
                case F32 -> values.set(JAVA_FLOAT, at, number);
                case BF16 -> half(values, at, (short) (Float.floatToRawIntBits(number) >> 16));
                case F16, Q8_0 -> half(values, at, Float.floatToFloat16(number));
                case Q6_K -> half(values, at + block - 2, Float.floatToFloat16(number));
            }
        }
        return FloatWeights.of(arena, values, rows, cols, type);
    }

    private static void half(MemorySegment values, long at, short bits) {
        values.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, bits);
    }

    /** Random tokens, quantized. */
    Activations activations(Kernels kernels, int tokens, int cols) {
        Activations a = Activations.allocate(arena, tokens, cols);
        kernels.quantize(floats((long) tokens * cols), cols, cols, 0, tokens, a);
        return a;
    }
}
