package dev.tern.checkpoint;

import dev.tern.safetensors.SafetensorsType;
import dev.tern.ternary.TernaryRows;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * (T, s) of a projection that is stored in floats. T of a weight depends on its magnitude's bits alone, since bits
 * order as magnitudes do and rounding is monotone: it is 0 up to a limit, and the sign beyond.
 */
final class FloatRows implements TernaryRows {
    /** The least mean that absmean divides by (transformers' {@code clamp_(min=1e-5)}). */
    private static final float LEAST_MEAN = 1e-5f;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** The lowest bit of each of four 16-bit lanes. */
    private static final long ONES = 0x0001_0001_0001_0001L;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final StoredTensor stored;
    private final int rows;
    private final int cols;
    private final float scale;
    private final int limit;
    private final boolean wide;
    private final byte[] data;
    private final long[] fours;
    private final int[] ints;

    /** @param limit bits (of the element's width, without the sign) of the largest magnitude whose T is 0 */
    private FloatRows(StoredTensor stored, int rows, int cols, float scale, int limit) {
        this.stored = stored;
        this.rows = rows;
        this.cols = cols;
        this.scale = scale;
        this.limit = limit;
        this.wide = stored.tensor().type() == SafetensorsType.F32;
        int chunk = (int) Math.min(StoredTensor.CHUNK, (long) rows * cols);
        this.data = new byte[Math.ceilDiv(chunk, 4) * 4 * stored.elementBytes()]; // whole longs
        this.fours = new long[wide ? 0 : Math.ceilDiv(chunk, 8) * 2];
        this.ints = new int[wide ? chunk : 0];
    }

    /**
     * Floats that are ternary already, of that magnitude: T is their sign. An all-zero matrix gets absmean's least
     * scale.
     */
    static FloatRows signs(StoredTensor stored, int rows, int cols, float magnitude) {
        return new FloatRows(stored, rows, cols, magnitude == 0 ? LEAST_MEAN : magnitude, 0);
    }

    /**
     * Continuous floats, by absmean over the whole matrix as transformers' {@code AutoBitLinear} does it: m =
     * max(mean|W|, 1e-5), T = clamp(round(W * (1/m)), -1, 1), s = m, all in float32. Rounding half to even sends 0.5
     * itself to 0, so T is 0 while |W| * (1/m), rounded to float32, is at most 0.5.
     */
    static FloatRows absmean(StoredTensor stored, int rows, int cols, float mean) {
        float scale = Math.max(mean, LEAST_MEAN);
        return new FloatRows(stored, rows, cols, scale, limit(stored, 1f / scale));
    }

    /** The largest bits of a magnitude that times {@code reciprocal} is at most 0.5, found by halving. */
    private static int limit(StoredTensor stored, float reciprocal) {
        boolean wide = stored.tensor().type() == SafetensorsType.F32;
        int low = 0; // zero itself is within
        int high = wide ? Float.floatToRawIntBits(Float.POSITIVE_INFINITY) : 0x7FFF;
        while (low + 1 < high) {
            int middle = low + high >>> 1;
            float w = wide ? Float.intBitsToFloat(middle) : stored.widen((short) middle);
            if (w * reciprocal <= 0.5f) { // false for NaN
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }

    @Override
    public int rows() {
        return rows;
    }

    @Override
    public int cols() {
        return cols;
    }

    @Override
    public float scale() {
        return scale;
    }

    @Override
    public void read(int firstRow, int count, byte[] t) {
        long from = (long) firstRow * cols;
        int weights = Math.multiplyExact(count, cols);
        int chunk = data.length / stored.elementBytes(); // a multiple of four
        for (int done = 0; done < weights; done += chunk) {
            int now = Math.min(chunk, weights - done);
            stored.read(from + done, now, data);
            if (wide) {
                MemorySegment.copy(MemorySegment.ofArray(data), INT, 0, ints, 0, now);
                ternary(ints, now, limit, t, done);
            } else {
                int longs = Math.ceilDiv(now, 4);
                MemorySegment.copy(MemorySegment.ofArray(data), LONG, 0, fours, 0, longs);
                ternary(fours, longs, limit);
                store(fours, now, t, done);
            }
        }
    }

    /**
     * Four weights of 16 bits in each long become four bytes in its lower half: a loop of nothing but shifts and bits,
     * which the JIT makes vectors of.
     */
    private static void ternary(long[] w, int longs, int limit) {
        long above = limit * ONES | 0x8000 * ONES;
        for (int i = 0; i < longs; i++) {
            long bits = w[i];
            long beyond = ~(above - (bits & 0x7FFF * ONES)) >>> 15 & ONES; // bit 15 survives up to the limit
            long negative = bits >>> 15 & beyond;
            long lanes = beyond | (negative << 8) - negative; // 1, or 255
            long pairs = (lanes | lanes >>> 8) & 0x0000_FFFF_0000_FFFFL;
            w[i] = (pairs | pairs >>> 16) & 0xFFFF_FFFFL;
        }
    }

    private static void store(long[] fours, int count, byte[] t, int to) {
        int whole = count & -8;
        for (int i = 0; i < whole; i += 8) {
            BYTES.set(t, to + i, fours[i / 4] | fours[i / 4 + 1] << 32);
        }
        for (int i = whole; i < count; i++) {
            t[to + i] = (byte) (fours[i / 4] >>> 8 * (i % 4));
        }
    }

    /** Without a branch, which would be mispredicted at every third weight. */
    private static void ternary(int[] w, int count, int limit, byte[] t, int to) {
        for (int i = 0; i < count; i++) {
            int bits = w[i];
            int beyond = limit - (bits & 0x7FFF_FFFF) >> 31;
            t[to + i] = (byte) (beyond & (bits >> 31 | 1));
        }
    }
}
