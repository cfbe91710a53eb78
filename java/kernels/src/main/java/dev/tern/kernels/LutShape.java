package dev.tern.kernels;

/**
 * What a look-up-table kernel is generated for ({@code tern_lut_shape} of the C header): a format, a matrix shape, and the
 * tile that its weights are packed with.
 *
 * @param format of the packed weights
 * @param rows M, outputs
 * @param cols K, inputs
 * @param bm BM, rows of a tile
 * @param bk BK, columns of a tile
 * @param bmm bm, rows that lie interleaved
 */
public record LutShape(Format format, int rows, int cols, int bm, int bk, int bmm) {
    /** Rows are computed in multiples of this. */
    public static final int ROW_UNIT = 32;

    /** Formats of packed weights; {@link #code} is {@code tern_lut_format}. */
    public enum Format {
        TL1(1),
        TL2(2);

        private final int code;

        Format(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }

        /** Columns of every matrix of the format are a multiple of this. */
        int colUnit() {
            return this == TL2 ? 8 : 4;
        }
    }

    /** @throws IllegalArgumentException when a dimension is not positive, or one that the packing needs whole is not */
    public LutShape {
        if (rows <= 0 || cols <= 0 || bm <= 0 || bk <= 0 || bmm <= 0 || rows % ROW_UNIT != 0
                || cols % format.colUnit() != 0 || cols > TernaryWeights.MAX_COLS) {
            throw new IllegalArgumentException(
                    format + " " + rows + " x " + cols + ", tile " + bm + "/" + bk + "/" + bmm + ": no such kernel");
        }
    }

    /** Bytes of the packed weights: M*three_k*5/24 + M*two_k/4 with three_k = K/BK*BK for TL2, M*K/4 for TL1. */
    public long packedBytes() {
        long three = format == Format.TL2 ? cols / bk * bk : 0;
        return rows * three / 6 + rows * three / 24 + rows * (cols - three) / 4;
    }

    /** {@code TL2 2560x6912 160/96/32}. */
    @Override
    public String toString() {
        return format + " " + rows + "x" + cols + " " + bm + "/" + bk + "/" + bmm;
    }
}
