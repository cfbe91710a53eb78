package dev.tern.probe;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntUnaryOperator;

/**
 * Readings that faulty converters are known for. Those that move weights say where in the matrix as stored the weight
 * lies that belongs in a place.
 */
public final class Rewrites {
    private static final int GROUP = 128;

    private Rewrites() {}

    /** Where weights move in every matrix. */
    private interface Move extends Rewrite {
        @Override
        default boolean moves(String projection) {
            return true;
        }

        @Override
        void move(String projection, MemorySegment stored, int rows, int cols, int firstRow, int count, byte[] out);
    }

    private static boolean rotated(String projection) {
        return projection.endsWith(".attn_q.weight") || projection.endsWith(".attn_k.weight");
    }

    /** Moves within each group of consecutive weights: place i of a group is stored at place {@code from(i)}. */
    private static Rewrite withinGroups(int group, IntUnaryOperator from) {
        return (Move) (projection, stored, rows, cols, firstRow, count, out) -> {
            int first = firstRow * cols;
            boolean whole = rows * cols % group == 0;
            for (int i = 0; i < count * cols; i++) {
                int in = (first + i) % group;
                out[i] = stored.get(ValueLayout.JAVA_BYTE, whole ? first + i - in + from.applyAsInt(in) : first + i);
            }
        };
    }

    /** Moves rows: row r is stored as row {@code from(r)}. */
    private static void rows(
            MemorySegment stored, int cols, int firstRow, int count, byte[] out, IntUnaryOperator from) {
        for (int row = 0; row < count; row++) {
            long at = (long) from.applyAsInt(firstRow + row) * cols;
            MemorySegment.copy(stored, ValueLayout.JAVA_BYTE, at, out, row * cols, cols);
        }
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
        return (Move) (projection, stored, rows, cols, firstRow, count, out) -> {
            boolean whole = rows % 4 == 0 && rows * cols % GROUP == 0;
            for (int i = 0; i < count * cols; i++) {
                int row = firstRow + i / cols;
                int at = row / 4 * cols + i % cols; // the byte
                int moved = at / 32 * GROUP + row % 4 * 32 + at % 32;
                out[i] = stored.get(ValueLayout.JAVA_BYTE, whole ? moved : firstRow * cols + i);
            }
        };
    }

    /**
     * A packed checkpoint unpacked as if a byte held four consecutive rows ({@code rows i::4}): row 4j + i of the result is
     * row j + i·N/4 of the model.
     */
    public static Rewrite unpackedAsConsecutiveRows() {
        return (Move) (projection, stored, rows, cols, firstRow, count, out) ->
                rows(stored, cols, firstRow, count, out, r -> ofConsecutive(r, rows));
    }

    /** The same in a file of {@code llama}, for which q and k were interleaved after they were unpacked. */
    public static Rewrite unpackedAsConsecutiveRowsThenInterleaved(int headDim) {
        return (Move) (projection, stored, rows, cols, firstRow, count, out) -> {
            boolean rotated = rotated(projection);
            rows(stored, cols, firstRow, count, out, r -> rotated
                    ? rowOfHalves(ofConsecutive(rowOfPairs(r, headDim), rows), headDim)
                    : ofConsecutive(r, rows));
        };
    }

    private static int ofConsecutive(int row, int rows) {
        int quarter = rows / 4;
        return rows % 4 != 0 ? row : row % quarter * 4 + row / quarter;
    }

    /** A checkpoint packed with four consecutive rows a byte, unpacked as Hugging Face packs: the opposite move. */
    public static Rewrite packedAsConsecutiveRows() {
        return (Move) (projection, stored, rows, cols, firstRow, count, out) ->
                rows(stored, cols, firstRow, count, out, r -> rows % 4 != 0 ? r : r % 4 * (rows / 4) + r / 4);
    }

    /** q and k with the halves of each head interleaved, as GGUF's {@code llama} wants them, where they must not be. */
    public static Rewrite interleavedRope(int headDim) {
        return new Rewrite() {
            @Override
            public boolean moves(String projection) {
                return rotated(projection);
            }

            @Override
            public void move(
                    String projection, MemorySegment stored, int rows, int cols, int firstRow, int count, byte[] out) {
                rows(stored, cols, firstRow, count, out, r -> rowOfHalves(r, headDim));
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
