package dev.tern.codegen;

/**
 * Shape of a ternary weight matrix.
 *
 * @param rows output features, the M of kernel literature
 * @param cols input features, its K
 */
public record MatrixShape(int rows, int cols) {

    public MatrixShape {
        if (rows <= 0 || cols <= 0) {
            throw new IllegalArgumentException("a matrix of " + rows + " x " + cols);
        }
    }

    /** Number of weights. */
    public long weights() {
        return (long) rows * cols;
    }

    @Override
    public String toString() {
        return rows + "x" + cols;
    }
}
