package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/** The layouts of panels, as {@code tern_kernels.h} describes them. */
final class ReferencePanels {
    private static final int PANEL_ROWS = 32;
    private static final ValueLayout.OfShort WORD = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LANE = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private ReferencePanels() {}

    /** A row's codes in {@link TernaryLayout#ROWS}, from whatever layout. */
    static void copyRow(TernaryWeights w, int row, byte[] codes) {
        TernaryLayout layout = w.layout();
        if (layout == TernaryLayout.ROWS) {
            MemorySegment.copy(w.codes(), JAVA_BYTE, (long) row * codes.length, codes, 0, codes.length);
            return;
        }
        Arrays.fill(codes, (byte) 0b01_01_01_01); // T = 0 where there are no columns
        int columns = layout.groupColumns();
        long panel = row / PANEL_ROWS * layout.stride(w.cols()) + row % PANEL_ROWS * 4;
        for (int c = 0; c < w.cols(); c++) {
            int code = layout == TernaryLayout.PANELS_MIXED
                    ? mixedCode(w, row, c)
                    : code(layout, w.codes().get(JAVA_BYTE, panel + c / columns * 128L + c % 4) & 255, c % columns / 4);
            int at = c / TernaryWeights.GROUP * TernaryWeights.GROUP_BYTES + c % 32;
            int shift = 6 - 2 * (c % TernaryWeights.GROUP / 32);
            codes[at] = (byte) (codes[at] & ~(3 << shift) | code << shift);
        }
    }

    private static int code(TernaryLayout layout, int value, int k) {
        return layout == TernaryLayout.PANELS_2BIT ? value >> 2 * k & 3 : trit(value, k);
    }

    /** Where a group of a panel begins in {@link TernaryLayout#PANELS_MIXED}: windows have 14 groups, or what is left. */
    private static long mixedGroup(TernaryWeights w, int panel, int group) {
        int groups = (w.cols() + 24) / 25;
        int first = group - group % 14;
        long panels = (w.rows() + PANEL_ROWS - 1L) / PANEL_ROWS;
        return 192 * (first * panels + (long) panel * Math.min(14, groups - first) + group - first);
    }

    /** Byte of a group where the word of a panel's row lies. */
    private static int mixedWord(int r) {
        return 128 + (r % 16 * 2 + r / 16) * 2;
    }

    private static int mixedCode(TernaryWeights w, int row, int c) {
        long group = mixedGroup(w, row / PANEL_ROWS, c / 25);
        int r = row % PANEL_ROWS;
        int i = c % 25;
        if (i < 16) {
            return w.codes().get(JAVA_BYTE, group + 4 * r + i % 4) >> 2 * (i / 4) & 3;
        }
        int number = w.codes().get(WORD, group + mixedWord(r)) >> 5 * ((i - 16) / 3) & 31;
        return switch ((i - 16) % 3) {
            case 0 -> number % 3;
            case 1 -> number / 3 % 3;
            default -> number / 9;
        };
    }

    private static void packMixed(MemorySegment codes, int rowBegin, int rowEnd, TernaryWeights w) {
        long rowBytes = TernaryWeights.rowBytes(w.cols());
        for (int row = rowBegin; row < (rowEnd + PANEL_ROWS - 1) / PANEL_ROWS * PANEL_ROWS; row++) {
            int r = row % PANEL_ROWS;
            for (int g = 0; g < (w.cols() + 24) / 25; g++) {
                int bits = 0;
                int word = 0;
                for (int i = 24; i >= 0; i--) {
                    int c = 25 * g + i;
                    int code = row < rowEnd && c < w.cols() ? code(codes, (row - rowBegin) * rowBytes, c) : 1;
                    if (i < 16) {
                        bits |= code << 8 * (i % 4) + 2 * (i / 4);
                    } else { // digits of three numbers, the last number and its highest digit first
                        word = (i - 16) % 3 == 2 ? word << 5 | 9 * code : word + code * ((i - 16) % 3 == 1 ? 3 : 1);
                    }
                }
                long group = mixedGroup(w, row / PANEL_ROWS, g);
                w.codes().set(LANE, group + 4 * r, bits);
                w.codes().set(WORD, group + mixedWord(r), (short) word);
            }
        }
    }

    /** Digit {@code k}, from the highest on, of five trits stored as ceil(256 q / 243): 3 v = 256 digit + next v. */
    private static int trit(int value, int k) {
        int v = value;
        for (int i = 0; i < k; i++) {
            v = 3 * v & 255;
        }
        return 3 * v >> 8;
    }

    static void pack(MemorySegment codes, int rowBegin, int rowEnd, TernaryWeights w) {
        TernaryLayout layout = w.layout();
        if (layout == TernaryLayout.PANELS_MIXED) {
            packMixed(codes, rowBegin, rowEnd, w);
            return;
        }
        int columns = layout.groupColumns();
        long stride = layout.stride(w.cols());
        long rowBytes = TernaryWeights.rowBytes(w.cols());
        for (int row = rowBegin; row < (rowEnd + PANEL_ROWS - 1) / PANEL_ROWS * PANEL_ROWS; row++) {
            long at = row / PANEL_ROWS * stride + row % PANEL_ROWS * 4;
            for (int first = 0; first < w.cols(); first += columns, at += 4 * PANEL_ROWS) {
                for (int j = 0; j < 4; j++) {
                    int value = 0;
                    for (int k = 0; k < columns / 4; k++) {
                        int c = first + 4 * k + j;
                        int code = row < rowEnd && c < w.cols() ? code(codes, (row - rowBegin) * rowBytes, c) : 1;
                        value = layout == TernaryLayout.PANELS_2BIT ? value | code << 2 * k : 3 * value + code;
                    }
                    byte packed = (byte) (layout == TernaryLayout.PANELS_2BIT ? value : (256 * value + 242) / 243);
                    w.codes().set(JAVA_BYTE, at + j, packed);
                }
            }
        }
    }

    private static int code(MemorySegment codes, long row, int c) {
        int four = codes.get(JAVA_BYTE, row + c / TernaryWeights.GROUP * TernaryWeights.GROUP_BYTES + c % 32);
        return Math.min(2, four >> 6 - 2 * (c % TernaryWeights.GROUP / 32) & 3);
    }
}
