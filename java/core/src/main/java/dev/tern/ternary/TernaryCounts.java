package dev.tern.ternary;

import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;

/**
 * How often each value occurs in a ternary matrix. Weights made by absmean are about 31 % zeros; none at all betrays
 * {@code sign()}.
 */
public record TernaryCounts(long minus, long zero, long plus) {
    private static final int PIECE = 1 << 16;

    /** Counts T. */
    public static TernaryCounts of(byte[] values) {
        long sum = 0;
        long notZero = 0;
        for (long piece = 0; piece < values.length; piece += PIECE) {
            int end = (int) Math.min(values.length, piece + PIECE);
            int partialSum = 0; // ints, which are summed eight at a time
            int partialNotZero = 0;
            for (int i = (int) piece; i < end; i++) {
                partialSum += values[i];
                partialNotZero += values[i] & 1;
            }
            sum += partialSum;
            notZero += partialNotZero;
        }
        return new TernaryCounts((notZero - sum) / 2, values.length - notZero, (notZero + sum) / 2);
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
