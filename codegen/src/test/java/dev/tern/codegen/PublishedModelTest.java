package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PublishedModelTest {

    @Test
    void theDefaultPlanServesEveryMatrixOfEveryModelInBothFormats() {
        KernelPlan plan = PublishedModel.defaultPlan();
        for (PublishedModel model : PublishedModel.values()) {
            for (MatrixShape shape : model.shape().matrices()) {
                for (LutFormat format : LutFormat.values()) {
                    assertThat(plan.tile(format, shape))
                            .as("%s of %s", shape, model.label())
                            .contains(KernelPlanner.ranked(format, shape).getFirst());
                }
            }
        }
        assertThat(PublishedModel.leftOut()).isEmpty();
    }

    @Test
    void theDefaultPlanHasEachShapeOnceAFormatAndTl2First() {
        List<PlannedKernel> kernels = PublishedModel.defaultPlan().kernels();
        Set<MatrixShape> shapes = Arrays.stream(PublishedModel.values())
                .flatMap(model -> model.shape().matrices().stream())
                .collect(Collectors.toSet());
        assertThat(kernels).hasSize(2 * shapes.size());
        assertThat(kernels.subList(0, shapes.size())).allMatch(kernel -> kernel.format() == LutFormat.TL2);
        assertThat(kernels.subList(shapes.size(), kernels.size())).allMatch(kernel -> kernel.format() == LutFormat.TL1);
    }

    @Test
    void saysWhatIsLeftOutAndWhy() {
        // 64 columns are too few for TL2, 1004 no multiple of 8, and 1004 rows no multiple of 32.
        ModelShape odd = new ModelShape(64, 1004, 8, 8, 8);
        PublishedModel.Defaults defaults = PublishedModel.defaults(List.of(odd, PublishedModel.TINY_BITNET.shape()));
        assertThat(defaults.leftOut())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("no tl2 tile").contains("64 rows and 64 columns"),
                        line -> assertThat(line).startsWith("no tl2 tile").contains("1004 rows and 64 columns"),
                        line -> assertThat(line).startsWith("no tl2 tile").contains("64 rows and 1004 columns"),
                        line -> assertThat(line).startsWith("no tl1 tile").contains("1004 rows and 64 columns"));
        assertThat(defaults.plan().tile(LutFormat.TL1, odd.query())).isPresent();
        assertThat(defaults.plan().tile(LutFormat.TL2, odd.query())).isEmpty();
        assertThat(defaults.plan().tile(LutFormat.TL2, PublishedModel.TINY_BITNET.shape().query())).isPresent();
    }

    @Test
    void headsFillTheHiddenSizeOfAllThatAreKnownToBeSo() {
        // Every one of these models has heads * headDim = hidden size; a typing error in one number breaks it.
        for (PublishedModel model : PublishedModel.values()) {
            assertThat(model.shape().query().rows()).as(model.label()).isEqualTo(model.shape().hiddenSize());
        }
        assertThat(Arrays.stream(PublishedModel.values()).map(PublishedModel::label)).doesNotHaveDuplicates();
    }

    @Test
    void theShapesAreThoseOfBitnetCppsGenerators() {
        assertThat(PublishedModel.BITNET_B1_58_LARGE.shape().matrices())
                .containsExactlyInAnyOrder(shape(1536, 4096), shape(1536, 1536), shape(4096, 1536));
        assertThat(PublishedModel.BITNET_B1_58_3B.shape().matrices())
                .containsExactlyInAnyOrder(shape(3200, 8640), shape(3200, 3200), shape(8640, 3200));
        assertThat(PublishedModel.LLAMA3_8B.shape().matrices())
                .containsExactlyInAnyOrder(
                        shape(14336, 4096), shape(4096, 14336), shape(1024, 4096), shape(4096, 4096));
    }

    private static MatrixShape shape(int rows, int cols) {
        return new MatrixShape(rows, cols);
    }
}
