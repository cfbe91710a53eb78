package dev.tern.convert;

import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.ternary.TernaryRows;

/** Rows of a ternary matrix that pass through the second-level cache together. */
final class Band {
    /** Weights of a band, or the rows that belong together if these are more. */
    private static final int WEIGHTS = 1 << 17;

    private Band() {}

    /** Rows of a band of a matrix: a multiple of {@code unit}, which divides the matrix's rows, or all of them. */
    static int rows(TernaryRows matrix, int unit) {
        return (int) Math.min(matrix.rows(), (long) unit * Math.max(1, WEIGHTS / matrix.cols() / unit));
    }

    /** Bytes that a band takes as a tensor of its own. */
    static int bytes(TernaryRows matrix, TernaryCodec codec) {
        return Math.toIntExact(codec.byteSize(rows(matrix, codec.bandRows()), matrix.cols()));
    }

    /** Reads rows, into {@code buffer} where its size is theirs. */
    static TernaryMatrix read(TernaryRows matrix, int firstRow, int count, byte[] buffer) {
        int weights = count * matrix.cols();
        byte[] t = buffer.length == weights ? buffer : new byte[weights];
        matrix.read(firstRow, count, t);
        return new TernaryMatrix(count, matrix.cols(), t, matrix.scale());
    }
}
