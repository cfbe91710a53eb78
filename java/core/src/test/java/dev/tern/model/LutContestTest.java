package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutLibrary;
import dev.tern.kernels.LutPath;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.LutWeights;
import dev.tern.kernels.TernaryLayout;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** That it measures at all; how fast anything is, is no matter for a test. */
class LutContestTest {
    @ParameterizedTest
    @CsvSource({"1, ROWS", "2, PANELS_2BIT", "3, PANELS_5TRIT"})
    void speedsArePositive(int threads, TernaryLayout layout) {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        LutKernels kernels = LutLibrary.ofLibtern().orElseThrow().kernels(LutPath.PORTABLE).orElseThrow();
        List<LutShape> shapes = kernels.shapes().stream()
                .filter(shape -> shape.format() == LutShape.Format.TL2 && shape.rows() * shape.cols() <= 1 << 17)
                .toList();
        assertThat(shapes).isNotEmpty();
        Arena arena = Arena.ofAuto();
        List<LutWeights> weights = shapes.stream()
                .map(shape -> LutWeights.of(arena, kernels, shape, arena.allocate(shape.packedBytes()), 1))
                .toList();
        try (ThreadTeam team = new ThreadTeam(threads)) {
            Kernels multiplying = KernelChoice.best().kernels();
            LayoutChoice layouts = LayoutChoice.of(multiplying.tier(), 2, 1, Optional.of(layout), false);
            LutContest.Result result = LutContest.measure(weights, multiplying, layouts, team);
            assertThat(result.lut()).isPositive().isFinite();
            assertThat(result.mad()).isPositive().isFinite();
        }
    }
}
