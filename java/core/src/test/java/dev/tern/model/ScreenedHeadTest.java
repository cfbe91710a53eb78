package dev.tern.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Screen;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The screened head against the whole one: the largest logits and their ties have the same bits, others are -infinity.
 */
class ScreenedHeadTest {
    private static final int COLS = 256;

    private final Kernels kernels = KernelChoice.best().kernels();
    private final Arena arena = Arena.ofAuto();

    /** Rows of N(0, 1) in any type; where {@code like} is not null, some of them are near a multiple of it. */
    private FloatWeights head(FloatType type, int rows, Random random, float[] like) {
        MemorySegment values = arena.allocate(type.bytes((long) rows * COLS), 64);
        for (int row = 0; row < rows; row++) {
            float share = like != null && row % 50 == 7 ? 0.3f + random.nextFloat() : 0;
            for (int c = 0; c < COLS; c++) {
                float v = (float) random.nextGaussian() + share * (like == null ? 0 : like[c]);
                put(values, type, (long) row * COLS + c, v, random);
            }
        }
        return FloatWeights.of(arena, values, rows, COLS, type);
    }

    /** In types of blocks a value is the nearest of a coarse grid: a step of 1/32, and in Q6_K codes of 6 bits. */
    private static void put(MemorySegment values, FloatType type, long i, float v, Random random) {
        switch (type) {
            case F32 -> values.setAtIndex(JAVA_FLOAT, i, v);
            case F16 -> values.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(v));
            case BF16 -> values.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(v) >> 16));
            case Q8_0 -> {
                long block = i / 32 * 34;
                values.set(ValueLayout.JAVA_SHORT_UNALIGNED, block, Float.floatToFloat16(1 / 32f));
                values.set(ValueLayout.JAVA_BYTE, block + 2 + i % 32, (byte) Math.clamp(Math.round(v * 32), -127, 127));
            }
            case Q6_K -> {
                long block = i / 256 * 210;
                values.set(ValueLayout.JAVA_BYTE, block + i % 192, (byte) random.nextInt()); // any codes
                values.set(ValueLayout.JAVA_BYTE, block + 192 + i % 16, (byte) 40);
                values.set(ValueLayout.JAVA_SHORT_UNALIGNED, block + 208, Float.floatToFloat16(1 / 720f));
            }
        }
    }

    private MemorySegment inputs(int tokens, Random random, float[] like) {
        MemorySegment x = arena.allocate(4L * tokens * COLS, 64);
        for (int i = 0; i < tokens * COLS; i++) {
            x.setAtIndex(JAVA_FLOAT, i, (like == null ? 0 : like[i % COLS]) + (float) random.nextGaussian() * 0.3f);
        }
        return x;
    }

    private static float[] direction(Random random) {
        float[] like = new float[COLS];
        for (int c = 0; c < COLS; c++) {
            like[c] = (float) random.nextGaussian();
        }
        return like;
    }

    private MemorySegment whole(FloatWeights head, MemorySegment x, int tokens) {
        MemorySegment logits = arena.allocate(4L * tokens * head.rows(), 64);
        kernels.floatMatmul(head, x, COLS, tokens, 0, head.rows(), logits, head.rows());
        return logits;
    }

    /** Evaluates as an engine does: where the screen spares nothing, the whole head. */
    private MemorySegment evaluate(
            ScreenedHead screened, ThreadTeam team, FloatWeights head, MemorySegment x, int tokens, int top) {
        MemorySegment logits = arena.allocate(4L * tokens * head.rows(), 64);
        boolean prepared = screened.prepare(top, tokens);
        boolean[] done = new boolean[team.size()];
        if (prepared) {
            OutputRows belong = new OutputRows();
            belong.clear(head.rows());
            belong.add(logits, tokens);
            team.run(member -> done[member] = screened.run(member, x, belong));
            screened.finish();
        }
        for (boolean same : done) {
            assertThat(same).isEqualTo(done[0]);
        }
        if (!done[0]) {
            kernels.floatMatmul(head, x, COLS, tokens, 0, head.rows(), logits, head.rows());
        }
        return logits;
    }

    private static void assertLargestEqual(MemorySegment logits, MemorySegment whole, int rows, int tokens, int top) {
        for (int t = 0; t < tokens; t++) {
            float[] sorted = whole.asSlice(4L * t * rows, 4L * rows).toArray(JAVA_FLOAT);
            Arrays.sort(sorted);
            float least = sorted[rows - top];
            for (int row = 0; row < rows; row++) {
                long i = (long) t * rows + row;
                boolean same = logits.getAtIndex(JAVA_INT, i) == whole.getAtIndex(JAVA_INT, i);
                boolean ruledOut = logits.getAtIndex(JAVA_FLOAT, i) == Float.NEGATIVE_INFINITY
                        && whole.getAtIndex(JAVA_FLOAT, i) < least;
                assertThat(same || ruledOut).as("token %d, row %d", t, row).isTrue();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32, 1", "F32, 3", "F16, 2", "BF16, 2", "Q8_0, 1", "Q8_0, 2", "Q6_K, 1", "Q6_K, 3"})
    void theLargestAreThoseOfTheWholeHead(FloatType type, int threads) {
        try (ThreadTeam team = new ThreadTeam(threads)) {
            for (int seed = 0; seed < 6; seed++) {
                Random random = new Random(seed);
                // Without one the screen of 4 bits is of no use.
                float[] like = seed % 3 == 2 ? null : direction(random);
                int rows = 1000 + random.nextInt(1500);
                FloatWeights head = head(type, rows, random, like);
                ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
                for (int round = 0; round < 8; round++) {
                    int tokens = 1 + random.nextInt(round < 6 ? 5 : 16);
                    int top = round % 2 == 0 ? 1 : 1 + random.nextInt(30);
                    MemorySegment x = inputs(tokens, random, like);
                    if (round % 3 == 2) { // so large an input that 7 bits of the others are too few
                        x.setAtIndex(JAVA_FLOAT, random.nextInt(tokens * COLS), 60);
                    }
                    assertLargestEqual(
                            evaluate(screened, team, head, x, tokens, top), whole(head, x, tokens), rows, tokens, top);
                }
                assertThat(screened.use().tries()).isPositive();
            }
        }
    }

    /** Rows much alike: four bits cannot tell them apart, and after a few tries six take their place. */
    @Test
    void sixBitsFollowWhereFourFail() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Random random = new Random(3);
            float[] common = direction(random);
            MemorySegment values = arena.allocate(FloatType.Q8_0.bytes(3000L * COLS), 64);
            for (int i = 0; i < 3000 * COLS; i++) {
                put(values, FloatType.Q8_0, i, common[i % COLS] + 0.5f * (float) random.nextGaussian(), random);
            }
            FloatWeights head = FloatWeights.of(arena, values, 3000, COLS, FloatType.Q8_0);
            ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            for (int token = 0; token < 40; token++) {
                MemorySegment x = inputs(1, random, null);
                assertLargestEqual(evaluate(screened, team, head, x, 1, 1), whole(head, x, 1), 3000, 1, 1);
                if (token == 0) {
                    assertThat(screened.use().bytes()).isEqualTo(Screen.byteSize(3000, COLS, 4));
                    assertThat(screened.use().spared()).isZero();
                }
            }
            assertThat(screened.use().bytes()).isEqualTo(Screen.byteSize(3000, COLS, 6));
            assertThat(screened.use().spared()).isGreaterThan(10);
            screened.close();
            assertThat(screened.use().bytes()).isZero();
        }
    }

    /** A screen that never spared anything would pass the test above. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16", "Q8_0"})
    void mostRowsAreSparedWhereSomeStandOut(FloatType type) {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Random random = new Random(9);
            float[] like = direction(random);
            FloatWeights head = head(type, 3000, random, like);
            ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            MemorySegment x = inputs(2, random, like);
            MemorySegment logits = evaluate(screened, team, head, x, 2, 1);
            assertLargestEqual(logits, whole(head, x, 2), 3000, 2, 1);
            ScreenUse use = screened.use();
            assertThat(use.spared()).isEqualTo(1);
            assertThat(use.rows()).isBetween(1L, 300L);
            long computed = 0;
            for (int i = 0; i < 3000; i++) {
                computed += logits.getAtIndex(JAVA_FLOAT, i) == Float.NEGATIVE_INFINITY ? 0 : 1;
            }
            assertThat(computed).isEqualTo(use.rows());
        }
    }

    /** Six bits tell the largest of random rows apart as well, and the forty largest. */
    @Test
    void plainHeadsAreSparedEvenWhenRandom() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Random random = new Random(4);
            FloatWeights head = head(FloatType.F16, 20_000, random, null);
            ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            MemorySegment x = inputs(1, random, null);
            for (int top : new int[] {1, 40}) {
                assertLargestEqual(evaluate(screened, team, head, x, 1, top), whole(head, x, 1), 20_000, 1, top);
            }
            assertThat(screened.use().spared()).isEqualTo(2);
        }
    }

    /** Inputs of 7 bits leave more rows of a random head; where these are too many, the next passes take 12. */
    @Test
    void moreBitsFollowWhereSevenLeaveTooMuch() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Random random = new Random(10);
            FloatWeights head = head(FloatType.F16, 20_000, random, null);
            ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            MemorySegment x = inputs(4, random, null);
            MemorySegment whole = whole(head, x, 4);
            long[] rows = new long[70];
            for (int pass = 0; pass < rows.length; pass++) {
                long before = screened.use().rows();
                assertLargestEqual(evaluate(screened, team, head, x, 4, 256), whole, 20_000, 4, 256);
                rows[pass] = screened.use().rows() - before;
            }
            assertThat(screened.use().spared()).isEqualTo(rows.length);
            assertThat(rows[1]).isPositive().isLessThan(rows[0]);
            assertThat(Arrays.copyOfRange(rows, 1, 65)).containsOnly(rows[1]);
            assertThat(rows[65]).as("tried again").isEqualTo(rows[0]);
            assertThat(Arrays.copyOfRange(rows, 66, 70)).containsOnly(rows[1]);
        }
    }

    /** Equals of the last of the largest are all computed, in one panel or in many. */
    @Test
    void tiesAreKept() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Random random = new Random(5);
            float[] like = direction(random);
            FloatWeights head = head(FloatType.F32, 2000, random, like);
            for (int row : new int[] {0, 1, 2, 31, 32, 500, 501, 1999}) { // eight times the same row, nearest to x
                for (int c = 0; c < COLS; c++) {
                    head.values().setAtIndex(JAVA_FLOAT, (long) row * COLS + c, 2 * like[c]);
                }
            }
            for (int c = 0; c < 100 * COLS; c++) { // and rows of zeros
                head.values().setAtIndex(JAVA_FLOAT, 1000L * COLS + c, 0);
            }
            MemorySegment x = inputs(1, random, like);
            MemorySegment whole = whole(head, x, 1);
            for (int top : new int[] {1, 3, 8, 9, 20}) {
                ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
                MemorySegment logits = evaluate(screened, team, head, x, 1, top);
                assertLargestEqual(logits, whole, 2000, 1, top);
                assertThat(screened.use().spared()).isEqualTo(1);
                for (int row : new int[] {0, 1, 2, 31, 32, 500, 501, 1999}) {
                    assertThat(logits.getAtIndex(JAVA_FLOAT, row)).isEqualTo(whole.getAtIndex(JAVA_FLOAT, 0));
                }
            }
        }
    }

    /** Rows of all scales: a bound that is too small for one of them would lose it. */
    @ParameterizedTest
    @CsvSource({"1e-30", "1e-20", "1e-3", "1e15", "1e25", "1e36"})
    void rowsOfAnyScale(float scale) {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Random random = new Random(6);
            float[] like = direction(random);
            FloatWeights head = head(FloatType.F32, 1000, random, like);
            for (int row = 0; row < 1000; row += 3) {
                for (int c = 0; c < COLS; c++) {
                    long at = (long) row * COLS + c;
                    head.values().setAtIndex(JAVA_FLOAT, at, head.values().getAtIndex(JAVA_FLOAT, at) * scale);
                }
            }
            ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            for (int top = 1; top <= 16; top++) {
                MemorySegment x = inputs(1, random, like);
                assertLargestEqual(evaluate(screened, team, head, x, 1, top), whole(head, x, 1), 1000, 1, top);
            }
        }
    }

    /** What has no bound is computed whole, NaNs and infinities and all. */
    @Test
    void inputsThatAreNoNumbersGetTheWholeHead() {
        try (ThreadTeam team = new ThreadTeam(2)) {
            Random random = new Random(7);
            float[] like = direction(random);
            FloatWeights head = head(FloatType.F16, 1000, random, like);
            ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 1e38f}) {
                MemorySegment x = inputs(2, random, like);
                x.setAtIndex(JAVA_FLOAT, COLS + 3, odd);
                MemorySegment logits = evaluate(screened, team, head, x, 2, 1);
                assertThat(logits.mismatch(whole(head, x, 2))).as("%s", odd).isEqualTo(-1);
            }
            MemorySegment zeros = arena.allocate(4L * COLS, 64);
            assertThat(evaluate(screened, team, head, zeros, 1, 1).mismatch(whole(head, zeros, 1))).isEqualTo(-1);
            assertThat(screened.use().tries()).isZero();
        }
    }

    /** A logit that is no number is found: the sampler must say that the model is broken. */
    @ParameterizedTest
    @CsvSource({"NaN", "Infinity", "-Infinity"})
    void weightsThatAreNoNumbersAreComputed(float odd) {
        try (ThreadTeam team = new ThreadTeam(1)) {
            Random random = new Random(8);
            float[] like = direction(random);
            FloatWeights head = head(FloatType.F32, 1000, random, like);
            head.values().setAtIndex(JAVA_FLOAT, 700L * COLS + 9, odd);
            MemorySegment x = inputs(1, random, like);
            ScreenedHead screened = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            MemorySegment logits = evaluate(screened, team, head, x, 1, 1);
            int expected = whole(head, x, 1).getAtIndex(JAVA_INT, 700);
            assertThat(logits.getAtIndex(JAVA_INT, 700)).isEqualTo(expected);
        }
    }

    @Test
    void whatCannotBeScreenedIsNotTried() {
        try (ThreadTeam team = new ThreadTeam(1)) {
            FloatWeights head = head(FloatType.F16, 1000, new Random(1), null);
            ScreenedHead on = new ScreenedHead(HeadScreen.ON, head, kernels, team);
            assertThat(on.prepare(0, 1)).as("all logits").isFalse();
            assertThat(on.prepare(33, 1)).as("more than there are panels").isFalse();
            assertThat(on.prepare(1, 17)).as("a prompt").isFalse();
            assertThat(on.use()).isEqualTo(new ScreenUse(0, 0, 0, 0));
            assertThat(on.prepare(32, 16)).isTrue();
            assertThat(new ScreenedHead(HeadScreen.OFF, head, kernels, team).prepare(1, 1)).isFalse();
            assertThat(new ScreenedHead(HeadScreen.AUTO, head, kernels, team).prepare(1, 1)).as("small").isFalse();
        }
    }
}
