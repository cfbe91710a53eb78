package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ModelShapeTest {
    /** BitNet-b1.58-2B-4T. */
    private static final ModelShape TWO_B = new ModelShape(2560, 6912, 20, 5, 128);

    @Test
    void listsEveryDistinctMatrixOnce() {
        assertThat(TWO_B.matrices())
                .containsExactly(
                        new MatrixShape(2560, 2560),
                        new MatrixShape(640, 2560),
                        new MatrixShape(6912, 2560),
                        new MatrixShape(2560, 6912));
    }

    @Test
    void keepsQueryAndOutputApartWhenHeadsDoNotFillTheHiddenSize() {
        assertThat(new ModelShape(1024, 3072, 16, 8, 128).matrices())
                .contains(new MatrixShape(2048, 1024), new MatrixShape(1024, 2048));
    }

    @Test
    void countsTheTernaryWeightsOfTheReferenceModel() {
        assertThat(30 * TWO_B.weightsPerLayer()).isEqualTo(2_084_044_800L);
    }

    @Test
    void refusesKeyValueHeadsThatDoNotDivideTheHeads() {
        assertThatThrownBy(() -> new ModelShape(512, 1536, 8, 3, 64)).hasMessageContaining("do not divide");
    }
}
