package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the header says; that its kernels compute right is the C tests' to show, which are compiled from it. */
class HeaderGeneratorTest {
    private static final KernelPlan PLAN = new KernelPlan(List.of(
            new PlannedKernel(LutFormat.TL2, new MatrixShape(2560, 2560), new Tile(160, 96, 32)),
            new PlannedKernel(LutFormat.TL1, new MatrixShape(640, 2560), new Tile(320, 64, 64))));

    /** The header that libtern is built with is the one that this generator writes for the published models. */
    @Test
    void theCommittedHeaderIsGenerated() throws IOException {
        CommittedHeader.at("c-kernels/src/lut/published").holds(HeaderGenerator.generate(PublishedModel.defaultPlan()));
    }

    /** Tiles that the planner does not choose for published models: the least, the most, and what lies between. */
    private static KernelPlan oddPlan() {
        return new KernelPlan(List.of(
                kernel(LutFormat.TL2, 64, 24, 64, 24, 32), // one group of signs
                kernel(LutFormat.TL2, 64, 128, 32, 96, 32),
                kernel(LutFormat.TL2, 96, 240, 96, 240, 32), // one block, as wide as sums in int16 allow; nothing in twos
                kernel(LutFormat.TL2, 64, 464, 64, 240, 32), // as many columns in twos as there can be
                kernel(LutFormat.TL2, 32, 1232, 32, 120, 32),
                kernel(LutFormat.TL2, 1152, 256, 1152, 96, 32), // tiles taller than a strip of rows
                kernel(LutFormat.TL1, 64, 4, 64, 4, 64), // one step
                kernel(LutFormat.TL1, 192, 12, 64, 12, 64),
                kernel(LutFormat.TL1, 96, 104, 32, 104, 32),
                kernel(LutFormat.TL1, 128, 512, 64, 256, 64), // blocks of 64 steps, whose sums are widened twice
                kernel(LutFormat.TL1, 1152, 256, 1152, 64, 64)));
    }

    private static PlannedKernel kernel(LutFormat format, int rows, int cols, int bm, int bk, int bmm) {
        return new PlannedKernel(format, new MatrixShape(rows, cols), new Tile(bm, bk, bmm));
    }

    /** The header of the C tests for tiles that are in no published model. */
    @Test
    void theOddHeaderIsGenerated() throws IOException {
        CommittedHeader.at("c-kernels/test/lut_odd").holds(HeaderGenerator.generate(oddPlan()));
    }

    @Test
    void theSamePlanGivesTheSameBytesAndAnotherPlanOthers() {
        KernelPlan other = new KernelPlan(List.of(PLAN.kernels().getFirst()));
        assertThat(HeaderGenerator.generate(PLAN)).isEqualTo(HeaderGenerator.generate(PLAN));
        assertThat(HeaderGenerator.generate(other)).isNotEqualTo(HeaderGenerator.generate(PLAN));
    }

    @Test
    void eachShapeIsARealFunctionWithItsConstants() {
        assertThat(HeaderGenerator.generate(PLAN))
                .contains("/* TL2, 2560 x 2560: 16 tile rows of 160; 26 blocks of 96 columns in threes, 64 columns in twos */")
                .contains("static void tl2_2560x2560_160_96_32(const lut_call *call) {\n"
                        + "    lut_tl2_rows(call, 2560, 2560, 160, 96);\n}")
                .contains("/* TL1, 640 x 2560: 2 tile rows of 320; 40 blocks of 64 columns in twos, 64 rows interleaved */")
                .contains("lut_tl1_rows(call, 2560, 320, 64, 64);")
                .contains("#define LUT_PLAN \"" + PLAN.hash() + "\"");
    }

    @Test
    void theHeaderIsPlainAsciiWithLinesThatFitAScreen() {
        String header = HeaderGenerator.generate(PublishedModel.defaultPlan());
        assertThat(StandardCharsets.US_ASCII.newEncoder().canEncode(header)).isTrue();
        assertThat(header.lines()).allMatch(line -> line.length() <= 120);
    }
}
