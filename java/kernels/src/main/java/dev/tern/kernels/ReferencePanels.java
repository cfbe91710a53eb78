package dev.tern.kernels;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The layouts of panels, as {@code tern_kernels.h} describes them. */
final class ReferencePanels {
    private static final int PANEL_ROWS = 32;

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
            int value = w.codes().get(JAVA_BYTE, panel + c / columns * 128L + c % 4) & 255;
            int k = c % columns / 4;
            int code = layout == TernaryLayout.PANELS_2BIT ? value >> 2 * k & 3 : trit(value, k);
            int at = c / TernaryWeights.GROUP * TernaryWeights.GROUP_BYTES + c % 32;
            int shift = 6 - 2 * (c % TernaryWeights.GROUP / 32);
            codes[at] = (byte) (codes[at] & ~(3 << shift) | code << shift);
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
