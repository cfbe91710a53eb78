package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Screens, as {@code tern_kernels.h} describes them. */
final class ReferenceScreens {
    private static final int PANEL_ROWS = Screen.PANEL_ROWS;
    private static final int LANES = 32;
    private static final float[] LEVELS = {3, 9, 15, 21, 28, 36, 46, 61};
    private static final float[] THRESHOLDS = {
        0.27088036f, 0.54176072f, 0.81264108f, 1.1061048f, 1.4446953f, 1.8510158f, 2.4153499f
    };
    private static final float PER_STEP = 9.606148f;

    private ReferenceScreens() {}

    static void pack(FloatWeights w, int rowBegin, int rowEnd, Screen out) {
        float[] wide = new float[w.cols()];
        int[] indices = new int[w.cols()];
        for (int row = rowBegin; row < (rowEnd + PANEL_ROWS - 1) / PANEL_ROWS * PANEL_ROWS; row++) {
            put(out, row, null, 0, 0, 0);
            if (row < rowEnd) {
                ReferenceKernels.widen(w.values(), w.type(), (long) row * w.cols(), wide);
                packRow(wide, indices, out, row);
            }
        }
    }

    private static void packRow(float[] w, int[] indices, Screen out, int row) {
        float square = sum(w, w);
        float mean = square / w.length;
        if (!(mean >= 0x1p-80f && mean <= 0x1p80f)) {
            put(out, row, null, 0, residual(square), 0);
            return;
        }
        float inverse = 1f / (float) Math.sqrt(mean);
        float[] levels = new float[w.length];
        long levelsSquare = 0;
        for (int c = 0; c < w.length; c++) {
            int i = index(out.bits(), Math.abs(w[c]) * inverse);
            float magnitude = out.bits() == 4 ? LEVELS[i] : 2 * i + 1;
            levels[c] = w[c] < 0 ? -magnitude : magnitude;
            int half = out.bits() == 4 ? 8 : 32;
            indices[c] = w[c] < 0 ? half - 1 - i : half + i;
            levelsSquare += (long) (magnitude * magnitude);
        }
        float n = levelsSquare;
        float step = sum(levels, w) / n;
        float[] rest = new float[w.length];
        for (int c = 0; c < w.length; c++) {
            rest[c] = Math.fma(-step, levels[c], w[c]);
        }
        put(out, row, indices, step, residual(sum(rest, rest)), step * (float) Math.sqrt(n) * (1f + 0x1p-20f));
    }

    private static int index(int bits, float t) {
        if (bits == 6) {
            return Math.min(31, (int) (t * PER_STEP));
        }
        int i = 0;
        while (i < 7 && t >= THRESHOLDS[i]) {
            i++;
        }
        return i;
    }

    private static float residual(float square) {
        float residual = Math.fma((float) Math.sqrt(square), 1f + 0x1p-11f, 0x1p-60f);
        return Float.isNaN(residual) ? Float.POSITIVE_INFINITY : residual;
    }

    /** 32-lane sum of a[i] * b[i]; no product is -0 here, so filling up the last group changes nothing. */
    private static float sum(float[] a, float[] b) {
        float[] lanes = new float[LANES];
        for (int i = 0; i < a.length; i++) {
            lanes[i % LANES] = Math.fma(a[i], b[i], lanes[i % LANES]);
        }
        return ReferenceKernels.fold(lanes);
    }

    /** Writes a row: codes 0 where there are none. */
    private static void put(
            Screen out, int row, int @Nullable [] codes, float step, float residual, float norm) {
        int columns = out.bits() == 4 ? 8 : 16;
        for (int c = 0; c < (out.cols() + columns - 1) / columns * columns; c++) {
            int code = codes == null || c >= out.cols() ? 0 : codes[c];
            insert(out.codes(), lowLane(out, row, c), 4 * (c / 4 % 2), 15, code & 15);
            if (out.bits() == 6) {
                insert(out.codes(), highLane(out, row, c), 2 * (c / 4 % 4), 3, code >> 4);
            }
        }
        out.steps().setAtIndex(JAVA_FLOAT, row, step);
        out.residuals().setAtIndex(JAVA_FLOAT, row, residual);
        out.norms().setAtIndex(JAVA_FLOAT, row, norm);
    }

    private static void insert(MemorySegment bytes, long at, int shift, int mask, int value) {
        bytes.set(JAVA_BYTE, at, (byte) (bytes.get(JAVA_BYTE, at) & ~(mask << shift) | value << shift));
    }

