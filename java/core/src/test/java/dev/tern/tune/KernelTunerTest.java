package dev.tern.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tern.codegen.KernelPlanException;
import dev.tern.codegen.KernelPlanner;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.PublishedModel;
import dev.tern.codegen.Tile;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelTunerTest {
    private static final MatrixShape FIRST = new MatrixShape(64, 96);
    private static final MatrixShape SECOND = new MatrixShape(128, 192);

    @TempDir
    private Path cache;

    /** Who wants to stop. */
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void aRunThatWasEndedGoesOnAndARepeatedOneMeasuresNothing() throws Exception {
        assertThatThrownBy(() -> tuner().progress((part, done, total) -> {
                            if (part.equals("tune") && done > 100) { // in the second shape of two
                                assertThat(total).isEqualTo(200);
                                throw new Stop();
                            }
                        })
                        .tune(List.of(FIRST, SECOND), LutFormat.TL2))
                .isInstanceOf(Stop.class);
        assertThat(kept()).hasSize(1);

        Tuning resumed = tuner().tune(List.of(FIRST, SECOND), LutFormat.TL2);
        assertThat(resumed.shapes()).extracting(TunedShape::measured).containsExactly(false, true);
        assertThat(resumed.notes()).isEmpty();
        assertThat(kept()).hasSize(2);
        for (TunedShape shape : resumed.shapes()) {
            List<Tile> candidates = KernelTuner.candidates(LutFormat.TL2, shape.shape()).stream()
                    .map(PlannedKernel::tile)
                    .toList();
            assertThat(shape.tiles()).extracting(TimedTile::tile).isEqualTo(candidates);
            assertThat(shape.winner().tile()).isIn(candidates);
            assertThat(LutFormat.TL2.obstacle(shape.shape(), shape.winner().tile())).isEmpty();
        }
        assertThat(resumed.plan().kernels()).extracting(PlannedKernel::shape).containsExactly(FIRST, SECOND);

        Tuning repeated = tuner().progress((part, done, total) -> {
                    throw new AssertionError("nothing is left to do: " + part);
                })
                .tune(List.of(SECOND, FIRST, SECOND), LutFormat.TL2);
        assertThat(repeated.shapes()).extracting(TunedShape::measured).containsExactly(false, false);
        assertThat(repeated.shapes().get(1).tiles()).isEqualTo(resumed.shapes().get(0).tiles());

        // Damaged, of other tiles, without speeds: measured again, with the library that is there.
        List<Path> files = kept();
        Files.writeString(files.get(0), "{\"tiles\": [");
        Files.writeString(files.get(1), Files.readString(files.get(1)).replaceFirst("\"decode\" : [^,]*", "\"decode\" : -1"));
        Tuning damaged = tuner().tune(List.of(FIRST, SECOND), LutFormat.TL2);
        assertThat(damaged.shapes()).extracting(TunedShape::measured).containsExactly(true, true);
        assertThat(tuner().again(true).tune(List.of(FIRST), LutFormat.TL2).shapes().getFirst().measured())
                .isTrue();
        Kernels kernels = KernelChoice.best().kernels();
        assertThatThrownBy(() -> new KernelTuner(cache, kernels, 1)
                        .progress((part, done, total) -> {
                            throw new Stop();
                        })
                        .tune(List.of(FIRST), LutFormat.TL2))
                .as("another number of threads is measured by itself")
                .isInstanceOf(Stop.class);
        try (Stream<Path> left = Files.list(cache)) {
            assertThat(left).noneMatch(path -> path.getFileName().toString().startsWith(".building"));
        }
    }

    @Test
    void refusesWhatCannotBeTimed() {
        assertThatThrownBy(() -> tuner().tune(List.of(new MatrixShape(1000, 1000)), LutFormat.TL2))
                .isInstanceOf(KernelPlanException.class)
                .hasMessageContaining("no multiple of 32");
        assertThatThrownBy(() -> tuner().tune(List.of(new MatrixShape(1 << 20, 1 << 16)), LutFormat.TL1))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("too large to be timed");
        assertThatThrownBy(() -> new KernelTuner(cache, KernelChoice.of(Tier.JAVA), 1))
                .isInstanceOf(KernelUnavailableException.class);
    }

    @Test
    void candidatesAreLegalVariousAndBeginWithThePlannersChoice() {
        for (PlannedKernel planned : PublishedModel.defaultPlan().kernels()) {
            List<PlannedKernel> candidates = KernelTuner.candidates(planned.format(), planned.shape());
            assertThat(candidates).startsWith(planned).doesNotHaveDuplicates().hasSizeLessThanOrEqualTo(9);
            int legal = KernelPlanner.ranked(planned.format(), planned.shape()).size();
            assertThat(candidates).hasSizeGreaterThanOrEqualTo(Math.min(legal, 8));
        }
        assertThat(KernelTuner.candidates(LutFormat.TL2, new MatrixShape(3200, 8640)))
                .extracting(PlannedKernel::tile)
                .contains(new Tile(160, 96, 32));
    }

    @Test
    void decodeDecidesAndATieIsThePlanners() {
        Tile planned = new Tile(64, 96, 32);
        Tile other = new Tile(32, 96, 32);
        TimedTile slow = new TimedTile(planned, 100e9, 100e9);
        assertThat(winner(slow, new TimedTile(other, 110e9, 90e9))).isEqualTo(other);
        assertThat(winner(slow, new TimedTile(other, 90e9, 150e9))).isEqualTo(planned);
        assertThat(winner(slow, new TimedTile(other, 101e9, 101e9))).isEqualTo(planned);
        assertThat(winner(slow, new TimedTile(other, 103e9, 103e9))).isEqualTo(other);
        assertThatThrownBy(() -> new TimedTile(other, Double.NaN, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    private static Tile winner(TimedTile... tiles) {
        return new TunedShape(LutFormat.TL2, FIRST, List.of(tiles), true).winner().tile();
    }

    private KernelTuner tuner() {
        Kernels kernels = KernelChoice.best().kernels();
        assumeTrue(kernels.tier() != Tier.JAVA, "needs libtern");
        assumeTrue(onPath("cmake") && (onPath("cc") || onPath("gcc") || onPath("clang")), "needs CMake and a C compiler");
        return new KernelTuner(cache, kernels, 2).budget(Duration.ofMillis(1));
    }

    private static boolean onPath(String program) {
        return Stream.of(String.valueOf(System.getenv("PATH")).split(":"))
                .anyMatch(folder -> !folder.isEmpty() && Files.isExecutable(Path.of(folder, program)));
    }

    private List<Path> kept() throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            return files.filter(file -> file.getFileName().toString().startsWith("tiles-")).sorted().toList();
        }
    }
}
