package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LutFormatTest {
    private static final Pattern MULTIPLE = Pattern.compile("its (\\d+) (rows|columns) are no multiple of (\\d+)");

    /** The constraints of bitnet.cpp's generators and kernels, said once more by counting instead of dividing. */
    private static boolean legal(LutFormat format, MatrixShape shape, Tile tile) {
        int unit = format == LutFormat.TL2 ? 24 : tile.rowBlock() == 64 ? 4 : 8;
        boolean rowBlock = tile.rowBlock() == 32 || format == LutFormat.TL1 && tile.rowBlock() == 64;
        if (!rowBlock
                || !covers(tile.rowBlock(), tile.rows())
                || !covers(tile.rows(), shape.rows())
                || !covers(unit, tile.cols())
                || tile.cols() > shape.cols()
                || !sumsFitInt16(tile.cols(), format == LutFormat.TL2 ? 3 : 2)) {
            return false;
        }
        int rest = shape.cols();
        while (rest >= tile.cols()) {
            rest -= tile.cols();
        }
        return rest == 0 || format == LutFormat.TL2 && covers(32, rest);
    }

    /** Whether some number of parts makes up the whole. */
    private static boolean covers(int part, int whole) {
        long sum = 0;
        while (sum < whole) {
            sum += part;
        }
        return sum == whole;
    }

    /** Adds up the worst case of a block: every activation +-127, every weight of the same sign. */
    private static boolean sumsFitInt16(int cols, int group) {
        short sum = 0;
        for (int col = 0; col < cols; col += group) {
            short next = (short) (sum + group * 127);
            if (next < sum) {
                return false;
            }
            sum = next;
        }
        return true;
    }

    @ParameterizedTest
    @EnumSource
    void allowsWhatTheConstraintsAllowAndNothingElse(LutFormat format) {
        Random random = new Random(1);
        int legal = 0;
        int cases = 40_000;
        for (int i = 0; i < cases; i++) {
            Tile tile = new Tile(
                    (random.nextInt(4) == 0 ? 16 : 32) * (1 + random.nextInt(10)),
                    (random.nextBoolean() ? 24 : 4) * (1 + random.nextInt(24)),
                    List.of(16, 32, 32, 32, 64, 128).get(random.nextInt(6)));
            int rows = random.nextInt(8) == 0 ? 1 + random.nextInt(700) : tile.rows() * (1 + random.nextInt(5));
            int cols = random.nextInt(4) == 0
                    ? 1 + random.nextInt(900)
                    : tile.cols() * (1 + random.nextInt(5)) + 16 * random.nextInt(5);
            MatrixShape shape = new MatrixShape(rows, cols);
            boolean expected = legal(format, shape, tile);
            legal += expected ? 1 : 0;
            assertThat(format.obstacle(shape, tile).isEmpty())
                    .as("%s %s %s", format, shape, tile)
                    .isEqualTo(expected);
        }
        assertThat(legal).as("the cases must be of both kinds").isBetween(cases / 50, cases - cases / 50);
    }

    @ParameterizedTest
    @EnumSource
    void listsEveryLegalTileInOrder(LutFormat format) {
        for (int rows : new int[] {1, 31, 32, 48, 64, 96, 128, 192}) {
            for (int cols : new int[] {1, 4, 8, 12, 24, 32, 64, 72, 96, 100, 120, 128, 240, 260, 288, 384}) {
                MatrixShape shape = new MatrixShape(rows, cols);
                List<Tile> expected = new ArrayList<>();
                for (int tileRows = 1; tileRows <= rows; tileRows++) {
                    for (int tileCols = 1; tileCols <= cols; tileCols++) {
                        for (int rowBlock = 16; rowBlock <= 128; rowBlock *= 2) {
                            Tile tile = new Tile(tileRows, tileCols, rowBlock);
                            if (legal(format, shape, tile)) {
                                expected.add(tile);
                            }
                        }
                    }
                }
                assertThat(format.legalTiles(shape)).as("%s %s", format, shape).isEqualTo(expected);
                assertThat(format.obstacle(shape).isEmpty()).as("%s %s", format, shape).isEqualTo(!expected.isEmpty());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void listsTheTilesOfTheLargestMatrixAtOnce(LutFormat format) {
        // 2^31 - 32 rows: the last multiple of 32 that an int holds.
        MatrixShape shape = new MatrixShape(Integer.MAX_VALUE - 31, 2_147_483_520);
        assertThat(format.legalTiles(shape))
                .isNotEmpty()
                .isSortedAccordingTo(Comparator.comparingInt(Tile::rows)
                        .thenComparingInt(Tile::cols)
                        .thenComparingInt(Tile::rowBlock))
                .allMatch(tile -> shape.rows() % tile.rows() == 0)
                .anyMatch(tile -> tile.rows() == shape.rows());
        assertThat(format.legalTiles(new MatrixShape(Integer.MAX_VALUE, 256))).isEmpty();
    }

    /** Sums of 381 a triple and 254 a pair that wrap around to a small int are overflows all the same. */
    @ParameterizedTest
    @CsvSource({"TL2, 24", "TL1, 8"})
    void seesTheOverflowOfBlocksOfAnyWidth(LutFormat format, int unit) {
        for (long cols = 264; cols < Integer.MAX_VALUE; cols += Math.max(unit, cols / 50 / unit * unit)) {
            int width = (int) (cols / unit * unit);
            assertThat(format.obstacle(new MatrixShape(32, width), new Tile(32, width, 32)))
                    .as("BK %d", width)
                    .hasValueSatisfying(
                            reason -> assertThat(reason).contains("BK " + width, "int16").doesNotContain("-"));
        }
    }

    @Test
    void theWidestBlocksAre240And256() {
        MatrixShape shape = new MatrixShape(32, 240 * 256);
        assertThat(LutFormat.TL2.legalTiles(shape)).extracting(Tile::cols).contains(240).allMatch(cols -> cols <= 240);
        assertThat(LutFormat.TL1.legalTiles(shape)).extracting(Tile::cols).contains(256).allMatch(cols -> cols <= 256);
    }

    @ParameterizedTest(name = "{0} {1}x{2} {3}/{4}/{5}")
    @CsvSource({
        // bitnet_b1_58-large
        "TL1, 1536, 4096, 256, 128, 32", "TL1, 1536, 1536, 128, 64, 64", "TL1, 4096, 1536, 256, 128, 32",
        "TL2, 1536, 4096, 256, 96, 32", "TL2, 1536, 1536, 128, 192, 32", "TL2, 4096, 1536, 256, 96, 32",
        // bitnet_b1_58-3B
        "TL1, 3200, 8640, 160, 64, 32", "TL1, 3200, 3200, 320, 128, 64", "TL1, 8640, 3200, 320, 64, 32",
        "TL2, 3200, 8640, 160, 96, 32", "TL2, 3200, 3200, 320, 96, 32", "TL2, 8640, 3200, 320, 96, 32",
        // Llama3-8B-1.58-100B-tokens, from the commands of setup_env.py
        "TL1, 14336, 4096, 256, 128, 32", "TL1, 4096, 14336, 128, 64, 64",
        "TL1, 1024, 4096, 256, 128, 32", "TL1, 4096, 4096, 128, 64, 64",
        "TL2, 14336, 4096, 256, 96, 32", "TL2, 4096, 14336, 128, 96, 32",
        "TL2, 1024, 4096, 256, 96, 32", "TL2, 4096, 4096, 128, 96, 32",
        // and from its preset files
        "TL1, 14336, 4096, 256, 128, 64", "TL1, 4096, 14336, 256, 128, 32",
        "TL1, 1024, 4096, 128, 64, 64", "TL1, 4096, 4096, 128, 64, 32",
    })
    void allowsTheTilesThatBitnetCppPublishes(LutFormat format, int m, int k, int rows, int cols, int rowBlock) {
        MatrixShape shape = new MatrixShape(m, k);
        Tile tile = new Tile(rows, cols, rowBlock);
        assertThat(format.obstacle(shape, tile)).isEmpty();
        assertThat(format.legalTiles(shape)).contains(tile);
    }

    @ParameterizedTest(name = "{0} {1}x{2} {3}/{4}/{5}: {6}")
    @CsvSource({
        "TL2, 1536, 4096, 256, 96, 64, 'bm is 64, and TL2 interleaves 32 rows'",
        "TL2, 1536, 4096, 48, 96, 32, BM 48 is no multiple of 32",
        "TL2, 2560, 6912, 192, 96, 32, BM 192 does not divide M = 2560",
        "TL2, 2560, 6912, 256, 100, 32, BK 100 is no multiple of 24 (8 triples share a group of signs)",
        "TL2, 2560, 6912, 256, 264, 32, BK 264 overflows int16: 88 triples of up to 381 are 33528",
        "TL2, 64, 72, 64, 96, 32, BK 96 is more than K = 72",
        "TL2, 64, 2560, 64, 144, 32, K mod BK = 2560 mod 144 = 112 is no multiple of 32 (a block of pairs)",
        "TL1, 1536, 4096, 256, 128, 16, 'bm is 16, and TL1 interleaves 32 or 64 rows'",
        "TL1, 1536, 4096, 96, 128, 64, BM 96 is no multiple of bm 64",
        "TL1, 2560, 6912, 192, 128, 32, BM 192 does not divide M = 2560",
        "TL1, 2560, 6912, 256, 36, 32, BK 36 is no multiple of 8 (256 / bm)",
        "TL1, 2560, 6912, 256, 38, 64, BK 38 is no multiple of 4 (256 / bm)",
        "TL1, 2560, 6912, 256, 288, 32, BK 288 overflows int16: 144 pairs of up to 254 are 36576",
        "TL1, 2560, 6912, 256, 120, 32, BK 120 does not divide K = 6912",
    })
    void saysInNumbersWhatStandsInTheWay(
            LutFormat format, int m, int k, int rows, int cols, int rowBlock, String reason) {
        assertThat(format.obstacle(new MatrixShape(m, k), new Tile(rows, cols, rowBlock))).contains(reason);
    }

    @ParameterizedTest
    @EnumSource
    void whatItSaysOfAMatrixThatNoTileFitsIsTrue(LutFormat format) {
        int none = 0;
        for (int rows = 16; rows <= 192; rows += 16) {
            for (int cols = 2; cols <= 300; cols += 2) {
                MatrixShape shape = new MatrixShape(rows, cols);
                String reason = format.obstacle(shape).orElse("");
                if (reason.isEmpty()) {
                    continue;
                }
                none++;
                Matcher multiple = MULTIPLE.matcher(reason);
                if (multiple.matches()) {
                    int found = Integer.parseInt(multiple.group(1));
                    assertThat(found).isEqualTo(multiple.group(2).equals("rows") ? rows : cols);
                    assertThat(found % Integer.parseInt(multiple.group(3))).as("%s %s", shape, reason).isNotZero();
                } else {
                    assertThat(format).isEqualTo(LutFormat.TL2);
                    assertThat(reason).contains("no BK", "of its " + cols + " columns");
                    for (int blockCols = 24; blockCols <= Math.min(240, cols); blockCols += 24) {
                        assertThat(cols % blockCols % 32).as("%s %s", shape, reason).isNotZero();
                    }
                }
            }
        }
        assertThat(none).isPositive();
    }

    /**
     * Places every nibble and sign bit by the index formulas of bitnet.cpp's packers: a legal tile gives each a place
     * of its own, and together they fill the packed bytes, no more and no fewer.
     */
    @ParameterizedTest
    @CsvSource({
        "TL1, 64, 96", "TL1, 96, 72", "TL1, 128, 64", "TL1, 192, 128", "TL2, 32, 24", "TL2, 64, 96", "TL2, 96, 128",
        "TL2, 64, 200", "TL2, 192, 320", "TL2, 128, 640", "TL2, 32, 120"
    })
    void packedBytesAreWhatTheLayoutFills(LutFormat format, int rows, int cols) {
        MatrixShape shape = new MatrixShape(rows, cols);
        assertThat(format.legalTiles(shape)).isNotEmpty().allSatisfy(tile -> {
            BitSet bits = format == LutFormat.TL2 ? bitsOfTl2(shape, tile) : bitsOfTl1(shape, tile);
            assertThat(bits.length()).isEqualTo(8 * format.packedBytes(shape, tile));
            assertThat(bits.cardinality()).isEqualTo(bits.length());
        });
    }

    private static BitSet bitsOfTl1(MatrixShape shape, Tile tile) {
        BitSet bits = new BitSet();
        int rowBlock = tile.rowBlock();
        int by = 256 / rowBlock;
        for (int row = 0; row < shape.rows(); row++) {
            for (int pair = 0; pair < shape.cols() / 2; pair++) {
                int local = pair % (tile.cols() / 2);
                int cell = row / tile.rows() * (shape.cols() / tile.cols()) + pair / (tile.cols() / 2);
                cell = cell * (tile.rows() / rowBlock) + row % tile.rows() / rowBlock;
                cell = cell * (tile.cols() / by) + local / (by / 2);
                cell = cell * (rowBlock / 16) + row % rowBlock / 16;
                cell = cell * (by / 4) + local % (by / 2) / 2;
                take(bits, 8L * (16L * cell + row % 16) + (pair % 2 == 0 ? 4 : 0), 4);
            }
        }
        return bits;
    }

    private static BitSet bitsOfTl2(MatrixShape shape, Tile tile) {
        BitSet bits = new BitSet();
        int three = LutFormat.TL2.threeColumns(shape, tile);
        int blocks = three / tile.cols();
        int pairBlocks = (shape.cols() - three) / 32;
        long signs = (long) shape.rows() * three / 6;
        long pairs = signs + (long) shape.rows() * three / 24;
        for (int row = 0; row < shape.rows(); row++) {
            int r = row % 32;
            int lane = r / 8 == 1 ? r + 8 : r / 8 == 2 ? r - 8 : r;
            int rowBlock = row % tile.rows() / 32;
            for (int triple = 0; triple < three / 3; triple++) {
                int local = triple % (tile.cols() / 3);
                long base = (long) row / tile.rows() * blocks + triple / (tile.cols() / 3);
                base = base * (tile.rows() / 32) + rowBlock;
                take(bits, 8 * (base * (tile.cols() / 6) * 32 + local / 2 * 32L + lane) + (triple % 2 == 0 ? 4 : 0), 4);
                long word = base * (tile.cols() / 24) * 16 + local / 8 * 16L + r % 16;
                take(bits, 8 * signs + 16 * word + 15 - (2 * (local % 8) + r / 16), 1);
            }
            for (int pair = 0; pair < pairBlocks * 16; pair++) {
                long base = ((long) row / tile.rows() * pairBlocks + pair / 16) * (tile.rows() / 32) + rowBlock;
                take(bits, 8 * (pairs + base * 256 + pair % 16 / 2 * 32 + lane) + (pair % 2 == 0 ? 4 : 0), 4);
            }
        }
        return bits;
    }

    private static void take(BitSet bits, long from, int count) {
        int first = Math.toIntExact(from);
        int next = bits.nextSetBit(first);
        assertThat(next < 0 || next >= first + count).as("bits from %d are free", from).isTrue();
        bits.set(first, first + count);
    }

    @Test
    void threesAndTwosMakeUpTheColumns() {
        // 2560 = 26 * 96 + 64
        MatrixShape shape = new MatrixShape(640, 2560);
        Tile tile = new Tile(160, 96, 32);
        assertThat(LutFormat.TL2.threeColumns(shape, tile)).isEqualTo(2496);
        assertThat(LutFormat.TL2.packedBytes(shape, tile)).isEqualTo(640L * 2496 * 5 / 24 + 640L * 64 / 4);
        assertThat(LutFormat.TL1.threeColumns(shape, new Tile(160, 128, 32))).isZero();
        assertThat(LutFormat.TL1.packedBytes(shape, new Tile(160, 128, 32))).isEqualTo(640L * 2560 / 4);
    }

    @Test
    void packedBytesBeyondTwoGibibytesDoNotOverflow() {
        MatrixShape shape = new MatrixShape(1 << 20, 96 << 10);
        assertThat(LutFormat.TL2.packedBytes(shape, new Tile(256, 96, 32))).isEqualTo((1L << 30) * 96 * 5 / 24);
        assertThat(LutFormat.TL1.packedBytes(shape, new Tile(256, 128, 32))).isEqualTo((1L << 30) * 24);
    }
}
