package dev.tern.bench;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/**
 * A head and hidden states to go with it, of a chosen kind; the same for the same numbers.
 *
 * <p>{@link Kind#RANDOM}: all independent normal numbers: no row stands out.
 *
 * <p>{@link Kind#SPECTRUM}: like a trained one. Rows are z H S, z normal, S diagonal with S_jj^2 proportional to
 * (j + 8)^-0.6, so that the singular values fall by a power law, H a rotation (signs and Walsh-Hadamard transforms),
 * and norms differ by a log-normal factor of 15 %. A hidden state has a fifth of its energy in a direction common to
 * all, some along the row of its token, and the rest is distributed as rows are. The share of the row is such that the
 * largest logit lies {@code 5.5 + 3 u} standard deviations of the logits above their mean, u uniform: language models
 * are sure of some tokens and not of others.
 */
public final class SyntheticHead {
    /** What the numbers are. */
    public enum Kind {
        RANDOM,
        SPECTRUM
    }

    private static final double COMMON = 0.2; // of a state's energy
    private final Kind kind;
    private final int rows;
    private final int cols;
    private final float[] spectrum;
    private final float[] signs;

    public SyntheticHead(Kind kind, int rows, int cols) {
        this.kind = kind;
        this.rows = rows;
        this.cols = cols;
        this.spectrum = new float[cols];
        this.signs = new float[cols];
        Random random = new Random(1);
        double square = 0;
        for (int j = 0; j < cols; j++) {
            double energy = Math.pow(j + 8, -0.6);
            square += energy;
            spectrum[j] = (float) Math.sqrt(energy);
            signs[j] = random.nextBoolean() ? 1 : -1;
        }
        for (int j = 0; j < cols; j++) {
            spectrum[j] *= (float) Math.sqrt(cols / square);
        }
    }

