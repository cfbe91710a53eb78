package dev.tern.probe;

import dev.tern.ternary.TernaryMatrix;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;

/**
 * Readings that faulty converters are known for. Those that move weights say where in the matrix as stored the weight lies
 * that belongs in a place.
 */
public final class Rewrites {
    private static final int GROUP = 128;

    private Rewrites() {}

    /** Moves weights in every matrix. */
    private static Rewrite moving(UnaryOperator<TernaryMatrix> move) {
        return new Rewrite() {
            @Override
            public boolean moves(String projection) {
                return true;
            }

            @Override
            public TernaryMatrix moved(String projection, TernaryMatrix matrix) {
                return move.apply(matrix);
            }
        };
    }

    private static boolean rotated(String projection) {
        return projection.endsWith(".attn_q.weight") || projection.endsWith(".attn_k.weight");
    }

    /** Moves within each group of consecutive weights: place i of a group is stored at place {@code from(i)}. */
    private static Rewrite withinGroups(int group, IntUnaryOperator from) {
        return moving(matrix -> {
            byte[] stored = matrix.values();
            if (stored.length % group != 0) {
                return matrix;
            }
            byte[] values = new byte[stored.length];
            for (int start = 0; start < stored.length; start += group) {
                for (int i = 0; i < group; i++) {
                    values[start + i] = stored[start + from.applyAsInt(i)];
                }
            }
            return new TernaryMatrix(matrix.rows(), matrix.cols(), values, matrix.scale());
        });
    }

    /** Moves rows: row r is stored as row {@code from(r)}. */
    private static TernaryMatrix rows(TernaryMatrix matrix, IntUnaryOperator from) {
        int cols = matrix.cols();
        byte[] values = new byte[matrix.values().length];
        for (int row = 0; row < matrix.rows(); row++) {
            System.arraycopy(matrix.values(), from.applyAsInt(row) * cols, values, row * cols, cols);
        }
        return new TernaryMatrix(matrix.rows(), cols, values, matrix.scale());
    }

    /**
     * I2_S written with four consecutive weights a byte, the first in the lowest bits. Read as I2_S, bits 7:6, 5:4, 3:2, 1:0
     * of byte p of a group are places p, p+32, p+64, p+96.
     */
    public static Rewrite sequentialI2s() {
        return withinGroups(GROUP, i -> (3 - i % 4) * 32 + i / 4);
    }

    /** I2_S written in groups of 64 weights, as bitnet.cpp's NEON code of 2026 does: byte p has p, p+16, p+32, p+48. */
    public static Rewrite neonI2s() {
        return withinGroups(GROUP, i -> {
            int storedByte = i / 64 * 16 + i % 16;
            return i % 64 / 16 * 32 + storedByte;
        });
    }

    /**
     * I2_S written with four rows of one column a byte (bitnet.cpp without {@code ACT_PARALLEL}): byte (r/4)·K + k has rows
     * 4g, 4g+1, 4g+2, 4g+3 in bits 7:6, 5:4, 3:2, 1:0.
     */
    public static Rewrite fourRowsI2s() {
        return moving(matrix -> {
            int cols = matrix.cols();
            byte[] stored = matrix.values();
            if (matrix.rows() % 4 != 0 || stored.length % GROUP != 0) {
                return matrix;
            }
            byte[] values = new byte[stored.length];
            for (int row = 0; row < matrix.rows(); row++) {
                for (int col = 0; col < cols; col++) {
                    int at = row / 4 * cols + col; // the byte
                    values[row * cols + col] = stored[at / 32 * GROUP + row % 4 * 32 + at % 32];
                }
            }
            return new TernaryMatrix(matrix.rows(), cols, values, matrix.scale());
        });
    }

    /**
     * A packed checkpoint unpacked as if a byte held four consecutive rows ({@code rows i::4}): row 4j + i of the result is
     * row j + i·N/4 of the model.
     */
    public static Rewrite unpackedAsConsecutiveRows() {
        return moving(Rewrites::inQuarters);
    }

    /** The same in a file of {@code llama}, for which q and k were interleaved after they were unpacked. */
    public static Rewrite unpackedAsConsecutiveRowsThenInterleaved(int headDim) {
        return new Rewrite() {
            @Override
            public boolean moves(String projection) {
                return true;
            }

            @Override
            public TernaryMatrix moved(String projection, TernaryMatrix matrix) {
                if (!rotated(projection)) {
                    return inQuarters(matrix);
                }
                TernaryMatrix unpacked = rows(matrix, r -> rowOfHalves(r, headDim));
                return rows(inQuarters(unpacked), r -> rowOfPairs(r, headDim));
            }
        };
    }

    private static TernaryMatrix inQuarters(TernaryMatrix matrix) {
        int quarter = matrix.rows() / 4;
        return matrix.rows() % 4 != 0 ? matrix : rows(matrix, r -> r % quarter * 4 + r / quarter);
    }

    /** A checkpoint packed with four consecutive rows a byte, unpacked as Hugging Face packs: the opposite move. */
    public static Rewrite packedAsConsecutiveRows() {
        return moving(matrix -> {
            int quarter = matrix.rows() / 4;
            return matrix.rows() % 4 != 0 ? matrix : rows(matrix, r -> r % 4 * quarter + r / 4);
        });
    }

    /** q and k with the halves of each head interleaved, as GGUF's {@code llama} wants them, where they must not be. */
    public static Rewrite interleavedRope(int headDim) {
        return new Rewrite() {
            @Override
            public boolean moves(String projection) {
                return rotated(projection);
            }

            @Override
            public TernaryMatrix moved(String projection, TernaryMatrix matrix) {
                return rows(matrix, r -> rowOfHalves(r, headDim));
            }

            @Override
            public int rowOfU(String projection, int row) {
                return rotated(projection + ".weight") ? rowOfHalves(row, headDim) : row;
            }
        };
    }

    /** Where row {@code row} of a head, its two halves one after the other, stands among interleaved rows. */
    private static int rowOfHalves(int row, int headDim) {
        int in = row % headDim;
        return row - in + in % (headDim / 2) * 2 + in / (headDim / 2);
    }

    /** Where row {@code row} of interleaved rows stands when a head's halves lie one after the other. */
    private static int rowOfPairs(int row, int headDim) {
        int in = row % headDim;
        return row - in + in % 2 * (headDim / 2) + in / 2;
    }

    /** Scales stored as 1/s. */
    public static Rewrite inverseScales() {
        return inverseScalesAbove(0);
    }

    /** Those scales stored as 1/s that are larger than a limit. */
    public static Rewrite inverseScalesAbove(float limit) {
        return new Rewrite() {
            @Override
            public float scale(float stored) {
                return stored > limit ? 1 / stored : stored;
            }
        };
    }
}
