package dev.tern.checkpoint;

import dev.tern.safetensors.SafetensorsType;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Makes (T, s) of a projection that is stored in floats. Nothing but the resulting bytes and a few chunks is held in
 * memory.
 *
 * <p>Floats of 16 bits take 65536 values at most. So they are counted by their bits, which gives the mean and any NaN,
 * and T is looked up by their bits: half the time of computing with every weight.
 */
final class FloatReader {
    /** The least mean that absmean divides by (transformers' {@code clamp_(min=1e-5)}). */
    private static final float LEAST_MEAN = 1e-5f;

    /** The bits of 0.5f; without the sign, bits order as the numbers do. */
    private static final int HALF = 0x3f000000;

    private static final int SHORTS = 1 << 16;

    private final StoredTensor stored;
    private final int rows;
    private final int cols;

    FloatReader(StoredTensor stored, int rows, int cols) {
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
     * Refuses a matrix that is ternary with several scales, for which there is no (T, s): it is not continuous, and
     * absmean would make something else of it. Continuous ones pass at the cost of two rows.
     */
    void requireOneScale() {
        ShardScales shards = new ShardScales(cols);
        boolean sliced = forChunks((values, count, first) -> {
            stored.requireFinite(values, count, first);
            return shards.accept(values, count, first);
        });
        if (sliced && shards.count() > 1) {
            throw stored.error()
                    .problem("is ternary, but with " + shards.count() + " scales, one for each slice of " + shards.direction()
                            + ", as models trained in parallel on slices of every matrix have them")
                    .expected("one scale for the matrix, the values -s, 0 and +s")
                    .found(shards.count() + " scales")
                    .cure("Give a model trained with one scale for a matrix; run this one in llama.cpp, whose tq1_0 and"
                            + " tq2_0 have a scale for every 256 weights of a row.")
                    .exception();
        }
    }

    /**
     * Floats that are ternary already, of that magnitude: T is their sign. An all-zero matrix gets absmean's least
     * scale.
     */
    TernaryMatrix signs(float magnitude) {
        return map(Math::signum, magnitude == 0 ? LEAST_MEAN : magnitude);
    }

    /**
     * Continuous floats, by absmean over the whole matrix as transformers' {@code AutoBitLinear} does it: m =
     * max(mean|W|, 1e-5), T = clamp(round(W * (1/m)), -1, 1), s = m, all in float32. The mean is summed in double, so
     * that its rounding to float32 is the only error.
     */
    TernaryMatrix absmean() {
        double sum = is16Bit() ? absoluteSumByCounting() : absoluteSum();
        float mean = Math.max((float) (sum / ((double) rows * cols)), LEAST_MEAN);
        float reciprocal = 1f / mean;
        return map(w -> clampedRint(w * reciprocal), mean);
    }

    /**
     * clamp(rint(w), -1, 1): rounding half to even sends 0.5 itself to 0, so it is the sign of whatever lies beyond.
     */
    private static int clampedRint(float w) {
        int bits = Float.floatToRawIntBits(w);
        int beyond = (HALF - (bits & Integer.MAX_VALUE)) >>> 31;
        int sign = bits >> 31;
        return (beyond ^ sign) - sign; // on the bits: a branch would be mispredicted at every third weight
    }

    private boolean is16Bit() {
        return stored.tensor().type() != SafetensorsType.F32;
    }

    private double absoluteSum() {
        double[] sum = new double[1];
        forChunks((values, count, first) -> {
            stored.requireFinite(values, count, first);
            for (int i = 0; i < count; i++) {
                sum[0] += Math.abs(values[i]);
            }
            return true;
        });
        return sum[0];
    }

    private double absoluteSumByCounting() {
        int[] counts = new int[SHORTS];
        forShorts((shorts, count, first) -> {
            for (int i = 0; i < count; i++) {
                counts[shorts[i] & 0xffff]++;
            }
        });
        double sum = 0;
        for (int bits = 0; bits < SHORTS; bits++) {
            if (counts[bits] != 0) {
                sum += counts[bits] * (double) Math.abs(stored.widen((short) bits));
            }
        }
        if (!Double.isFinite(sum)) {
            forChunks((values, count, first) -> {
                stored.requireFinite(values, count, first); // finds and names the culprit
                return true;
            });
        }
        return sum;
    }

    /** T of a weight. */
    @FunctionalInterface
    private interface Ternary {
        float of(float weight);
    }

    private TernaryMatrix map(Ternary ternary, float scale) {
        byte[] t = new byte[rows * cols];
        if (is16Bit()) {
            byte[] byBits = new byte[SHORTS];
            for (int bits = 0; bits < SHORTS; bits++) {
                byBits[bits] = (byte) ternary.of(stored.widen((short) bits));
            }
            forShorts((shorts, count, first) -> {
                for (int i = 0; i < count; i++) {
                    t[first + i] = byBits[shorts[i] & 0xffff];
                }
            });
        } else {
            forChunks((values, count, first) -> {
                for (int i = 0; i < count; i++) {
                    t[first + i] = (byte) ternary.of(values[i]);
                }
                return true;
            });
        }
        return new TernaryMatrix(rows, cols, t, scale);
    }

    @FunctionalInterface
    private interface Chunk {
        /** Whether to go on. */
        boolean accept(float[] values, int count, int first);
    }

    private boolean forChunks(Chunk chunk) {
        short[] shorts = new short[StoredTensor.CHUNK];
        float[] values = new float[StoredTensor.CHUNK];
        int elements = rows * cols;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = stored.map(arena);
            for (int first = 0, count; first < elements; first += count) {
                count = Math.min(StoredTensor.CHUNK, elements - first);
                stored.widen(data, first, count, shorts, values);
                if (!chunk.accept(values, count, first)) {
                    return false;
                }
            }
        }
        return true;
    }

    @FunctionalInterface
    private interface Shorts {
        void accept(short[] shorts, int count, int first);
    }

    private void forShorts(Shorts chunk) {
        short[] shorts = new short[StoredTensor.CHUNK];
        int elements = rows * cols;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = stored.map(arena);
            for (int first = 0, count; first < elements; first += count) {
                count = Math.min(StoredTensor.CHUNK, elements - first);
                stored.copy(data, first, count, shorts);
                chunk.accept(shorts, count, first);
            }
        }
    }
}
