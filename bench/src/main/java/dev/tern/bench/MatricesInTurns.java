package dev.tern.bench;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Matrices of one size that fill a working set and take turns, as a model's stream from memory. For one thread. */
final class MatricesInTurns<W> {
    private final List<W> matrices;
    private int next;

    private MatricesInTurns(List<W> matrices) {
        this.matrices = matrices;
    }

    /** As many as fill the working set, the last one perhaps in part; sizes are in bytes. */
    static <W> MatricesInTurns<W> filling(long workingSet, long matrixBytes, Supplier<W> matrix) {
        long count = Math.ceilDiv(workingSet, matrixBytes);
        return new MatricesInTurns<>(Stream.generate(matrix).limit(count).toList());
    }

    /** The one whose turn it is. */
    W next() {
        W matrix = matrices.get(next);
        next = next + 1 == matrices.size() ? 0 : next + 1;
        return matrix;
    }

    /** All, in the order of their turns. */
    List<W> all() {
        return matrices;
    }
}
