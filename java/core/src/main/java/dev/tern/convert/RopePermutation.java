package dev.tern.convert;

import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryMatrix;

/**
 * The order of q and k rows. Hugging Face pairs row i of a head with row i + headDim/2; GGUF's {@code llama} graph pairs
 * neighbours, so each head's two halves are interleaved on the way ({@code permute} of llama.cpp's converter). The bitnet
 * graphs pair as Hugging Face does.
 */
final class RopePermutation {
    private RopePermutation() {}

    /** The matrix in the order that the architecture wants; q and k of {@code llama} are copied, all others returned. */
    static TernaryMatrix apply(TernaryMatrix matrix, String tensor, String architecture, ModelHyperparameters model) {
        boolean rotated = tensor.endsWith(".attn_q.weight") || tensor.endsWith(".attn_k.weight");
        return architecture.equals("llama") && rotated ? interleave(matrix, model.headDim()) : matrix;
    }

    private static TernaryMatrix interleave(TernaryMatrix matrix, int headDim) {
        int cols = matrix.cols();
        byte[] values = new byte[matrix.values().length];
        for (int row = 0; row < matrix.rows(); row++) {
            int head = row / headDim;
            int half = row % headDim / (headDim / 2);
            int pair = row % (headDim / 2);
            int to = head * headDim + 2 * pair + half;
            System.arraycopy(matrix.values(), row * cols, values, to * cols, cols);
        }
        return new TernaryMatrix(matrix.rows(), cols, values, matrix.scale());
    }
}
