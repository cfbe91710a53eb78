package dev.tern.checkpoint;

import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Makes the canonical (T, s) of a projection, from floats or from two packed bits. Nothing but the resulting bytes and
 * a few chunks is held in memory.
 */
final class TernaryReader {
    /** The least mean that absmean divides by (transformers' {@code clamp_(min=1e-5)}). */
    private static final float LEAST_MEAN = 1e-5f;

    /** The bits of 0.5f; without the sign, bits order as the numbers do. */
    private static final int HALF = 0x3f000000;

    private final StoredTensor stored;
    private final int rows;
    private final int cols;

    TernaryReader(StoredTensor stored, int rows, int cols) {
        this.stored = stored;
        this.rows = rows;
        this.cols = cols;
    }

    /**
     * The magnitude s when no values but -s, 0 and +s occur; 0 when all are zero; NaN when the values are continuous.
     * Stops at the first value that decides.
     */
    float ternaryMagnitude() {
        float[] magnitude = {0};
        boolean ternary = forChunks((values, count, first) -> {
            for (int i = 0; i < count; i++) {
                float a = Math.abs(values[i]);
                if (a != 0 && a != magnitude[0]) {
                    if (magnitude[0] != 0) {
                        return false;
                    }
                    stored.requireFinite(values, count, first);
                    magnitude[0] = a;
                }
            }
            return true;
        });
        return ternary ? magnitude[0] : Float.NaN;
    }

    /**
     * Floats that are ternary already, of that magnitude: T is their sign. An all-zero matrix gets absmean's least
     * scale.
     */
    TernaryMatrix signs(float magnitude) {
        byte[] t = new byte[rows * cols];
        forChunks((values, count, first) -> {
            for (int i = 0; i < count; i++) {
                t[(int) first + i] = (byte) Math.signum(values[i]);
            }
            return true;
        });
        return new TernaryMatrix(rows, cols, t, magnitude == 0 ? LEAST_MEAN : magnitude);
    }

    /**
     * Continuous floats, by absmean over the whole matrix as transformers' {@code AutoBitLinear} does it: m =
     * max(mean|W|, 1e-5), T = clamp(round(W * (1/m)), -1, 1), s = m, all in float32. The mean is summed in double, so
     * that its rounding to float32 is the only error.
     */
    TernaryMatrix absmean() {
        double[] sum = new double[1];
        forChunks((values, count, first) -> {
            double chunkSum = absoluteSum(values, count);
            if (!Double.isFinite(chunkSum)) { // finite floats cannot reach infinity in double
                stored.requireFinite(values, count, first);
            }
            sum[0] += chunkSum;
            return true;
        });
        float mean = Math.max((float) (sum[0] / ((double) rows * cols)), LEAST_MEAN);
        float reciprocal = 1f / mean;
        byte[] t = new byte[rows * cols];
        forChunks((values, count, first) -> {
            for (int i = 0; i < count; i++) {
                t[(int) first + i] = clampedRint(values[i] * reciprocal);
            }
            return true;
        });
        return new TernaryMatrix(rows, cols, t, mean);
    }

    /**
     * clamp(rint(w), -1, 1): rounding half to even sends 0.5 itself to 0, so it is the sign of whatever lies beyond.
     * Done on the bits, as a branch on random weights is mispredicted at every third of them.
     */
    private static byte clampedRint(float w) {
        int bits = Float.floatToRawIntBits(w);
        int beyond = (HALF - (bits & Integer.MAX_VALUE)) >>> 31;
        int sign = bits >> 31;
        return (byte) ((beyond ^ sign) - sign);
    }

    /** Four running sums, as one would wait for each addition before the next. */
    private static double absoluteSum(float[] values, int count) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i + 4 <= count; i += 4) {
            a += Math.abs(values[i]);
            b += Math.abs(values[i + 1]);
            c += Math.abs(values[i + 2]);
            d += Math.abs(values[i + 3]);
        }
        for (; i < count; i++) {
            a += Math.abs(values[i]);
        }
        return (a + b) + (c + d);
    }

    /**
     * Packed codes T + 1. With n = ceil(rows/4), packed row j holds rows j, j+n, j+2n, j+3n in bits 1:0, 3:2, 5:4, 7:6;
     * rows beyond the matrix are padding, and their bits are not looked at.
     */
    TernaryMatrix unpack(float scale) {
        int packedRows = Math.ceilDiv(rows, 4);
        byte[] packed = new byte[cols];
        byte[] t = new byte[rows * cols];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = stored.map(arena);
            for (int j = 0; j < packedRows; j++) {
                MemorySegment.copy(data, ValueLayout.JAVA_BYTE, (long) j * cols, packed, 0, cols);
                for (int quarter = 0; quarter < 4; quarter++) {
                    long row = (long) quarter * packedRows + j;
                    if (row < rows && unpackRow(packed, 2 * quarter, t, (int) row * cols)) {
                        throw forbiddenCode(packed, 2 * quarter, row);
                    }
                }
            }
        }
        return new TernaryMatrix(rows, cols, t, scale);
    }

    /** Whether the forbidden code 3 occurred. */
    private static boolean unpackRow(byte[] packed, int shift, byte[] t, int to) {
        int forbidden = 0;
        for (int k = 0; k < packed.length; k++) {
            int code = (packed[k] >> shift) & 3;
            forbidden |= code & (code >> 1);
            t[to + k] = (byte) (code - 1);
        }
        return forbidden != 0;
    }

    private RuntimeException forbiddenCode(byte[] packed, int shift, long row) {
        int col = 0;
        while (((packed[col] >> shift) & 3) != 3) {
            col++;
        }
        return stored.error()
                .problem("holds a code that stands for no ternary value")
                .expected("0, 1 or 2")
                .found("3 at row " + row + ", column " + col)
                .cure("The file is damaged or packed in another way: download it again.")
                .exception();
    }

    @FunctionalInterface
    private interface Chunk {
        /** Whether to go on. */
        boolean accept(float[] values, int count, long first);
    }

    private boolean forChunks(Chunk chunk) {
        short[] shorts = new short[StoredTensor.CHUNK];
        float[] values = new float[StoredTensor.CHUNK];
        long elements = (long) rows * cols;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = stored.map(arena);
            for (long first = 0; first < elements; first += StoredTensor.CHUNK) {
                int count = (int) Math.min(StoredTensor.CHUNK, elements - first);
                stored.widen(data, first, count, shorts, values);
                if (!chunk.accept(values, count, first)) {
                    return false;
                }
            }
        }
        return true;
    }
}
