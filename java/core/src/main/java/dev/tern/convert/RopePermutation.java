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

    /** Whether U of a low-rank correction, whose rows are those of its projection, is to be interleaved as well. */
    static boolean interleavesFloats(String tensor, String architecture) {
        return architecture.equals("llama") && (tensor.endsWith(".attn_q.lrc_u") || tensor.endsWith(".attn_k.lrc_u"));
    }

    /** Which of Hugging Face's rows is row {@code row} of an interleaved matrix. */
    static long sourceRow(long row, int headDim) {
        long inHead = row % headDim;
        return row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
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
