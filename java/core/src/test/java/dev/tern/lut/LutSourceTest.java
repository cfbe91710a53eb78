package dev.tern.lut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.codegen.KernelBuild;
import dev.tern.codegen.KernelLibraryFile;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.PublishedModel;
import dev.tern.codegen.Tile;
import dev.tern.kernels.KernelCache;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.LutKernels;
import dev.tern.kernels.LutLibrary;
import dev.tern.kernels.LutPath;
import dev.tern.kernels.LutShape;
import dev.tern.kernels.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where kernels are taken from. What happens on machines of other kinds, {@code LutLoadTest} shows with processes of its own. */
class LutSourceTest {
    /** Of no published model. */
    private static final KernelPlan ODD = new KernelPlan(List.of(
            new PlannedKernel(LutFormat.TL2, new MatrixShape(96, 192), new Tile(96, 96, 32)),
            new PlannedKernel(LutFormat.TL1, new MatrixShape(96, 192), new Tile(32, 64, 32))));

    @BeforeEach
    void nothingIsBuiltYet() throws IOException {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        assertThat(KernelChoice.status().failure()).isEmpty();
        Path folder = cache(ODD).folder();
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static KernelBuild cache(KernelPlan plan) {
        return new KernelBuild(KernelCache.folder(LutSource.CACHE), plan);
    }

    @Test
    void publishedModelsNeedNoCompiler() {
        KernelPlan published = PublishedModel.defaultPlan();
        for (KernelPlan plan : List.of(published, new KernelPlan(published.kernels().subList(3, 5)))) {
            LutSource.Found found = LutSource.find(plan, Tier.SCALAR, false);
            assertThat(found.notes()).isEmpty();
            assertThat(found.kernels().orElseThrow().library())
                    .isEqualTo(LutLibrary.ofLibtern().orElseThrow().file());
        }
        assertThat(LutLibrary.ofLibtern().orElseThrow().kernels(LutPath.PORTABLE).orElseThrow().plan())
                .isEqualTo(published.hash());
    }

    @Test
    void theReferenceHasNone() {
        LutSource.Found found = LutSource.find(PublishedModel.defaultPlan(), Tier.JAVA, true);
        assertThat(found.kernels()).isEmpty();
        assertThat(found.notes()).containsExactly("the Java reference has no look-up-table kernels");
    }

    @Test
    void oneTileThatDiffersIsAnotherPlan() {
        PlannedKernel known = PublishedModel.defaultPlan().kernels().getFirst();
        Tile other = known.format().legalTiles(known.shape()).stream()
                .filter(tile -> !tile.equals(known.tile()))
                .findFirst()
                .orElseThrow();
        KernelPlan plan = new KernelPlan(List.of(new PlannedKernel(known.format(), known.shape(), other)));
        assertThat(cache(plan).find()).isEmpty();
        LutSource.Found found = LutSource.find(plan, Tier.SCALAR, false);
        assertThat(found.kernels()).isEmpty();
        assertThat(found.notes()).isEmpty();
    }

    @Test
    void whatIsBuiltIsFoundAgain() {
        assertThat(LutSource.find(ODD, Tier.SCALAR, false).kernels()).isEmpty();
        LutSource.Found built = LutSource.find(ODD, Tier.SCALAR, true);
        LutKernels kernels = built.kernels().orElseThrow();
        assertThat(built.notes())
                .containsExactly("built kernels for this model's shapes and tiles: " + kernels.library());
        assertThat(kernels.plan()).isEqualTo(ODD.hash());
        assertThat(kernels.shapes())
                .containsExactly(
                        new LutShape(LutShape.Format.TL2, 96, 192, 96, 96, 32),
                        new LutShape(LutShape.Format.TL1, 96, 192, 32, 64, 32));
        for (boolean build : new boolean[] {false, true}) {
            LutSource.Found found = LutSource.find(ODD, Tier.SCALAR, build);
            assertThat(found.kernels().orElseThrow().library()).isEqualTo(kernels.library());
            assertThat(found.notes()).isEmpty();
        }
    }

    @Test
    void aChangedLibraryIsRefusedAndBuiltAgain() throws IOException {
        KernelLibraryFile file = cache(ODD).build();
        Files.writeString(file.header(), Files.readString(file.header()).replace("96", "64"));
        LutSource.Found refused = LutSource.find(ODD, Tier.SCALAR, false);
        assertThat(refused.kernels()).isEmpty();
        assertThat(refused.notes()).singleElement().asString().startsWith("refused: " + file.header() + ": changed");
        LutSource.Found again = LutSource.find(ODD, Tier.SCALAR, true);
        assertThat(again.kernels()).isPresent();
        assertThat(again.notes()).hasSize(2);
        assertThat(again.notes().getFirst()).isEqualTo(refused.notes().getFirst());
        assertThat(again.notes().getLast()).startsWith("built kernels");
    }

    @Test
    void aLibraryOfAnotherPlanIsRefused() {
        KernelLibraryFile file = cache(ODD).build();
        KernelPlan other = new KernelPlan(List.of(ODD.kernels().getLast()));
        assertThat(LutSource.open(file, ODD, Tier.SCALAR).plan()).isEqualTo(ODD.hash());
        assertThatThrownBy(() -> LutSource.open(file, other, Tier.SCALAR))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessage(file.library() + ": serves the plan " + ODD.hash() + ", expected " + other.hash() + "; remove "
                        + file.folder());
        KernelLibraryFile foreign =
                new KernelLibraryFile(file.folder(), file.library(), "0".repeat(64), file.header());
        assertThatThrownBy(() -> LutSource.open(foreign, ODD, Tier.SCALAR))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageContaining("is not the library that was built");
    }
}