    /** A vector of about unit energy per column, distributed as rows are. */
    private float[] vector(long seed) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        float[] v = new float[cols];
        for (int c = 0; c < cols; c++) {
            v[c] = (float) random.nextGaussian();
        }
        if (kind == Kind.SPECTRUM) {
            for (int c = 0; c < cols; c++) { // column j of the spectrum is spread over all blocks of the transform
                v[c] *= spectrum[c];
            }
            rotate(v);
            rotate(v);
        }
        return v;
    }

    /**
     * Signs, a stride through the columns, and transforms of as many columns as the largest power of two that divides.
     */
    private void rotate(float[] v) {
        int block = Integer.lowestOneBit(cols);
        float[] mixed = new float[cols];
        for (int c = 0; c < cols; c++) {
            mixed[c % (cols / block) * block + c / (cols / block)] = v[c] * signs[c];
        }
        float norm = (float) (1 / Math.sqrt(block));
        for (int first = 0; first < cols; first += block) {
            for (int half = 1; half < block; half *= 2) {
                for (int i = first; i < first + block; i += 2 * half) {
                    for (int j = i; j < i + half; j++) {
                        float a = mixed[j];
                        float b = mixed[j + half];
                        mixed[j] = a + b;
                        mixed[j + half] = a - b;
                    }
                }
            }
        }
        for (int c = 0; c < cols; c++) {
            v[c] = mixed[c] * norm;
        }
    }

    private float[] row(int row) {
        float[] w = vector(row);
        float norm = kind == Kind.RANDOM ? 0.02f : (float) (0.02 * Math.exp(0.15 * new Random(row).nextGaussian()));
        for (int c = 0; c < cols; c++) {
            w[c] *= norm;
        }
        return w;
    }

    /** The head, {@code [rows][cols]}. */
    public FloatWeights head(Arena arena, FloatType type) {
        MemorySegment values = arena.allocate(type.bytes((long) rows * cols), 64);
        long rowBytes = type.bytes(cols);
        IntStream.range(0, rows)
                .parallel()
                .forEach(row -> write(row(row), type, values.asSlice(row * rowBytes, rowBytes)));
        return FloatWeights.of(arena, values, rows, cols, type);
    }

    /** Hidden states, {@code [count][cols]} in F32, whose norm is that of a normalized state. */
    public FloatWeights states(Arena arena, int count) {
        MemorySegment values = arena.allocate(4L * count * cols, 64);
        float[] common = vector(-1);
        Random random = new Random(2);
        for (int i = 0; i < count; i++) {
            float[] x = vector(-2 - i);
            if (kind == Kind.SPECTRUM) {
                float[] w = row(random.nextInt(rows));
                double sigmas = 5.5 + 3 * random.nextDouble();
                // The logits' deviation is 0.02 |S^2|; a share a of x along w puts its logit at about 0.02 a cols.
                double fourth = 0;
                for (float s : spectrum) {
                    fourth += Math.pow(s, 4);
                }
                double along = sigmas * Math.sqrt(fourth) / cols;
                double rest = Math.sqrt(Math.max(0, 1 - COMMON - along * along));
                for (int c = 0; c < cols; c++) {
                    x[c] = (float) (rest * x[c] + Math.sqrt(COMMON) * common[c] + along * w[c] / 0.02);
                }
            }
            MemorySegment.copy(x, 0, values, JAVA_FLOAT, 4L * i * cols, cols);
        }
        return FloatWeights.of(arena, values, count, cols, FloatType.F32);
    }

    /** Rounds to the nearest of the type; blocks get steps from their largest number. */
    static void write(float[] w, FloatType type, MemorySegment to) {
        for (int c = 0; c < w.length; c++) {
            switch (type) {
                case F32 -> to.setAtIndex(JAVA_FLOAT, c, w[c]);
                case F16 -> to.setAtIndex(JAVA_SHORT, c, Float.floatToFloat16(w[c]));
                case BF16 -> to.setAtIndex(JAVA_SHORT, c, (short) (Float.floatToRawIntBits(w[c]) + 0x8000 >> 16));
                case Q8_0 -> writeQ8(w, c, to);
                case Q6_K -> writeQ6(w, c, to);
            }
        }
    }

    private static float largest(float[] w, int from, int count) {
        float largest = 0;
        for (int c = from; c < from + count; c++) {
            largest = Math.max(largest, Math.abs(w[c]));
        }
        return largest;
    }

    private static void writeQ8(float[] w, int c, MemorySegment to) {
        float d = Float.float16ToFloat(Float.floatToFloat16(largest(w, c / 32 * 32, 32) / 127));
        to.set(JAVA_SHORT_UNALIGNED, c / 32 * 34L, Float.floatToFloat16(d));
        to.set(JAVA_BYTE, c / 32 * 34L + 2 + c % 32, (byte) Math.clamp(Math.round(w[c] / d), -127, 127));
    }

    private static void writeQ6(float[] w, int c, MemorySegment to) {
        long block = c / 256 * 210L;
        int i = c % 256;
        float d = Float.float16ToFloat(Float.floatToFloat16(largest(w, c - i, 256) / 31 / 127));
        int scale = Math.max(1, Math.round(largest(w, c / 16 * 16, 16) / 31 / d));
        int code = Math.clamp(Math.round(w[c] / (d * scale)), -32, 31) + 32;
        int part = i % 128 / 32;
        insert(to, block + 64 * (i / 128) + 32 * (part % 2) + i % 32, 4 * (part / 2), 15, code & 15);
        insert(to, block + 128 + 32 * (i / 128) + i % 32, 2 * part, 3, code >> 4);
        to.set(JAVA_BYTE, block + 192 + i / 16, (byte) scale);
        to.set(JAVA_SHORT_UNALIGNED, block + 208, Float.floatToFloat16(d));
    }

    private static void insert(MemorySegment to, long at, int shift, int mask, int value) {
        to.set(JAVA_BYTE, at, (byte) (to.get(JAVA_BYTE, at) & ~(mask << shift) | value << shift));
    }
}
