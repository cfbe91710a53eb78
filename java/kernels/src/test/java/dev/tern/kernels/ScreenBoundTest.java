package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A screen's bounds hold for the bits that floatMatmul gives, and are tight where the input is the worst there is. */
class ScreenBoundTest {
    private static final int ROWS = 67;

    private final Kernels kernels = KernelChoice.of(Tier.JAVA);
    private final Arena arena = Arena.ofAuto();

    private static Stream<Arguments> typesAndBits() {
        return Stream.of(FloatType.values())
                .flatMap(type -> IntStream.of(4, 6).mapToObj(bits -> Arguments.of(type, bits)));
    }

    private record Screened(FloatWeights head, Screen screen) {}

    /** Rows of several magnitudes; the first are zero, or one number among zeros, or all the same number. */
    private Screened random(FloatType type, int bits, int cols, Scene scene) {
        MemorySegment values = scene.elements("w", (long) ROWS * cols, type, Scene.Floats.PLAIN);
        if (type == FloatType.F32) {
            for (int row = 0; row < ROWS; row++) {
                float scale = row % 7 == 6 ? 1e-25f : (float) Math.pow(10, row % 5 - 2);
                for (int c = 0; c < cols; c++) {
                    long at = (long) row * cols + c;
                    float value = row == 0 || row == 1 && c > 0 ? 0 : row == 2 ? 1 : values.getAtIndex(JAVA_FLOAT, at);
                    values.setAtIndex(JAVA_FLOAT, at, value * scale);
                }
            }
        }
        FloatWeights head = FloatWeights.of(arena, values, ROWS, cols, type);
        Screen screen = Screen.allocate(arena, ROWS, cols, bits);
        kernels.screenPack(head, 0, ROWS, screen);
        return new Screened(head, screen);
    }

    /** By how much the bound of a row is used up by the row's error, at most 1; fails where it is not. */
    private double[] shareOfBound(Screened s, MemorySegment x, int inputBits) {
        ScreenInputs inputs = ScreenInputs.allocate(arena, 1, s.head.cols(), inputBits);
        assertThat(inputs.set(0, x, 0)).isTrue();
        ScreenScores scores = ScreenScores.allocate(arena, 1, ROWS);
        kernels.screenScores(s.screen, inputs, 1, 0, ROWS, scores);
        MemorySegment logits = arena.allocate(4L * ROWS, 4);
        kernels.floatMatmul(s.head, x, s.head.cols(), 1, 0, ROWS, logits, ROWS);
        double[] shares = new double[ROWS];
        for (int row = 0; row < ROWS; row++) {
            double logit = logits.getAtIndex(JAVA_FLOAT, row);
            double score = scores.scores().getAtIndex(JAVA_FLOAT, row);
            double upper = scores.uppers().getAtIndex(JAVA_FLOAT, row);
            assertThat(logit).as("row %d", row).isLessThanOrEqualTo(upper);
            assertThat(logit).as("row %d", row).isGreaterThanOrEqualTo(score - (upper - score) * (1 + 1e-6));
            shares[row] = (logit - score) / (upper - score);
        }
        return shares;
    }

    private MemorySegment input(int cols, Random random, float scale) {
        MemorySegment x = arena.allocate(4L * cols, 4);
        for (int c = 0; c < cols; c++) {
            x.setAtIndex(JAVA_FLOAT, c, (float) random.nextGaussian() * scale);
        }
        return x;
    }

    @ParameterizedTest
    @MethodSource("typesAndBits")
    void holdsForRandomInputs(FloatType type, int bits) {
        for (int number = 0; number < 8; number++) {
            int cols = type.isPlain() ? 1 + 97 * number : 256 * (1 + number % 3);
            try (Scene scene = new Scene(number)) {
                Screened s = random(type, bits, cols, scene);
                for (float scale : new float[] {1, 1e-12f, 1e12f}) {
                    shareOfBound(s, input(cols, new Random(number), scale), 12);
                    shareOfBound(s, input(cols, new Random(number), scale), 7);
                }
                MemorySegment spike = input(cols, new Random(number), 1e-3f);
                spike.setAtIndex(JAVA_FLOAT, cols / 2, 100);
                shareOfBound(s, spike, 12);
                shareOfBound(s, spike, 7);
            }
        }
    }

