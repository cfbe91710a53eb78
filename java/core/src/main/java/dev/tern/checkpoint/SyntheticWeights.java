package dev.tern.checkpoint;

import dev.tern.safetensors.SafetensorsType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/**
 * The random numbers of one tensor. Element i depends on the seed, the tensor's name and i alone (SplitMix64 of a
 * counter), so that pieces can be filled in any order and on any number of threads with the same result.
 */
final class SyntheticWeights {
    /** Mean |x| of a standard normal variable, sqrt(2/pi). */
    static final float MEAN_MAGNITUDE = 0.79788456f;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    /** Elements per parallel task. */
    private static final int SLICE = 1 << 17;

    /** Largest sum of eight bytes. */
    private static final int MAX_SUM = 8 * 255;

    /** Standard deviation of the sum of eight uniform bytes: sqrt(8 * (256^2 - 1) / 12). */
    private static final double SUM_DEVIATION = Math.sqrt(8 * (256.0 * 256 - 1) / 12);

    /** 31.03 % of 2^16: the share of a Gaussian matrix that absmean sends to zero, P(|z| < 0.3989). */
    private static final int ZERO_BELOW = 20336;

    private final long key;

    SyntheticWeights(long seed, String tensor) {
        long mixed = mix(seed);
        for (int i = 0; i < tensor.length(); i++) {
            mixed = mix(mixed + tensor.charAt(i));
        }
        key = mixed;
    }

    /** A factor from 0.8 to 1.2 for the tensor's scale, so that no two matrices have the same. */
    float spread() {
        return 0.8f + 0.4f * (mix(key ^ GAMMA) >>> 40) * 0x1p-24f;
    }

    /**
     * Fills {@code out} with values of a bell curve, elements {@code first} and following. The curve is that of a sum
     * of eight bytes: so close to the normal one that absmean's share of zeros differs by half a percent.
     *
     * @param type of the elements: BF16, F16 or F32
     */
    void gaussian(MemorySegment out, SafetensorsType type, long first, float mean, float deviation) {
        int[] bySum = new int[MAX_SUM + 1];
        for (int sum = 0; sum <= MAX_SUM; sum++) {
            bySum[sum] = bits(type, (float) (mean + deviation * (sum - MAX_SUM / 2) / SUM_DEVIATION));
        }
        fill(out, type, first, random -> bySum[sumOfBytes(random)]);
    }

    /** Fills {@code out} with -scale, 0 and +scale, elements {@code first} and following, in one of the same types. */
    void ternary(MemorySegment out, SafetensorsType type, long first, float scale) {
        int[] byCode = {bits(type, -scale), bits(type, 0), bits(type, scale)};
        fill(out, type, first, random -> byCode[code(random)]);
    }

    /** The bits of an element, from its random number. */
    @FunctionalInterface
    private interface Element {
        int bits(long random);
    }

    private void fill(MemorySegment out, SafetensorsType type, long first, Element element) {
        if (type == SafetensorsType.F32) {
            forSlices(out.byteSize() / 4, (from, to) -> {
                for (long i = from; i < to; i++) {
                    out.set(INT, 4 * i, element.bits(mix(key + (first + i) * GAMMA)));
                }
            });
        } else {
            forSlices(out.byteSize() / 2, (from, to) -> {
                for (long i = from; i < to; i++) {
                    out.set(SHORT, 2 * i, (short) element.bits(mix(key + (first + i) * GAMMA)));
                }
            });
        }
    }

    /** A value's bits in one of the float types. */
    static int bits(SafetensorsType type, float value) {
        return switch (type) {
            case BF16 -> bf16(value);
            case F16 -> Float.floatToFloat16(value);
            case F32 -> Float.floatToRawIntBits(value);
            default -> throw new IllegalArgumentException("floats as " + type);
        };
    }

    /** Fills {@code out} with packed codes, four weights a byte, bytes {@code first} and following of the tensor. */
    void packed(MemorySegment out, long first, int rows, int cols) {
        int packedRows = Math.ceilDiv(rows, 4);
        forSlices(out.byteSize(), (from, to) -> {
            for (long i = from; i < to; i++) {
                long random = mix(key + (first + i) * GAMMA);
                int codes = code(random)
                        | code(random >>> 16) << 2
                        | code(random >>> 32) << 4
                        | code(random >>> 48) << 6;
                if ((rows & 3) != 0) {
                    codes &= realRows((first + i) / cols, packedRows, rows);
                }
                out.set(ValueLayout.JAVA_BYTE, i, (byte) codes);
            }
        });
    }

    /** transformers leaves the codes of rows that only pad to a multiple of four at 0. */
    private static int realRows(long packedRow, int packedRows, int rows) {
        int mask = 0;
        for (int quarter = 0; quarter < 4; quarter++) {
            if (packedRow + (long) quarter * packedRows < rows) {
                mask |= 3 << (2 * quarter);
            }
        }
        return mask;
    }

    /**
     * T + 1 from 16 random bits: 1 with the share of zeros, else 0 or 2 by the lowest bit; without an unpredictable
     * branch.
     */
    private static int code(long random) {
        int u = (int) random & 0xffff;
        int zero = (u - ZERO_BELOW) >> 31;
        return (zero & 1) | (~zero & (u & 1) << 1);
    }

    /** Adds the bytes in pairs, then the four 16-bit sums by one multiplication. */
    private static int sumOfBytes(long x) {
        long pairs = (x & 0x00ff00ff00ff00ffL) + ((x >>> 8) & 0x00ff00ff00ff00ffL);
        return (int) ((pairs * 0x0001000100010001L) >>> 48);
    }

    /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014). */
    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** The nearest bf16, ties to even; for finite values. */
    static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }

    @FunctionalInterface
    private interface Slice {
        void fill(long from, long to);
    }

    private static void forSlices(long elements, Slice slice) {
        int slices = Math.toIntExact(Math.ceilDiv(elements, SLICE));
        IntStream.range(0, slices)
                .parallel()
                .forEach(i -> slice.fill((long) i * SLICE, Math.min(elements, (i + 1L) * SLICE)));
    }
}
