package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class KernelPlannerTest {
    private static final ModelShape TWO_B = PublishedModel.BITNET_B1_58_2B_4T.shape();

    private static Stream<MatrixShape> publishedShapes() {
        return Arrays.stream(PublishedModel.values())
                .flatMap(model -> model.shape().matrices().stream())
                .distinct();
    }

    @Test
    void plansTheReferenceModel() {
        assertThat(KernelPlanner.plan(TWO_B, LutFormat.TL2).kernels())
                .extracting(PlannedKernel::toString)
                .containsExactly(
                        "tl2 2560x2560 256/192/32",
                        "tl2 640x2560 128/192/32",
                        "tl2 6912x2560 256/192/32",
                        "tl2 2560x6912 256/216/32");
        assertThat(KernelPlanner.plan(TWO_B, LutFormat.TL1).kernels())
                .extracting(PlannedKernel::toString)
                .containsExactly(
                        "tl1 2560x2560 256/256/32",
                        "tl1 640x2560 160/256/32",
                        "tl1 6912x2560 256/256/32",
                        "tl1 2560x6912 256/256/32");
    }

    @Test
    void plansEachShapeOnceInTheOrderGiven() {
        MatrixShape down = TWO_B.down();
        MatrixShape query = TWO_B.query();
        KernelPlan plan = KernelPlanner.plan(List.of(down, query, down, query), LutFormat.TL2);
        assertThat(plan.kernels()).extracting(PlannedKernel::shape).containsExactly(down, query);
        assertThat(plan.kernels()).extracting(PlannedKernel::tile).containsExactly(
                KernelPlanner.ranked(LutFormat.TL2, down).getFirst(),
                KernelPlanner.ranked(LutFormat.TL2, query).getFirst());
    }

    @ParameterizedTest
    @EnumSource
    void ranksEveryLegalTileByCost(LutFormat format) {
        publishedShapes().forEach(shape -> {
            List<Tile> ranked = KernelPlanner.ranked(format, shape);
            assertThat(ranked).containsExactlyInAnyOrderElementsOf(format.legalTiles(shape));
            for (int i = 1; i < ranked.size(); i++) {
                double before = KernelPlanner.cost(format, shape, ranked.get(i - 1));
                double cost = KernelPlanner.cost(format, shape, ranked.get(i));
                assertThat(before)
                        .as("%s %s before %s", shape, ranked.get(i - 1), ranked.get(i))
                        .isLessThanOrEqualTo(cost);
                if (before == cost) {
                    assertThat(ranked.get(i - 1).rowBlock()).isLessThanOrEqualTo(ranked.get(i).rowBlock());
                }
            }
        });
    }

    @Test
    void ofEqualTilesOfTl1ThatWith32InterleavedRowsLeads() {
        publishedShapes().forEach(shape -> {
            List<Tile> ranked = KernelPlanner.ranked(LutFormat.TL1, shape);
            assertThat(ranked.getFirst().rowBlock()).as("%s", shape).isEqualTo(32);
            List<Tile> with64 = ranked.stream().filter(tile -> tile.rowBlock() == 64).toList();
            assertThat(with64).isNotEmpty().allSatisfy(tile -> {
                Tile with32 = new Tile(tile.rows(), tile.cols(), 32);
                if (LutFormat.TL1.obstacle(shape, with32).isEmpty()) {
                    assertThat(ranked.indexOf(with32)).isLessThan(ranked.indexOf(tile));
                }
            });
        });
    }

    /** Where the kernels of bitnet.cpp were tuned too: tiles of 128 to 320 rows, blocks of 96 columns and more. */
    @ParameterizedTest
    @EnumSource
    void largeMatricesGetTilesOfTheSensibleRegion(LutFormat format) {
        assertThat(publishedShapes().filter(shape -> shape.rows() >= 1024 && shape.cols() >= 1024))
                .hasSizeGreaterThan(25)
                .allSatisfy(shape -> {
                    Tile best = KernelPlanner.ranked(format, shape).getFirst();
                    assertThat(best.rows()).isBetween(128, 320);
                    assertThat(best.cols()).isBetween(96, 256);
                });
    }

    @Test
    void atMostAFifteenthOfTheColumnsIsLeftToPairs() {
        assertThat(publishedShapes()).hasSizeGreaterThan(30).allSatisfy(shape -> {
            Tile best = KernelPlanner.ranked(LutFormat.TL2, shape).getFirst();
            assertThat(shape.cols() - LutFormat.TL2.threeColumns(shape, best)).isLessThanOrEqualTo(shape.cols() / 15);
        });
    }

    @Test
    void costIsTheSumOfItsTerms() {
        // 2 blocks of 96 columns in threes, 64 columns in twos, 8 tiles of 32 rows. Cycles per weight, term by term.
        MatrixShape shape = new MatrixShape(256, 256);
        Tile tile = new Tile(32, 96, 32);
        double streaming = 0.22 * (192 * 5 / 24.0 + 64 / 4.0) / 256;
        double vectors = (64 * 14 + 32 * 10 + (2 + 2) * 16) / 3.0 / (32 * 256);
        double tables = 0.02 * (64 + 32) * 32 / (32.0 * 256);
        assertThat(KernelPlanner.cost(LutFormat.TL2, shape, tile))
                .isCloseTo(streaming + vectors + tables, within(1e-12));
    }

    @Test
    void eachTermPullsItsWay() {
        MatrixShape shape = new MatrixShape(3072 * 8, 2880);
        // Widening: the same columns in threes, fewer blocks.
        assertDearer(LutFormat.TL2, shape, "256/96/32", "256/192/32");
        assertDearer(LutFormat.TL1, shape, "256/96/32", "256/192/32");
        // Tables: fewer tiles.
        assertDearer(LutFormat.TL2, shape, "128/192/32", "256/192/32");
        // Tall tiles.
        assertDearer(LutFormat.TL2, shape, "1024/192/32", "256/192/32");
        // Streaming and pairs: 2560 = 17 * 144 + 112 = 26 * 96 + 64 = 10 * 240 + 160; more in twos costs more.
        assertDearer(LutFormat.TL2, new MatrixShape(8192, 2560), "256/240/32", "256/192/32");
        // Few tiles: two tall ones instead of eight.
        assertDearer(LutFormat.TL2, new MatrixShape(512, 2880), "256/192/32", "128/192/32");
        // 2 bits a weight instead of 1.67.
        assertThat(KernelPlanner.cost(LutFormat.TL1, shape, tile("256/192/32")))
                .isGreaterThan(KernelPlanner.cost(LutFormat.TL2, shape, tile("256/192/32")));
    }

    private static void assertDearer(LutFormat format, MatrixShape shape, String dear, String cheap) {
        assertThat(KernelPlanner.cost(format, shape, tile(dear)))
                .as("%s %s: %s against %s", format, shape, dear, cheap)
                .isGreaterThan(KernelPlanner.cost(format, shape, tile(cheap)));
    }

    private static Tile tile(String text) {
        int[] parts = Stream.of(text.split("/")).mapToInt(Integer::parseInt).toArray();
        return new Tile(parts[0], parts[1], parts[2]);
    }

    @ParameterizedTest
    @EnumSource
    void costsArePositiveAndFiniteForTheLargestMatrix(LutFormat format) {
        MatrixShape shape = new MatrixShape(Integer.MAX_VALUE - 31, 2_147_483_520);
        assertThat(format.legalTiles(shape))
                .isNotEmpty()
                .allSatisfy(tile -> assertThat(KernelPlanner.cost(format, shape, tile)).isPositive().isFinite());
    }

    @Test
    void refusesToPriceAnIllegalTile() {
        assertThatThrownBy(() -> KernelPlanner.cost(LutFormat.TL2, TWO_B.query(), new Tile(192, 96, 32)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("BM 192 does not divide M = 2560");
    }

    @ParameterizedTest(name = "{0} {1}x{2}: {4}")
    @CsvSource({
        "TL2, 100, 2560, its 100 rows are no multiple of 32, 'i2_s, tq1_0, tq2_0, f16, bf16, f32'",
        "TL2, 64, 64, no BK (a multiple of 24 up to 240) leaves a multiple of 32 of its 64 columns, "
                + "'tl1, f16, bf16, f32'",
        "TL2, 64, 1004, no BK (a multiple of 24 up to 240) leaves a multiple of 32 of its 1004 columns, "
                + "'tl1, f16, bf16, f32'",
        "TL2, 100, 384, its 100 rows are no multiple of 32, 'i2_s, f16, bf16, f32'",
        "TL1, 64, 1027, its 1027 columns are no multiple of 4, 'f16, bf16, f32'",
        "TL1, 32, 36, its 36 columns are no multiple of 8, 'f16, bf16, f32'",
    })
    void saysWhyNoTileFitsAndWhatHoldsTheMatrix(LutFormat format, int m, int k, String reason, String outtypes) {
        MatrixShape shape = new MatrixShape(m, k);
        assertThat(KernelPlanner.ranked(format, shape)).isEmpty();
        assertThatThrownBy(() -> KernelPlanner.plan(List.of(TWO_B.query(), shape), format))
                .isInstanceOf(KernelPlanException.class)
                .hasMessage("no " + format.label() + " tile fits the ternary matrix of " + m + " rows and " + k
                        + " columns: " + reason + "; outtypes that hold it: " + outtypes);
    }

    /** TL2 needs a multiple of 32 rows and, as 24 a + 32 b, of 8 columns: enough for TL1's narrowest tile. */
    @Test
    void whatTl2HoldsTl1HoldsToo() {
        int both = 0;
        int tl1Alone = 0;
        for (int rows = 32; rows <= 160; rows += 16) {
            for (int cols = 4; cols <= 400; cols += 4) {
                MatrixShape shape = new MatrixShape(rows, cols);
                boolean tl1 = LutFormat.TL1.obstacle(shape).isEmpty();
                boolean tl2 = LutFormat.TL2.obstacle(shape).isEmpty();
                assertThat(tl1 || !tl2).as("%s", shape).isTrue();
                both += tl1 && tl2 ? 1 : 0;
                tl1Alone += tl1 && !tl2 ? 1 : 0;
            }
        }
        assertThat(both).isPositive();
        assertThat(tl1Alone).isPositive();
    }
}
