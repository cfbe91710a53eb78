package dev.tern.convert;

import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryRows;

/**
 * The order of q and k rows. Hugging Face pairs row i of a head with row i + headDim/2; GGUF's {@code llama} graph
 * pairs neighbours, so each head's two halves are interleaved on the way ({@code permute} of llama.cpp's converter).
 * The bitnet graphs pair as Hugging Face does.
 */
final class RopePermutation {
    private RopePermutation() {}

    /**
     * The matrix in the order that the model's graph wants: q and k of {@code llama} interleaved, all others as they
     * are.
     */
    static TernaryRows apply(TernaryRows matrix, String tensor, ModelHyperparameters model) {
        boolean rotated = tensor.endsWith(".attn_q.weight") || tensor.endsWith(".attn_k.weight");
        return model.architecture().equals("llama") && rotated ? new Interleaved(matrix, model.headDim()) : matrix;
    }

    /** Whether U of a low-rank correction, whose rows are those of its projection, is to be interleaved as well. */
    static boolean interleavesFloats(String tensor, ModelHyperparameters model) {
        return model.architecture().equals("llama")
                && (tensor.endsWith(".attn_q.lrc_u") || tensor.endsWith(".attn_k.lrc_u"));
    }

    /** Which of Hugging Face's rows is row {@code row} of an interleaved matrix. */
    static long sourceRow(long row, int headDim) {
        long inHead = row % headDim;
        return row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
    }

    /** Row 2p of a head is its row p, row 2p + 1 its row headDim/2 + p. */
    private static final class Interleaved implements TernaryRows {
        private final TernaryRows halves;
        private final int headDim;
        private final byte[] half;

        Interleaved(TernaryRows halves, int headDim) {
            this.halves = halves;
            this.headDim = headDim;
            this.half = new byte[headDim / 2 * halves.cols()];
        }

        @Override
        public int rows() {
            return halves.rows();
        }

        @Override
        public int cols() {
            return halves.cols();
        }

        @Override
        public float scale() {
            return halves.scale();
        }

        @Override
        public void read(int firstRow, int count, byte[] t) {
            int end = firstRow + count;
            for (int head = firstRow / headDim * headDim; head < end; head += headDim) {
                for (int upper = 0; upper < 2; upper++) {
                    // Of this half those whose rows 2p + upper lie in the band.
                    int firstPair = Math.ceilDiv(Math.max(firstRow - head, 0) - upper, 2);
                    int endPair = Math.ceilDiv(Math.min(end - head, headDim) - upper, 2);
                    if (firstPair < endPair) {
                        halves.read(head + upper * headDim / 2 + firstPair, endPair - firstPair, half);
                        spread(firstPair, endPair, head + upper - firstRow, t);
                    }
                }
            }
        }

        private void spread(int firstPair, int endPair, int to, byte[] t) {
            int cols = halves.cols();
            for (int pair = firstPair; pair < endPair; pair++) {
                System.arraycopy(half, (pair - firstPair) * cols, t, (to + 2 * pair) * cols, cols);
            }
        }
    }
}
