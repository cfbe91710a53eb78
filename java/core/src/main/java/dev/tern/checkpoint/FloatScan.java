package dev.tern.checkpoint;

import dev.tern.safetensors.SafetensorsType;

/**
 * The first pass over a projection that is stored in floats, which finds its scale. Nothing but a few chunks is held in
 * memory. Not thread-safe.
 *
 * <p>The sum of |W| is defined to the bit, whatever reads the matrix in whatever pieces: it is taken in eight doubles,
 * element i going to the one of number i mod 8, and these are added as ((0+1) + (2+3)) + ((4+5) + (6+7)). Of 16-bit
 * weights, which take 8 or 11 digits, such a sum is exact for all but absurd matrices.
 */
final class FloatScan {
    /** Elements that are looked at first: of continuous weights the first three decide. */
    private static final int FIRST_CHUNK = 1 << 10;

    private final StoredTensor stored;
    private final long elements;
    private final byte[] data;
    private final float[] values;

    FloatScan(StoredTensor stored, long elements) {
        this.stored = stored;
        this.elements = elements;
        int chunk = (int) Math.min(StoredTensor.CHUNK, elements);
        this.data = new byte[chunk * stored.elementBytes()];
        this.values = new float[chunk];
    }

    /**
     * The magnitude s when no values but -s, 0 and +s occur; 0 when all are zero; NaN when the values are continuous.
     * Stops at the first value that decides.
     */
    float ternaryMagnitude() {
        float magnitude = 0;
        int count = (int) Math.min(FIRST_CHUNK, elements);
        for (long first = 0; first < elements; first += count, count = chunkAt(first)) {
            stored.read(first, count, data);
            stored.widen(data, count, values);
            for (int i = 0; i < count; i++) {
                float a = Math.abs(values[i]);
                if (a != 0 && a != magnitude) {
                    if (magnitude != 0) {
                        return Float.NaN;
                    }
                    stored.requireFinite(values, count, first);
                    magnitude = a;
                }
            }
        }
        return magnitude;
    }

    /**
     * Refuses a matrix that is ternary with several scales, for which there is no (T, s): it is not continuous, and
     * absmean would make something else of it. Continuous ones pass at the cost of two rows.
     */
    void requireOneScale(int cols) {
        ShardScales shards = new ShardScales(cols);
        for (long first = 0; first < elements; first += values.length) {
            int count = chunkAt(first);
            stored.read(first, count, data);
            stored.widen(data, count, values);
            stored.requireFinite(values, count, first);
            if (!shards.accept(values, count, first)) {
                return;
            }
        }
        if (shards.count() > 1) {
            throw stored.error()
                    .problem("is ternary, but with " + shards.count() + " scales, one for each slice of "
                            + shards.direction() + ", as models trained in parallel on slices of every matrix have"
                            + " them")
                    .expected("one scale for the matrix, the values -s, 0 and +s")
                    .found(shards.count() + " scales")
                    .cure("Give a model trained with one scale for a matrix; run this one in llama.cpp, whose tq1_0 and"
                            + " tq2_0 have a scale for every 256 weights of a row.")
                    .exception();
        }
    }

    /**
     * mean|W| over the whole matrix: the sum in double, so that the rounding of the mean to float32 is the only error.
     *
     * @throws dev.tern.io.InputException on NaN and infinity
     */
    float absoluteMean() {
        double[] lanes = new double[8];
        boolean wide = stored.tensor().type() == SafetensorsType.F32;
        double[] magnitudes = wide ? new double[0] : HalfMagnitudes.of(stored.tensor().type());
        short[] shorts = new short[wide ? 0 : values.length];
        for (long first = 0; first < elements; first += data.length / stored.elementBytes()) {
            int count = chunkAt(first);
            stored.read(first, count, data);
            if (wide) {
                stored.widen(data, count, values);
                add(values, count, lanes);
            } else {
                stored.shorts(data, count, shorts);
                add(shorts, count, magnitudes, lanes);
            }
        }
        double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
        if (!Double.isFinite(sum)) {
            requireFinite();
        }
        return (float) (sum / elements);
    }

    private int chunkAt(long first) {
        return (int) Math.min(values.length, elements - first);
    }

    /** The chunk starts at a multiple of eight. Lanes are locals: eight chains of additions run side by side. */
    private static void add(short[] w, int count, double[] magnitudes, double[] lanes) {
        double a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
        double e = lanes[4], f = lanes[5], g = lanes[6], h = lanes[7];
        int whole = count & -8;
        for (int i = 0; i < whole; i += 8) {
            a += magnitudes[w[i] & 0x7FFF];
            b += magnitudes[w[i + 1] & 0x7FFF];
            c += magnitudes[w[i + 2] & 0x7FFF];
            d += magnitudes[w[i + 3] & 0x7FFF];
            e += magnitudes[w[i + 4] & 0x7FFF];
            f += magnitudes[w[i + 5] & 0x7FFF];
            g += magnitudes[w[i + 6] & 0x7FFF];
            h += magnitudes[w[i + 7] & 0x7FFF];
        }
        store(lanes, a, b, c, d, e, f, g, h);
        for (int i = whole; i < count; i++) {
            lanes[i & 7] += magnitudes[w[i] & 0x7FFF];
        }
    }

    private static void add(float[] w, int count, double[] lanes) {
        double a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3];
        double e = lanes[4], f = lanes[5], g = lanes[6], h = lanes[7];
        int whole = count & -8;
        for (int i = 0; i < whole; i += 8) {
            a += Math.abs(w[i]);
            b += Math.abs(w[i + 1]);
            c += Math.abs(w[i + 2]);
            d += Math.abs(w[i + 3]);
            e += Math.abs(w[i + 4]);
            f += Math.abs(w[i + 5]);
            g += Math.abs(w[i + 6]);
            h += Math.abs(w[i + 7]);
        }
        store(lanes, a, b, c, d, e, f, g, h);
        for (int i = whole; i < count; i++) {
            lanes[i & 7] += Math.abs(w[i]);
        }
    }

    private static void store(double[] lanes, double... sums) {
        System.arraycopy(sums, 0, lanes, 0, sums.length);
    }

    /** Finds and names the culprit. */
    private void requireFinite() {
        for (long first = 0; first < elements; first += values.length) {
            int count = chunkAt(first);
            stored.read(first, count, data);
            stored.widen(data, count, values);
            stored.requireFinite(values, count, first);
        }
    }
}
