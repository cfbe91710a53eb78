package dev.tern.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.tern.kernels.Activations;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/** What kernels read, filled with finite random numbers, the same for every instance; all of one arena. */
public final class RandomMemory {
    private final Arena arena;
    private final SplittableRandom random = new SplittableRandom(1);

    public RandomMemory(Arena arena) {
        this.arena = arena;
    }

    public Arena arena() {
        return arena;
    }

    /** Zeros. */
    public MemorySegment bytes(long count) {
        return arena.allocate(count, 64);
    }

    /** Floats of [-1, 1). */
    public MemorySegment floats(long count) {
        MemorySegment floats = bytes(4 * count);
        for (long i = 0; i < count; i++) {
            floats.setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
        return floats;
    }

    /** Bytes of packed 2-bit codes from 0 to 2. */
    public MemorySegment codes(long count) {
        MemorySegment codes = bytes(Math.ceilDiv(count, 8) * 8);
        for (long i = 0; i < count; i += 8) {
            // Where both bits of a code are set, the higher one is cleared: 3 becomes 1, and 0, 1, 2 stay.
            long bits = random.nextLong();
            codes.set(JAVA_LONG, i, bits & ~((bits & bits << 1) & 0xAAAA_AAAA_AAAA_AAAAL));
        }
        return codes.asSlice(0, count);
    }

    /** A ternary matrix; panels are packed by the kernels given. */
    public TernaryWeights ternary(Kernels kernels, int rows, int cols, TernaryLayout layout) {
        MemorySegment codes = codes(rows * TernaryWeights.rowBytes(cols));
        if (layout == TernaryLayout.ROWS) {
            return TernaryWeights.of(arena, codes, rows, cols, 0.02f);
        }
        MemorySegment panels = bytes(layout.bytes(rows, cols));
        TernaryWeights w = TernaryWeights.of(arena, panels, rows, cols, 0.02f, layout);
        kernels.ternaryPack(codes, 0, rows, w);
        return w;
    }

    /** A matrix for look-up tables: indices up to 7 are valid, whatever part of it they lie in. */
    public LutWeights lookedUp(LutKernels kernels, LutShape shape) {
        MemorySegment packed = bytes(Math.ceilDiv(shape.packedBytes(), 8) * 8);
        for (long i = 0; i < packed.byteSize(); i += 8) {
            packed.set(JAVA_LONG, i, random.nextLong() & 0x7777_7777_7777_7777L);
        }
        return LutWeights.of(arena, kernels, shape, packed, 0.02f);
    }

    /** A float matrix. */
    public FloatWeights matrix(int rows, int cols, FloatType type) {
        MemorySegment values = bytes(type.bytes((long) rows * cols));
        int block = type.isPlain() ? type.bytes() : (int) type.bytes(type.blockSize());
        for (long i = 0; i + 8 <= values.byteSize(); i += 8) {
            values.set(JAVA_LONG_UNALIGNED, i, random.nextLong());
        }
        for (long at = 0; at < values.byteSize(); at += block) { // of blocks the fp16 d, of plain floats all
            float number = (float) random.nextDouble(-1, 1);
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
        values.set(JAVA_SHORT_UNALIGNED, at, bits);
    }

    /** Random tokens, quantized by the kernels given. */
    public Activations activations(Kernels kernels, int tokens, int cols) {
        Activations a = Activations.allocate(arena, tokens, cols);
        kernels.quantize(floats((long) tokens * cols), cols, cols, 0, tokens, a);
        return a;
    }
}
