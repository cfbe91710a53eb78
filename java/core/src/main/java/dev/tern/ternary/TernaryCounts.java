package dev.tern.ternary;

import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * How often each value occurs in a ternary matrix. Weights made by absmean are about 31 % zeros; none at all betrays
 * {@code sign()}.
 */
public record TernaryCounts(long minus, long zero, long plus) {
    private static final VarHandle BYTES = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Bit 0 of each of eight bytes. */
    private static final long LOWEST = 0x0101_0101_0101_0101L;

    /** Counts T: bit 0 of a value says that it is not zero, bit 7 that it is negative. */
    public static TernaryCounts of(byte[] values) {
        long notZero = 0;
        long minus = 0;
        int whole = values.length & -8;
        for (int i = 0; i < whole; i += 8) {
            long eight = (long) BYTES.get(values, i);
            notZero += Long.bitCount(eight & LOWEST);
            minus += Long.bitCount(eight & LOWEST << 7);
        }
        for (int i = whole; i < values.length; i++) {
            notZero += values[i] & 1;
            minus += values[i] >>> 31;
        }
        return new TernaryCounts(minus, values.length - notZero, notZero - minus);
    }

    /** Counts valid codes in the run-time layout; the padding is left out. */
    public static TernaryCounts ofCodes(MemorySegment runtime, int rows, int cols) {
        long zero = 0;
        long plus = 0;
        long size = RuntimeLayout.byteSize(rows, cols);
        for (long at = 0; at < size; at += 8) {
            long codes = runtime.get(RuntimeLayout.LONG, at);
            zero += Long.bitCount(codes & RuntimeLayout.ZEROS);
            plus += Long.bitCount(codes >>> 1 & RuntimeLayout.ZEROS);
        }
        long all = (long) rows * cols;
        zero -= rows * (TernaryWeights.rowBytes(cols) * 4 - cols);
        return new TernaryCounts(all - zero - plus, zero, plus);
    }

    /** The number of weights. */
    public long all() {
        return minus + zero + plus;
    }

    /** The share of zeros, 0 to 1. */
    public double zeroShare() {
        return (double) zero / all();
    }

    /** The counts of both together. */
    public TernaryCounts plus(TernaryCounts other) {
        return new TernaryCounts(minus + other.minus, zero + other.zero, plus + other.plus);
    }
}
