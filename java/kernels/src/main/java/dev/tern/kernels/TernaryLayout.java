package dev.tern.kernels;

/**
 * How the codes of a ternary matrix lie in memory; {@code tern_ternary_layout} of the C header, which describes each to
 * the bit. All give the same results.
 */
public enum TernaryLayout {
    /** Row after row, 2 bits a weight in groups of 128 columns: the rows of an I2_S tensor. */
    ROWS(1, TernaryWeights.GROUP, TernaryWeights.GROUP_BYTES),
    /** 32 rows interleaved, 2 bits a weight. */
    PANELS_2BIT(32, 16, 128),
    /** 32 rows interleaved, five trits a byte: 1.6 bits a weight. */
    PANELS_5TRIT(32, 20, 128),
    /** 32 rows interleaved, 16 columns in 2 bits beside nine in words of trits: 1.92 bits a weight. */
    PANELS_MIXED(32, 25, 192);

    private final int panelRows;
    private final int groupColumns;
    private final int groupBytes;

    TernaryLayout(int panelRows, int groupColumns, int groupBytes) {
        this.panelRows = panelRows;
        this.groupColumns = groupColumns;
        this.groupBytes = groupBytes;
    }

    /** The C header's number of this layout. */
    int code() {
        return ordinal();
    }

    /** Rows that lie interleaved: 1 or 32. */
    public int panelRows() {
        return panelRows;
    }

    /** Columns of a group, the smallest piece of a panel. */
    int groupColumns() {
        return groupColumns;
    }

    /** Most columns of a matrix. */
    public int maxCols() {
        return this == PANELS_5TRIT ? 65_535 : TernaryWeights.MAX_COLS;
    }

    /**
     * Bytes of a panel (of {@link #ROWS}: of a row), which lie together but in {@link #PANELS_MIXED}, where windows of
     * columns have theirs one after the other.
     */
    public long stride(int cols) {
        return (cols + groupColumns - 1L) / groupColumns * groupBytes;
    }

    /** Bytes of a matrix. */
    public long bytes(int rows, int cols) {
        return Math.multiplyExact((rows + panelRows - 1L) / panelRows, stride(cols));
    }
}
