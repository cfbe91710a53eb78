package dev.tern.ternary;

import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import java.util.Optional;

/**
 * A ternary matrix (T, s), W = s * T, whose rows are read when they are wanted, so that no matrix need be in memory
 * whole. s is known from the start. Not thread-safe: an implementation may hold buffers.
 */
public interface TernaryRows {

    /**
     * A file's tensor, or empty when its type holds no ternary weights. The file must stay open.
     *
     * @param tiles of the same file
     * @throws InputException when the scale is not finite, or the tensor is TL1 or TL2 and its tile is not known
     */
    static Optional<TernaryRows> of(GgufFile file, GgufTensor tensor, LutTiles tiles) {
        return TernaryCodec.of(tensor, tiles).map(codec -> new GgufRows(file, tensor, codec));
    }

    /** Output features M. */
    int rows();

    /** Input features K. */
    int cols();

    /** s, finite. */
    float scale();

    /**
     * Reads rows {@code [firstRow, firstRow + count)}.
     *
     * @param t gets them from index 0 on, row-major, each value -1, 0 or +1
     * @throws InputException when what is stored there is no ternary matrix of scale s
     */
    void read(int firstRow, int count, byte[] t);

    /** The whole matrix. */
    default TernaryMatrix matrix() {
        byte[] t = new byte[Math.multiplyExact(rows(), cols())];
        read(0, rows(), t);
        return new TernaryMatrix(rows(), cols(), t, scale());
    }
}