    private static long lane(Screen s, int row, int c) {
        return row / PANEL_ROWS * s.stride() + row % PANEL_ROWS * 4 + c % 4;
    }

    private static long lowLane(Screen s, int row, int c) {
        return lane(s, row, c) + (s.bits() == 4 ? c / 8 : c / 16 * 3 + c / 8 % 2) * 128L;
    }

    private static long highLane(Screen s, int row, int c) {
        return lane(s, row, c) + (c / 16 * 3 + 2) * 128L;
    }

    /** Level of row {@code row}, column {@code c}. */
    static int level(Screen s, int row, int c) {
        int low = s.codes().get(JAVA_BYTE, lowLane(s, row, c)) >> 4 * (c / 4 % 2) & 15;
        if (s.bits() == 4) {
            return (int) (low < 8 ? -LEVELS[7 - low] : LEVELS[low - 8]);
        }
        int high = s.codes().get(JAVA_BYTE, highLane(s, row, c)) >> 2 * (c / 4 % 4) & 3;
        return 2 * (16 * high + low) - 63;
    }

    static void scores(Screen s, ScreenInputs x, int tokens, int rowBegin, int rowEnd, ScreenScores out) {
        for (int t = 0; t < tokens; t++) {
            for (int first = rowBegin; first < rowEnd; first += PANEL_ROWS) {
                float peak = Float.NEGATIVE_INFINITY;
                float ceiling = Float.NEGATIVE_INFINITY;
                for (int row = first; row < first + PANEL_ROWS; row++) {
                    float score = score(s, x, t, row);
                    float upper = score + bound(s, x, t, row);
                    if (Float.isNaN(upper)) {
                        upper = Float.POSITIVE_INFINITY;
                    }
                    out.scores().setAtIndex(JAVA_FLOAT, t * out.stride() + row, score);
                    out.uppers().setAtIndex(JAVA_FLOAT, t * out.stride() + row, upper);
                    if (row < rowEnd) {
                        peak = score > peak ? score : peak;
                        ceiling = upper > ceiling ? upper : ceiling;
                    }
                }
                out.peaks().setAtIndex(JAVA_FLOAT, t * out.panelStride() + first / PANEL_ROWS, peak);
                out.ceilings().setAtIndex(JAVA_FLOAT, t * out.panelStride() + first / PANEL_ROWS, ceiling);
            }
        }
    }

    private static float score(Screen s, ScreenInputs x, int t, int row) {
        int high = 0;
        int low = 0;
        for (int c = 0; c < s.cols(); c++) {
            int level = level(s, row, c);
            high += level * x.high().get(JAVA_BYTE, t * x.stride() + c);
            if (x.low().byteSize() > 0) {
                low += level * x.low().get(JAVA_BYTE, t * x.stride() + c);
            }
        }
        float unit = x.factors().getAtIndex(JAVA_FLOAT, 4L * t);
        return Math.fma((float) high, 64f, (float) low) * unit * s.steps().getAtIndex(JAVA_FLOAT, row) + 0f;
    }

    private static float bound(Screen s, ScreenInputs x, int t, int row) {
        float ofResidual = x.factors().getAtIndex(JAVA_FLOAT, 4L * t + 1);
        float ofNorm = x.factors().getAtIndex(JAVA_FLOAT, 4L * t + 2);
        float least = x.factors().getAtIndex(JAVA_FLOAT, 4L * t + 3);
        float rest = Math.fma(s.norms().getAtIndex(JAVA_FLOAT, row), ofNorm, least);
        return Math.fma(s.residuals().getAtIndex(JAVA_FLOAT, row), ofResidual, rest);
    }

    static int select(
            ScreenScores s, MemorySegment thresholds, int tokens, int rowBegin, int rowEnd, ListedRows out) {
        int count = 0;
        for (int row = rowBegin; row < rowEnd; row++) {
            int mask = 0;
            for (int t = 0; t < tokens; t++) {
                float threshold = thresholds.getAtIndex(JAVA_FLOAT, t);
                float ceiling = s.ceilings().getAtIndex(JAVA_FLOAT, t * s.panelStride() + row / PANEL_ROWS);
                float upper = s.uppers().getAtIndex(JAVA_FLOAT, t * s.stride() + row);
                mask |= ceiling >= threshold && upper >= threshold ? 1 << t : 0;
            }
            if (mask != 0) {
                out.set(count++, row, mask);
            }
        }
        return count;
    }
}
