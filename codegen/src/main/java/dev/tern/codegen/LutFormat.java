package dev.tern.codegen;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The formats of bitnet.cpp whose kernels look partial sums up in tables instead of multiplying. Both store a matrix
 * tile by tile, so that the bytes of a file mean nothing without the tile they were packed with.
 *
 * <p>The layouts, for row r and columns c of a matrix of M rows and K columns:
 *
 * <ul>
 *   <li><b>TL2</b>, 1.67 bits a weight: the columns below {@link #threeColumns} in threes, a nibble for
 *       |9w0 + 3w1 + w2| and a bit for its sign; the rest in twos, a nibble for 3w0 + w1 + 4.
 *   <li><b>TL1</b>, 2 bits a weight: all columns in twos.
 * </ul>
 */
public enum LutFormat {
    /** 2 bits a weight; made for NEON. */
    TL1,
    /** 1.67 bits a weight; made for AVX2. */
    TL2;

    /** Rows that the vectors of every kernel take at once; the unit in which rows are dealt out to threads. */
    public static final int ROW_UNIT = 32;

    /** Columns that share a sign group of TL2: 8 triples of 3. */
    static final int SIGN_GROUP_COLS = 24;

    /** Columns of one block of TL2's two-part region. */
    static final int PAIR_BLOCK_COLS = 32;

    /**
     * An entry of a table of triples counts as 3 * 127 at most, one of pairs as 2 * 127: so bitnet.cpp reckons, and its tiles are
     * to be legal here. (-128 exists, a NaN becomes it; Tern's kernels widen in time for it, whatever the tile.)
     */
    private static final int MAX_TRIPLE = 3 * 127;

    private static final int MAX_PAIR = 2 * 127;

    /** As typed on the command line and written in metadata keys: {@code tl2}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Columns of the matrix that TL2 stores in threes: the largest multiple of BK; for TL1 none. */
    public int threeColumns(MatrixShape shape, Tile tile) {
        return this == TL2 ? shape.cols() / tile.cols() * tile.cols() : 0;
    }

    /**
     * Bytes of the packed weights, without the padding and the scale behind them:
     * M*three_k/6 + M*three_k/24 + M*two_k/4 for TL2, M*K/4 for TL1.
     */
    public long packedBytes(MatrixShape shape, Tile tile) {
        long three = threeColumns(shape, tile);
        long two = shape.cols() - three;
        return shape.rows() * three / 6 + shape.rows() * three / 24 + shape.rows() * two / 4;
    }

    /** Why a matrix cannot be cut into this tile, as a clause that names the numbers, or empty when it can. */
    public Optional<String> obstacle(MatrixShape shape, Tile tile) {
        return this == TL2 ? obstacleOfTl2(shape, tile) : obstacleOfTl1(shape, tile);
    }

    private static Optional<String> obstacleOfTl2(MatrixShape shape, Tile tile) {
        if (tile.rowBlock() != 32) {
            return Optional.of("bm is " + tile.rowBlock() + ", and TL2 interleaves 32 rows");
        }
        if (tile.rows() % 32 != 0) {
            return Optional.of("BM " + tile.rows() + " is no multiple of 32");
        }
        if (shape.rows() % tile.rows() != 0) {
            return Optional.of("BM " + tile.rows() + " does not divide M = " + shape.rows());
        }
        if (tile.cols() % SIGN_GROUP_COLS != 0) {
            return Optional.of("BK " + tile.cols() + " is no multiple of " + SIGN_GROUP_COLS
                    + " (8 triples share a group of signs)");
        }
        long sum = tile.cols() / 3L * MAX_TRIPLE;
        if (sum > Short.MAX_VALUE) {
            return Optional.of("BK " + tile.cols() + " overflows int16: " + tile.cols() / 3 + " triples of up to "
                    + MAX_TRIPLE + " are " + sum);
        }
        if (tile.cols() > shape.cols()) {
            return Optional.of("BK " + tile.cols() + " is more than K = " + shape.cols());
        }
        int rest = shape.cols() % tile.cols();
        if (rest % PAIR_BLOCK_COLS != 0) {
            return Optional.of("K mod BK = " + shape.cols() + " mod " + tile.cols() + " = " + rest
                    + " is no multiple of " + PAIR_BLOCK_COLS + " (a block of pairs)");
        }
        return Optional.empty();
    }

    private static Optional<String> obstacleOfTl1(MatrixShape shape, Tile tile) {
        if (tile.rowBlock() != 32 && tile.rowBlock() != 64) {
            return Optional.of("bm is " + tile.rowBlock() + ", and TL1 interleaves 32 or 64 rows");
        }
        if (tile.rows() % tile.rowBlock() != 0) {
            return Optional.of("BM " + tile.rows() + " is no multiple of bm " + tile.rowBlock());
        }
        if (shape.rows() % tile.rows() != 0) {
            return Optional.of("BM " + tile.rows() + " does not divide M = " + shape.rows());
        }
        int by = 256 / tile.rowBlock();
        if (tile.cols() % by != 0) {
            return Optional.of("BK " + tile.cols() + " is no multiple of " + by + " (256 / bm)");
        }
        long sum = tile.cols() / 2L * MAX_PAIR;
        if (sum > Short.MAX_VALUE) {
            return Optional.of("BK " + tile.cols() + " overflows int16: " + tile.cols() / 2 + " pairs of up to "
                    + MAX_PAIR + " are " + sum);
        }
        if (shape.cols() % tile.cols() != 0) {
            return Optional.of("BK " + tile.cols() + " does not divide K = " + shape.cols());
        }
        return Optional.empty();
    }

    /** Every tile that the matrix can be cut into, by BM, then BK, then bm, ascending; empty when there is none. */
    public List<Tile> legalTiles(MatrixShape shape) {
        List<Tile> tiles = new ArrayList<>();
        if (shape.rows() % ROW_UNIT != 0) {
            return tiles;
        }
        int step = this == TL2 ? SIGN_GROUP_COLS : 4;
        for (int units : divisors(shape.rows() / ROW_UNIT)) {
            int rows = units * ROW_UNIT;
            for (int cols = step; cols <= Math.min(shape.cols(), 258); cols += step) {
                for (int rowBlock = 32; rowBlock <= 64; rowBlock += 32) {
                    Tile tile = new Tile(rows, cols, rowBlock);
                    if (obstacle(shape, tile).isEmpty()) {
                        tiles.add(tile);
                    }
                }
            }
        }
        return tiles;
    }

    /** Ascending; found in pairs, since a matrix that a file claims may have 2^31 rows. */
    private static SortedSet<Integer> divisors(int number) {
        SortedSet<Integer> divisors = new TreeSet<>();
        for (int divisor = 1; divisor <= number / divisor; divisor++) {
            if (number % divisor == 0) {
                divisors.add(divisor);
                divisors.add(number / divisor);
            }
        }
        return divisors;
    }

    /** Why no tile fits a matrix at all, as a clause, or empty when one does. */
    public Optional<String> obstacle(MatrixShape shape) {
        if (!legalTiles(shape).isEmpty()) {
            return Optional.empty();
        }
        if (shape.rows() % 32 != 0) {
            return Optional.of("its " + shape.rows() + " rows are no multiple of 32");
        }
        // The narrowest tile of TL1 has BK = 256 / bm, and bm = 64 needs a multiple of 64 rows.
        int narrowest = shape.rows() % 64 == 0 ? 4 : 8;
        return Optional.of(
                this == TL1
                        ? "its " + shape.cols() + " columns are no multiple of " + narrowest
                        : "no BK (a multiple of 24 up to 240) leaves a multiple of 32 of its " + shape.cols()
                                + " columns");
    }
}
