package dev.tern.codegen;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shape of a ternary weight matrix.
 *
 * @param rows output features, the M of kernel literature
 * @param cols input features, its K
 */
public record MatrixShape(int rows, int cols) {
    private static final Pattern TEXT = Pattern.compile("(\\d{1,9})x(\\d{1,9})");

    public MatrixShape {
        if (rows <= 0 || cols <= 0) {
            throw new IllegalArgumentException("a matrix of " + rows + " x " + cols);
        }
    }

    /**
     * The shape that {@link #toString} writes, such as {@code 2560x6912}.
     *
     * @throws IllegalArgumentException when it is none
     */
    public static MatrixShape parse(String text) {
        Matcher sides = TEXT.matcher(text);
        if (!sides.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no shape such as 2560x6912");
        }
        return new MatrixShape(Integer.parseInt(sides.group(1)), Integer.parseInt(sides.group(2)));
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
