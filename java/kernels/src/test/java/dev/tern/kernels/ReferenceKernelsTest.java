package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The reference against mathematics: each kernel beside a naive computation in double precision that shares no code
 * with it, and the float sums beside the order that the header prescribes.
 */
class ReferenceKernelsTest {
    private final Kernels kernels = KernelChoice.of(Tier.JAVA);
    private final Arena arena = Arena.ofAuto();
    private final Random random = new Random(42);

    @Test
    void quantizesByAbsmaxWithTiesToEven() {
        // The largest is 4, so r = 31.75: 0.5 / 31.75 lies half way between 0 and 1, 1.5 / 31.75 between 1 and 2.
        float[] x = {4f, -4f, 0f, 0.5f / 31.75f, 1.5f / 31.75f, -2.5f / 31.75f, 1f, Float.NaN};
        Activations a = Activations.allocate(arena, 1, x.length);
        a.values().fill((byte) 99);
        kernels.quantize(floats(x), 8, 8, 0, 1, a);
        assertThat(a.scales().get(JAVA_FLOAT, 0)).isEqualTo(1f / 4f * 127f);
        assertThat(a.values().asSlice(0, 8).toArray(JAVA_BYTE)).containsExactly(127, -127, 0, 0, 2, -2, 32, -128);
        assertThat(a.values().asSlice(8, 120).toArray(JAVA_BYTE)).containsOnly(0);
        assertThat(a.sums().get(JAVA_INT, 0)).isEqualTo(127 - 127 + 2 - 2 + 32 - 128);
    }

    @Test
    void quantizesNothingByTheSmallestScale() {
        Activations a = Activations.allocate(arena, 1, 3);
        kernels.quantize(floats(0f, -0f, 5e-6f), 3, 3, 0, 1, a);
        assertThat(a.scales().get(JAVA_FLOAT, 0)).isEqualTo(1f / 1e-5f * 127f);
        assertThat(a.values().asSlice(0, 3).toArray(JAVA_BYTE)).containsExactly(0, 0, 64);
    }