    /** The input that points where the screen of a row is wrong. */
    @ParameterizedTest
    @MethodSource("typesAndBits")
    void isReachedByTheWorstInput(FloatType type, int bits) {
        int cols = 512;
        try (Scene scene = new Scene(400 + bits)) {
            Screened s = random(type, bits, cols, scene);
            MemorySegment wide = arena.allocate(4L * cols, 4);
            for (int row = 3; row < ROWS; row += 8) {
                kernels.floatRow(s.head, row, wide, 0);
                float step = s.screen.steps().getAtIndex(JAVA_FLOAT, row);
                if (step == 0) {
                    continue; // a tiny row has no levels
                }
                MemorySegment x = arena.allocate(4L * cols, 4);
                for (int c = 0; c < cols; c++) {
                    double kept = (double) step * ReferenceScreens.level(s.screen, row, c);
                    double rest = wide.getAtIndex(JAVA_FLOAT, c) - kept;
                    x.setAtIndex(JAVA_FLOAT, c, (float) (rest / step));
                }
                assertThat(shareOfBound(s, x, 12)[row]).as("row %d", row).isGreaterThan(0.9);
            }
        }
    }

    /** The input whose remainders all point where the rows do, as far as they can. */
    @ParameterizedTest
    @ValueSource(ints = {12, 7})
    void isReachedByTheWorstRemainder(int inputBits) {
        int cols = 512;
        MemorySegment values = arena.allocate(4L * ROWS * cols, 4);
        for (int i = 0; i < ROWS * cols; i++) { // one magnitude: the screen leaves nothing out
            values.setAtIndex(JAVA_FLOAT, i, 1);
        }
        FloatWeights head = FloatWeights.of(arena, values, ROWS, cols, FloatType.F32);
        Screen screen = Screen.allocate(arena, ROWS, cols, 6);
        kernels.screenPack(head, 0, ROWS, screen);
        int largest = inputBits == 12 ? 4063 : 127;
        MemorySegment x = arena.allocate(4L * cols, 4);
        for (int c = 0; c < cols; c++) { // all but the first lie a little less than half a unit above an integer
            x.setAtIndex(JAVA_FLOAT, c, c == 0 ? largest : c % 3 + 0.49f);
        }
        double used = shareOfBound(new Screened(head, screen), x, inputBits)[0];
        assertThat(used).isGreaterThan(0.9);
        ScreenInputs inputs = ScreenInputs.allocate(arena, 1, cols, inputBits);
        inputs.set(0, x, 0);
        double square = 0;
        for (int c = 0; c < cols; c++) {
            square += Math.pow(x.getAtIndex(JAVA_FLOAT, c), 2);
        }
        assertThat(inputs.remainder(0)).isCloseTo(0.49 * Math.sqrt((cols - 1) / square), withinPercentage(1));
    }

    @ParameterizedTest
    @ValueSource(ints = {12, 7})
    void inputsWithoutABoundAreRefused(int inputBits) {
        ScreenInputs inputs = ScreenInputs.allocate(arena, 2, 3, inputBits);
        for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1e19f, -1e30f}) {
            MemorySegment x = arena.allocateFrom(JAVA_FLOAT, 1, value, 2);
            assertThat(inputs.set(1, x, 0)).as("%s", value).isFalse();
        }
        assertThat(inputs.set(0, arena.allocateFrom(JAVA_FLOAT, 0, 0, 0), 0)).isFalse();
        assertThat(inputs.set(0, arena.allocateFrom(JAVA_FLOAT, 0, 1e-20f, -1e-30f), 0)).isFalse();
        assertThat(inputs.set(0, arena.allocateFrom(JAVA_FLOAT, 9, 0, 1e-3f, -1e-30f), 1)).isTrue();
    }

    /** Rows with infinities or NaNs have an infinite bound, whatever else is in them. */
    @Test
    void rowsThatAreNoNumbersAreNeverRuledOut() {
        int cols = 64;
        MemorySegment values = arena.allocate(4L * 4 * cols, 4);
        Random random = new Random(1);
        for (int i = 0; i < 4 * cols; i++) {
            values.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        values.setAtIndex(JAVA_FLOAT, 3, Float.NaN);
        values.setAtIndex(JAVA_FLOAT, cols + 5, Float.NEGATIVE_INFINITY);
        values.setAtIndex(JAVA_FLOAT, 2 * cols, 1e30f);
        Screen screen = Screen.allocate(arena, 4, cols, 4);
        kernels.screenPack(FloatWeights.of(arena, values, 4, cols, FloatType.F32), 0, 4, screen);
        ScreenInputs inputs = ScreenInputs.allocate(arena, 1, cols, 12);
        assertThat(inputs.set(0, input(cols, random, 1), 0)).isTrue();
        ScreenScores scores = ScreenScores.allocate(arena, 1, 4);
        kernels.screenScores(screen, inputs, 1, 0, 4, scores);
        for (int row = 0; row < 3; row++) {
            assertThat(scores.uppers().getAtIndex(JAVA_FLOAT, row)).isEqualTo(Float.POSITIVE_INFINITY);
        }
        assertThat(scores.uppers().getAtIndex(JAVA_FLOAT, 3)).isFinite();
        assertThat(scores.ceilings().getAtIndex(JAVA_FLOAT, 0)).isEqualTo(Float.POSITIVE_INFINITY);
    }
}
