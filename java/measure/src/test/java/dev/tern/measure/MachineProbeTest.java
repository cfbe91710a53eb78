package dev.tern.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.LibraryStatus;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Little memory and short runs: that everything is measured, and in proportion. */
class MachineProbeTest {
    private static final MachineProbe.Extent SHORT = new MachineProbe.Extent(64 << 20, 5, 1_000_000);
    private static final MachineProbe.Watch QUIET = (what, done, all) -> {};

    @Test
    void measuresEveryNumberOfThreadsAndTier() {
        List<String> heard = new ArrayList<>();
        MachineProbe.Watch hearing = (what, done, all) -> heard.add(what);
        MachineProbe.Result result = MachineProbe.measure(List.of(2, 1, 2), SHORT, hearing);

        LibraryStatus status = KernelChoice.status();
        List<String> tiers = status.tiers().stream()
                .filter(tier -> tier.obstacle().isEmpty() && tier.tier().compareTo(status.active()) <= 0)
                .map(tier -> tier.tier().label())
                .toList();
        List<MachineLimits.Peak> peaks = result.limits().peaks();
        assertThat(peaks).hasSize(2 * tiers.size()).allMatch(peak -> peak.gigaOperationsPerSecond() > 0);
        assertThat(peaks.stream().map(MachineLimits.Peak::tier).distinct()).isEqualTo(tiers);
        assertThat(peaks).extracting(MachineLimits.Peak::threads).containsOnly(1, 2);
        if (status.active() == Tier.JAVA) {
            assertThat(result.notes()).anyMatch(note -> note.contains("native kernels"));
        } else {
            assertThat(heard).contains("8-bit products, " + status.active().label());
        }
        boolean hidden = result.notes().stream().anyMatch(note -> note.contains("4 KiB"));
        List<MachineLimits.Read> reads = result.limits().reads();
        assertThat(reads).allMatch(read -> read.gigabytesPerSecond() > 0);
        assertThat(reads.stream().filter(read -> !read.largePages()).map(MachineLimits.Read::threads))
                .isEqualTo(hidden ? List.of() : List.of(1, 2));
        boolean small = result.notes().stream().anyMatch(note -> note.contains("2 MiB"));
        assertThat(reads.stream().filter(MachineLimits.Read::largePages).count()).isEqualTo(small ? 0 : 2);
    }

    /** An instruction of 16 bytes makes 16 products where a multiplication makes one. */
    @Test
    void vectorsMakeMoreProducts() {
        List<MachineLimits.Peak> peaks = MachineProbe.measure(List.of(1), SHORT, QUIET).limits().peaks();
        double scalar = peaks.stream()
                .filter(peak -> peak.tier().equals("scalar"))
                .mapToDouble(MachineLimits.Peak::gigaOperationsPerSecond)
                .findFirst()
                .orElse(0);
        assertThat(peaks.stream().filter(peak -> !peak.tier().equals("scalar")))
                .allMatch(peak -> peak.gigaOperationsPerSecond() > 3 * scalar);
    }

    @Test
    void moreThanThereIsIsNotMeasuredButSaid() {
        MachineProbe.Extent huge = new MachineProbe.Extent(1L << 60, 1, 1);
        MachineProbe.Result result = MachineProbe.measure(List.of(1), huge, QUIET);
        assertThat(result.limits().reads()).isEmpty();
        assertThat(result.notes()).anyMatch(note -> note.startsWith("The bandwidth of memory was not measured"));
    }

    @Test
    void aWatchEndsIt() {
        assertThatThrownBy(() -> MachineProbe.measure(List.of(1), SHORT, (what, done, all) -> {
                    throw new UnsupportedOperationException(what);
                }))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> MachineProbe.measure(List.of(), SHORT, QUIET))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aLoopThatWasNotRunIsSeen() {
        try (Arena arena = Arena.ofConfined()) {
            ProductPeak products = new ProductPeak(KernelChoice.best().kernels(), arena, 1);
            products.run(0, 2 * Kernels.PEAK_UNIT);
            assertThat(products.isRight(1, 2 * Kernels.PEAK_UNIT)).isTrue();
            assertThat(products.isRight(1, Kernels.PEAK_UNIT)).isFalse();
        }
    }
}
