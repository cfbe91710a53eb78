package dev.tern.checkpoint;

/**
 * Finds out whether a float matrix is ternary with several scales: models trained on n devices that split every matrix
 * have one scale for each of n slices (TriLM, arXiv 2407.12327). Slices are rows where outputs were split and columns
 * where inputs were; so in every row, or in every column, all that is not zero has one magnitude. Continuous weights
 * are found out within the first two rows.
 */
final class ShardScales {
    /** A slice holds many weights; where magnitudes are hardly repeated they are chance. */
    private static final int LEAST_WEIGHTS = 8;

    private final int cols;
    private final float[] ofColumn;
    private boolean byRow = true;
    private boolean byColumn = true;
    private float ofRow;
    private float last;
    private int scales;
    private long weights; // that are not zero

    ShardScales(int cols) {
        this.cols = cols;
        this.ofColumn = new float[cols];
    }

    /**
     * Looks at values {@code [first, first + count)} of the matrix, which come in order.
     *
     * @return whether the matrix may still have several scales
     */
    boolean accept(float[] values, int count, long first) {
        int col = (int) (first % cols);
        for (int i = 0; i < count && (byRow || byColumn); i++, col++) {
            if (col == cols) {
                col = 0;
            }
            if (col == 0) {
                ofRow = 0;
            }
            float magnitude = Math.abs(values[i]);
            if (magnitude != 0) {
                weights++;
                byRow &= ofRow == 0 || ofRow == magnitude;
                byColumn &= ofColumn[col] == 0 || ofColumn[col] == magnitude;
                if (byRow && ofRow == 0 && magnitude != last) {
                    scales++;
                    last = magnitude;
                }
                ofRow = magnitude;
                ofColumn[col] = magnitude;
            }
        }
        return byRow || byColumn;
    }

    /** How many slices the whole matrix shows, each with a scale of its own; 1 when it is continuous. */
    int count() {
        int slices = byRow ? scales : byColumn ? columnSlices() : 1;
        return weights >= (long) LEAST_WEIGHTS * slices ? Math.max(slices, 1) : 1;
    }

    private int columnSlices() {
        int slices = 0;
        float before = 0;
        for (float magnitude : ofColumn) {
            if (magnitude != 0 && magnitude != before) {
                slices++;
                before = magnitude;
            }
        }
        return slices;
    }

    /** "rows" or "columns": what the slices are made of. */
    String direction() {
        return byRow ? "rows" : "columns";
    }
}