    /**
     * (1 / m) * 127 is not always 127 / m. In double precision a quotient or product of floats rounds to a float once.
     */
    @Test
    void theScaleIsAQuotientThenAProduct() {
        Activations a = Activations.allocate(arena, 1, 1);
        int different = 0;
        for (int i = 0; i < 1000; i++) {
            float m = 0.001f + random.nextFloat() * 100f;
            kernels.quantize(floats(-m), 1, 1, 0, 1, a);
            float quotient = (float) (1.0 / m);
            float scale = (float) (quotient * 127.0);
            assertThat(a.scales().get(JAVA_FLOAT, 0)).isEqualTo(scale);
            different += scale == (float) (127.0 / m) ? 0 : 1;
        }
        assertThat(different).as("cases that tell the two apart").isPositive();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 32, 127, 128, 129, 300, 1024})
    void ternaryProductsAreExact(int cols) {
        int rows = 5;
        byte[] t = new byte[rows * cols];
        byte[] codes = new byte[(int) (rows * TernaryWeights.rowBytes(cols))];
        for (int row = 0; row < rows; row++) {
            for (int c = 0; c < TernaryWeights.rowBytes(cols) * 4; c++) {
                int value = c < cols ? random.nextInt(3) - 1 : 0;
                if (c < cols) {
                    t[row * cols + c] = (byte) value;
                }
                int at = (int) (row * TernaryWeights.rowBytes(cols)) + c / 128 * 32 + c % 128 % 32;
                codes[at] |= (byte) (value + 1 << new int[] {6, 4, 2, 0}[c % 128 / 32]);
            }
        }
        TernaryWeights w = TernaryWeights.of(arena, arena.allocateFrom(JAVA_BYTE, codes), rows, cols, 0.75f);
        Activations a = Activations.allocate(arena, 2, cols);
        kernels.quantize(random(2 * cols), cols, cols, 0, 2, a);
        MemorySegment y = arena.allocate(4L * 2 * rows);
        kernels.ternaryMatmul(w, a, 2, 0, rows, y, rows);
        for (int token = 0; token < 2; token++) {
            for (int row = 0; row < rows; row++) {
                int sum = 0;
                for (int c = 0; c < cols; c++) {
                    sum += t[row * cols + c] * a.values().get(JAVA_BYTE, token * a.stride() + c);
                }
                float expected = sum * (0.75f / a.scales().getAtIndex(JAVA_FLOAT, token));
                assertThat(y.getAtIndex(JAVA_FLOAT, token * rows + row)).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(FloatType.class)
    void floatProductsAreNearTheirMathematicalValue(FloatType type) {
        int rows = 3;
        int cols = type.isPlain() ? 333 : 512;
        MemorySegment values = arena.allocate(type.bytes((long) rows * cols), type.alignment());
        double[] w = new double[rows * cols];
        if (!type.isPlain()) {
            randomBlocks(values, type, w);
        }
        for (int i = 0; type.isPlain() && i < w.length; i++) {
            float v = (float) random.nextGaussian();
            switch (type) {
                case F32 -> values.setAtIndex(JAVA_FLOAT, i, v);
                case F16 -> values.setAtIndex(JAVA_SHORT, i, Float.floatToFloat16(v));
                default -> values.setAtIndex(JAVA_SHORT, i, (short) (Float.floatToIntBits(v) >>> 16));
            }
            w[i] = type == FloatType.F32 ? v : half(values.getAtIndex(JAVA_SHORT, i), type == FloatType.F16 ? 10 : 7);
        }
        FloatWeights weights = FloatWeights.of(arena, values, rows, cols, type);
        MemorySegment x = random(cols);
        MemorySegment y = arena.allocate(4L * cols);
        kernels.floatMatmul(weights, x, cols, 1, 0, rows, y, rows);
        for (int row = 0; row < rows; row++) {
            double expected = 0;
            for (int c = 0; c < cols; c++) {
                expected += w[row * cols + c] * x.getAtIndex(JAVA_FLOAT, c);
            }
            assertThat((double) y.getAtIndex(JAVA_FLOAT, row)).isCloseTo(expected, within(1e-4));
        }
        kernels.floatRow(weights, 2, y, 0);
        for (int c = 0; c < cols; c++) {
            assertThat((double) y.getAtIndex(JAVA_FLOAT, c)).isEqualTo(w[2 * cols + c]);
        }
    }

    /** Chooses d, scales and codes, and puts them where the formats say; w is their product. */
    private void randomBlocks(MemorySegment values, FloatType type, double[] w) {
        values.fill((byte) 0);
        int size = type.blockSize();
        for (int b = 0; b < w.length / size; b++) {
            long at = type.bytes((long) b * size);
            short d = Float.floatToFloat16((float) random.nextGaussian() / (type == FloatType.Q8_0 ? 100 : 3000));
            values.set(JAVA_SHORT, at + (type == FloatType.Q8_0 ? 0 : 208), d);
            int[] scales = random.ints(16, -128, 128).toArray();
            for (int i = 0; i < 16 && type == FloatType.Q6_K; i++) {
                values.set(JAVA_BYTE, at + 192 + i, (byte) scales[i]);
            }
            for (int i = 0; i < size; i++) {
                if (type == FloatType.Q8_0) {
                    byte q = (byte) random.nextInt();
                    values.set(JAVA_BYTE, at + 2 + i, q);
                    w[b * size + i] = half(d, 10) * q;
                } else {
                    int code = random.nextInt(64);
                    int column = i % 128;
                    or(values, at + i / 128 * 64 + column % 64, (code & 15) << (column < 64 ? 0 : 4));
                    or(values, at + 128 + i / 128 * 32 + column % 32, code >> 4 << column / 32 * 2);
                    w[b * size + i] = half(d, 10) * scales[i / 16] * (code - 32);
                }
            }
        }
    }

    private static void or(MemorySegment values, long at, int bits) {
        values.set(JAVA_BYTE, at, (byte) (values.get(JAVA_BYTE, at) | bits));
    }

    /** The value of a 16-bit float by its definition. */
    private static double half(short bits, int mantissaBits) {
        int exponentBits = 15 - mantissaBits;
        int bias = (1 << exponentBits - 1) - 1;
        int mantissa = bits & (1 << mantissaBits) - 1;
        int exponent = (bits & 0x7fff) >> mantissaBits;
        double magnitude = exponent == 0
                ? Math.scalb((double) mantissa, 1 - bias - mantissaBits)
                : Math.scalb((double) (mantissa + (1 << mantissaBits)), exponent - bias - mantissaBits);
        return bits < 0 ? -magnitude : magnitude;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 17, 31, 32, 33, 64, 95, 1000})
    void floatSumsGoThroughThirtyTwoLanesFoldedInHalves(int n) {
        MemorySegment w = random(n);
        MemorySegment x = random(n);
        MemorySegment y = floats(0f);
        kernels.floatMatmul(FloatWeights.of(arena, w, 1, n, FloatType.F32), x, n, 1, 0, 1, y, 1);
        assertThat(y.get(JAVA_FLOAT, 0)).isEqualTo(reduce(w, x, n, 0, 1));
    }

    /** The sum of lanes {@code j}, {@code j + step}, {@code j + 2 * step}, …, as folding in halves adds them up. */
    private static float reduce(MemorySegment w, MemorySegment x, int n, int j, int step) {
        if (step == 32) {
            float lane = 0;
            for (int i = j; i < n; i += 32) {
                lane = Math.fma(w.getAtIndex(JAVA_FLOAT, i), x.getAtIndex(JAVA_FLOAT, i), lane);
            }
            return lane;
        }
        return reduce(w, x, n, j, step * 2) + reduce(w, x, n, j + step, step * 2);
    }

    @Test
    void zerosThatFillUpALaneMakeItsMinusZeroAPlusZero() {
        // 33 elements: lane 0's product underflows to -0 at element 0 and stays; lane 1's does too, but is filled up.
        float[] w = new float[33];
        float[] x = new float[33];
        Arrays.fill(w, -1e-30f);
        Arrays.fill(x, 1e-30f);
        MemorySegment y = floats(9f);
        kernels.floatMatmul(FloatWeights.of(arena, floats(w), 1, 33, FloatType.F32), floats(x), 33, 1, 0, 1, y, 1);
        assertThat(Float.floatToRawIntBits(y.get(JAVA_FLOAT, 0))).isZero();
        kernels.floatMatmul(FloatWeights.of(arena, floats(w), 1, 32, FloatType.F32), floats(x), 32, 1, 0, 1, y, 1);
        assertThat(Float.floatToRawIntBits(y.get(JAVA_FLOAT, 0))).as("32 lanes of -0").isEqualTo(1 << 31);
    }

    @Test
    void normalizesByTheRootOfTheMeanSquare() {
        int cols = 77;
        MemorySegment x = random(cols);
        MemorySegment weight = random(cols);
        MemorySegment y = arena.allocate(4L * cols);
        kernels.rmsNorm(x, cols, weight, 1e-5f, cols, 0, 1, y, cols);
        double squares = 0;
        for (int i = 0; i < cols; i++) {
            squares += Math.pow(x.getAtIndex(JAVA_FLOAT, i), 2);
        }
        for (int i = 0; i < cols; i++) {
            double unit = x.getAtIndex(JAVA_FLOAT, i) / Math.sqrt(squares / cols + 1e-5);
            double expected = unit * weight.getAtIndex(JAVA_FLOAT, i);
            assertThat((double) y.getAtIndex(JAVA_FLOAT, i)).isCloseTo(expected, within(2e-6));
        }
    }

    @ParameterizedTest
    @EnumSource(RopePairing.class)
    void rotatesPairsByTheirAngle(RopePairing pairing) {
        int headDim = 12;
        int dims = 8;
        int heads = 2;
        int positions = 5;
        float[] cosines = new float[positions * 4];
        float[] sines = new float[positions * 4];
        for (int i = 0; i < cosines.length; i++) {
            cosines[i] = (float) Math.cos(angle(i / 4, i % 4));
            sines[i] = (float) Math.sin(angle(i / 4, i % 4));
        }
        RopeTable table = RopeTable.of(arena, floats(cosines), floats(sines), positions, dims, pairing);
        MemorySegment x = random(2 * heads * headDim);
        float[] before = x.toArray(JAVA_FLOAT);
        kernels.rope(x, heads * headDim, heads, headDim, table, 3, 0, 2);
        for (int t = 0; t < 2; t++) {
            for (int h = 0; h < heads; h++) {
                int head = (t * heads + h) * headDim;
                for (int i = 0; i < 4; i++) {
                    int first = head + (pairing == RopePairing.HALVES ? i : 2 * i);
                    int second = head + (pairing == RopePairing.HALVES ? i + 4 : 2 * i + 1);
                    double turn = angle(3 + t, i) + Math.atan2(before[second], before[first]);
                    double length = Math.hypot(before[first], before[second]);
                    assertThat((double) x.getAtIndex(JAVA_FLOAT, first))
                            .isCloseTo(length * Math.cos(turn), within(1e-5));
                    assertThat((double) x.getAtIndex(JAVA_FLOAT, second))
                            .isCloseTo(length * Math.sin(turn), within(1e-5));
                }
                for (int d = dims; d < headDim; d++) {
                    assertThat(x.getAtIndex(JAVA_FLOAT, head + d)).isEqualTo(before[head + d]);
                }
            }
        }
    }

    private static double angle(int position, int i) {
        return position * Math.pow(10000, -i / 4.0);
    }

    @ParameterizedTest
    @EnumSource(value = FloatType.class, names = {"F32", "F16"})
    void attendsToAllPositionsUpToItsOwn(FloatType type) {
        int headDim = 40;
        int kvHeads = 2;
        int heads = 6;
        int tokens = 3;
        int position = 4;
        int total = position + tokens;
        KvLayer kv = KvLayer.allocate(arena, kvHeads, total + 2, headDim, type);
        MemorySegment keys = random(total * kvHeads * headDim);
        MemorySegment values = random(total * kvHeads * headDim);
        kernels.storeKv(kv, keys, values, kvHeads * headDim, 0, 0, total);
        MemorySegment q = random(tokens * heads * headDim);
        MemorySegment out = arena.allocate(4L * tokens * heads * headDim);
        MemorySegment scores = arena.allocate(4 * KvLayer.attentionScores(tokens * heads, total));
        kernels.attention(
                kv, q, heads * headDim, heads, position, 0, tokens * heads, 0.3f, scores, out, heads * headDim);
        for (int item = 0; item < tokens * heads; item++) {
            int visible = position + item / heads + 1;
            int kvHead = item % heads / 3;
            double[] weights = new double[visible];
            double sum = 0;
            for (int p = 0; p < visible; p++) {
                double score = 0;
                for (int d = 0; d < headDim; d++) {
                    score += q.getAtIndex(JAVA_FLOAT, item * headDim + d)
                            * (double) keys.getAtIndex(JAVA_FLOAT, (p * kvHeads + kvHead) * headDim + d);
                }
                weights[p] = Math.exp(score * 0.3);
                sum += weights[p];
            }
            for (int d = 0; d < headDim; d++) {
                double expected = 0;
                for (int p = 0; p < visible; p++) {
                    expected += weights[p] / sum * values.getAtIndex(JAVA_FLOAT, (p * kvHeads + kvHead) * headDim + d);
                }
                assertThat((double) out.getAtIndex(JAVA_FLOAT, item * headDim + d))
                        .isCloseTo(expected, within(type == FloatType.F32 ? 1e-5 : 6e-3));
            }
        }
    }

    @Test
    void softmaxSumsToOneAndKeepsRatios() {
        int n = 100;
        MemorySegment x = random(n);
        x.setAtIndex(JAVA_FLOAT, 7, Float.NEGATIVE_INFINITY);
        float[] before = x.toArray(JAVA_FLOAT);
        kernels.softmax(x, n);
        double sum = 0;
        for (float v : before) {
            sum += Math.exp(v);
        }
        for (int i = 0; i < n; i++) {
            assertThat((double) x.getAtIndex(JAVA_FLOAT, i)).isCloseTo(Math.exp(before[i]) / sum, within(1e-7));
        }
    }

    @Test
    void expIsWithinTwoInTenMillionth() {
        for (float x = -86.9f; x < 88f; x += 0.0037f) {
            double exact = Math.exp(x);
            assertThat(Math.abs(ReferenceKernels.exp(x) - exact) / exact).as("exp(%s)", x).isLessThan(2e-7);
        }
        assertThat(ReferenceKernels.exp(0f)).isEqualTo(1f);
        assertThat(ReferenceKernels.exp(-87f)).isZero();
        assertThat(ReferenceKernels.exp(Float.NaN)).isZero();
        assertThat(ReferenceKernels.exp(1000f)).isEqualTo(ReferenceKernels.exp(88f)).isFinite();
    }

    @Test
    void gatesAreTheFormulasOfTheModels() {
        MemorySegment gate = random(50);
        MemorySegment up = random(50);
        MemorySegment relu = arena.allocate(200);
        MemorySegment silu = arena.allocate(200);
        kernels.reluSquaredGate(gate, up, relu, 10, 40);
        kernels.siluGate(gate, up, silu, 10, 40);
        for (int i = 0; i < 50; i++) {
            double g = gate.getAtIndex(JAVA_FLOAT, i);
            double u = up.getAtIndex(JAVA_FLOAT, i);
            double square = Math.max(g, 0) * Math.max(g, 0);
            assertThat((double) relu.getAtIndex(JAVA_FLOAT, i)).isCloseTo(i < 10 ? 0 : square * u, within(1e-5));
            assertThat((double) silu.getAtIndex(JAVA_FLOAT, i))
                    .isCloseTo(i < 10 ? 0 : g / (1 + Math.exp(-g)) * u, within(1e-6));
        }
    }

    @Test
    void findsTheFirstCodeThatIsNone() {
        MemorySegment codes = arena.allocate(256);
        for (int b = 0; b < 256; b++) {
            codes.set(JAVA_BYTE, b, (byte) b);
        }
        assertThat(kernels.findInvalidCode(codes)).isEqualTo(0b00_00_00_11);
        assertThat(kernels.findInvalidCode(codes.asSlice(4))).isEqualTo(3);
        for (int b = 0; b < 256; b++) {
            boolean valid = (b & 3) < 3 && (b >> 2 & 3) < 3 && (b >> 4 & 3) < 3 && (b >> 6 & 3) < 3;
            assertThat(kernels.findInvalidCode(codes.asSlice(b, 1))).as("byte %d", b).isEqualTo(valid ? -1 : 0);
        }
    }

    @Test
    void readsAndProductsAreAddedUp() {
        MemorySegment memory = arena.allocate(512, 64);
        for (int i = 0; i < 64; i++) {
            memory.setAtIndex(JAVA_LONG, i, i * 0x0101_0101_0101_0101L << i % 3);
        }
        long sum = 0;
        for (int i = 0; i < 64; i++) {
            sum += i * 0x0101_0101_0101_0101L << i % 3;
        }
        assertThat(kernels.memoryRead(memory)).isEqualTo(sum);
        assertThat(kernels.memoryRead(memory.asSlice(0, 0))).isZero();

        MemorySegment codes = arena.allocate(64);
        codes.set(JAVA_BYTE, 4 * 3, (byte) 1);
        codes.set(JAVA_BYTE, 4 * 3 + 2, (byte) 2);
        codes.set(JAVA_BYTE, 63, (byte) 2);
        MemorySegment values = arena.allocateFrom(JAVA_BYTE, (byte) 5, (byte) 0, (byte) -100, (byte) 127);
        MemorySegment sums = arena.allocate(64, 4).fill((byte) 1);
        long n = 10_000_000L * Kernels.PEAK_UNIT;
        kernels.dotPeak(codes, values, n, sums);
        for (int i = 0; i < 16; i++) {
            long exact = i == 3 ? n * (5 - 200) : i == 15 ? n * 254 : 0;
            assertThat(sums.getAtIndex(JAVA_INT, i)).isEqualTo((int) exact);
        }
    }

    /** A row is listed for the tokens whose threshold its bound and its panel's reach, NaNs reaching nothing. */
    @Test
    void selectsWhatReachesAThreshold() {
        float inf = Float.POSITIVE_INFINITY;
        ScreenScores s = ScreenScores.allocate(arena, 3, 34);
        s.uppers().fill((byte) 0);
        s.uppers().setAtIndex(JAVA_FLOAT, 5, 2f);
        s.uppers().setAtIndex(JAVA_FLOAT, 6, Float.NaN);
        s.uppers().setAtIndex(JAVA_FLOAT, s.stride() + 5, 3f);
        s.uppers().setAtIndex(JAVA_FLOAT, s.stride() + 33, inf);
        s.uppers().setAtIndex(JAVA_FLOAT, 2 * s.stride() + 4, inf); // the ceiling says otherwise
        MemorySegment.copy(floats(2f, 0f, 3f, inf, 1f, 1f), 0, s.ceilings(), 0, 24);
        ListedRows out = ListedRows.allocate(arena, 34);
        assertThat(kernels.screenSelect(s, floats(2f, 3f, 2f), 3, 0, 34, out)).isEqualTo(2);
        assertThat(out.row(0)).isEqualTo(5);
        assertThat(out.mask(0)).isEqualTo(0b11);
        assertThat(out.row(1)).isEqualTo(33);
        assertThat(out.mask(1)).isEqualTo(0b10);
        assertThat(kernels.screenSelect(s, floats(Float.NaN, inf, inf), 3, 0, 32, out)).isZero();
        assertThat(kernels.screenSelect(s, floats(-inf), 1, 32, 34, out)).isEqualTo(2);
        assertThat(out.row(0)).isEqualTo(32);
    }

    /** The products of the listed rows alone, in the places of the whole matrix's. */
    @Test
    void multipliesListedRows() {
        FloatWeights w = FloatWeights.of(arena, floats(1f, 2f, 3f, 4f, 5f, 6f), 3, 2, FloatType.F32);
        ListedRows rows = ListedRows.allocate(arena, 2);
        rows.set(0, 2, 0b11);
        rows.set(1, 0, 0b10);
        MemorySegment y = floats(-1f, -1f, -1f, -1f, -1f, -1f);
        kernels.floatMatmulRows(w, floats(1f, 10f, 100f, 1000f), 2, 2, rows, 2, y, 3);
        assertThat(y.toArray(JAVA_FLOAT)).containsExactly(-1f, -1f, 65f, 2100f, -1f, 6500f);
    }

    private MemorySegment floats(float... values) {
        return arena.allocateFrom(JAVA_FLOAT, values);
    }

    private MemorySegment random(int n) {
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return floats(values);
    }
}
