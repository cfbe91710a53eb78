package dev.tern.codegen;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * Chooses a tile for each matrix of a model: of all that are legal, the one whose {@link #cost} is least.
 *
 * <p>The cost is an estimate of the cycles that one core spends on one weight while a single token is decoded:
 *
 * <pre>
 *   (streaming + vector work + widening + tables) * (1 + few tiles + tall tiles)
 * </pre>
 *
 * <ul>
 *   <li><b>Streaming</b>: the packed bytes come from memory, once: 5/24 of a byte for a weight of TL2's three part, 1/4
 *       for one in pairs.
 *   <li><b>Vector work</b>: for 32 rows, a triple takes 14 instructions for its 3 columns, a pair 10 for its 2. Both
 *       take half a load and half a nibble split, two loads of the table, two shuffles, two unpacks, two additions; the
 *       triple also its signs.
 *   <li><b>Widening</b>: sums are int16 within a block of columns, then added to int32 in memory: 16 instructions for
 *       32 rows, once in BK columns, and once in 32 columns of TL2's two part. So a large BK is good, one that leaves
 *       many columns to the two part is not.
 *   <li><b>Tables</b>: a tile reads the tables of all K columns again, 32 bytes for each triple or pair. The weights
 *       that stream by have driven them out of the first cache, so they come from the second: in proportion to 1/BM.
 *   <li><b>Few tiles</b>: a matrix of fewer than 8 tiles leaves threads without one.
 *   <li><b>Tall tiles</b>: each token of a batch has 4 * BM bytes of int32 sums that should stay in the first cache
 *       beside its tables and the weights. With 8 tokens, 256 rows take a quarter of 32 KiB.
 * </ul>
 *
 * <p>The rates are those of current x86 servers, which differ among themselves by a factor of two. The estimate ranks
 * tiles; it does not predict a speed.
 */
public final class KernelPlanner {
    /** 16 GB/s that one core reads from memory, at 3.5 GHz. */
    private static final double CYCLES_PER_STREAMED_BYTE = 0.22;

    /** 170 GB/s that it reads from its second cache. */
    private static final double CYCLES_PER_CACHED_BYTE = 0.02;

    /** Three vector instructions a cycle. */
    private static final double CYCLES_PER_INSTRUCTION = 1.0 / 3;

    /** For {@link LutFormat#ROW_UNIT} rows, as the three numbers below. */
    private static final int INSTRUCTIONS_PER_TRIPLE = 14;

    private static final int INSTRUCTIONS_PER_PAIR = 10;

    private static final int INSTRUCTIONS_PER_WIDENING = 16;

    /** The table of a triple or a pair: 16 entries of int16. */
    private static final int TABLE_BYTES = 32;

    private static final int ENOUGH_TILES = 8;

    /** What half as many tiles as would be enough cost, as a share; a quarter costs three times that. */
    private static final double FEW_TILES_SHARE = 0.01;

    private static final int TALL_ROWS = 256;

    /** What twice the rows of a tall tile cost, as a share. */
    private static final double TALL_TILES_SHARE = 0.025;

    private KernelPlanner() {}

    /**
     * The best tile for every ternary matrix of a model.
     *
     * @throws KernelPlanException when no tile fits one of them
     */
    public static KernelPlan plan(ModelShape model, LutFormat format) {
        return plan(model.matrices(), format);
    }

    /**
     * The best tile for every distinct one of the shapes, in their order.
     *
     * @throws KernelPlanException when no tile fits one of them
     * @throws IllegalArgumentException when there are none
     */
    public static KernelPlan plan(Collection<MatrixShape> shapes, LutFormat format) {
        return new KernelPlan(shapes.stream()
                .distinct()
                .map(shape -> new PlannedKernel(format, shape, best(format, shape)))
                .toList());
    }

    private static Tile best(LutFormat format, MatrixShape shape) {
        return format.legalTiles(shape).stream()
                .min(bestFirst(format, shape))
                .orElseThrow(() -> new KernelPlanException(noTileFits(format, shape)));
    }

    /** All legal tiles, the cheapest first; empty when none fits. Of equals the smaller bm comes first. */
    public static List<Tile> ranked(LutFormat format, MatrixShape shape) {
        return format.legalTiles(shape).stream()
                .sorted(bestFirst(format, shape))
                .toList();
    }

    private static Comparator<Tile> bestFirst(LutFormat format, MatrixShape shape) {
        return Comparator.comparingDouble((Tile tile) -> cost(format, shape, tile))
                .thenComparing(Tile::rowBlock)
                .thenComparing(Tile::cols, Comparator.reverseOrder())
                .thenComparing(Tile::rows);
    }

    /**
     * Estimated cycles per weight, by the model that the class describes.
     *
     * @throws IllegalArgumentException when the tile is not legal
     */
    public static double cost(LutFormat format, MatrixShape shape, Tile tile) {
        format.obstacle(shape, tile).ifPresent(reason -> {
            throw new IllegalArgumentException(format + " " + shape + " " + tile + ": " + reason);
        });
        int cols = shape.cols();
        int three = format.threeColumns(shape, tile);
        int two = cols - three;
        double triples = three / 3.0;
        double pairs = two / 2.0;
        double widenings = format == LutFormat.TL2
                ? three / (double) tile.cols() + two / (double) LutFormat.PAIR_BLOCK_COLS
                : two / (double) tile.cols();

        double streaming = CYCLES_PER_STREAMED_BYTE * format.packedBytes(shape, tile) / shape.weights();
        double instructions = triples * INSTRUCTIONS_PER_TRIPLE
                + pairs * INSTRUCTIONS_PER_PAIR
                + widenings * INSTRUCTIONS_PER_WIDENING;
        double vectors = CYCLES_PER_INSTRUCTION * instructions / ((double) LutFormat.ROW_UNIT * cols);
        double tables = CYCLES_PER_CACHED_BYTE * (triples + pairs) * TABLE_BYTES / ((double) tile.rows() * cols);

        double tiles = shape.rows() / (double) tile.rows();
        double fewTiles = FEW_TILES_SHARE * Math.max(0, ENOUGH_TILES / tiles - 1);
        double tallTiles = TALL_TILES_SHARE * Math.max(0, tile.rows() / (double) TALL_ROWS - 1);
        return (streaming + vectors + tables) * (1 + fewTiles + tallTiles);
    }

    /** The sentence for a matrix that cannot be planned: which, why, and what holds it instead. */
    static String noTileFits(LutFormat format, MatrixShape shape) {
        return "no " + format.label() + " tile fits the ternary matrix of " + shape.rows() + " rows and " + shape.cols()
                + " columns: " + format.obstacle(shape).orElse("every tile is illegal")
                + "; outtypes that hold it: " + String.join(", ", outtypesFor(shape));
    }

    /** The outtypes whose blocks fit: K mod 128 = 0 for i2_s, K mod 256 = 0 for tq1_0, tq2_0, a tile for TL1, TL2. */
    private static List<String> outtypesFor(MatrixShape shape) {
        List<String> outtypes = new ArrayList<>();
        if (shape.cols() % 128 == 0) {
            outtypes.add("i2_s");
        }
        if (shape.cols() % 256 == 0) {
            outtypes.addAll(List.of("tq1_0", "tq2_0"));
        }
        for (LutFormat format : LutFormat.values()) {
            if (format.obstacle(shape).isEmpty()) {
                outtypes.add(format.label());
            }
        }
        outtypes.addAll(List.of("f16", "bf16", "f32"));
        return outtypes;
    }
}
