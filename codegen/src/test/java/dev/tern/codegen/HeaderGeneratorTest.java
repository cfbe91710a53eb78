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
