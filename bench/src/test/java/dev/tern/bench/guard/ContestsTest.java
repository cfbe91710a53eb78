package dev.tern.bench.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.bench.guard.Race.Verdict;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The guard on real kernels of which one is broken: that it holds where none is, it shows itself in every build. */
class ContestsTest {
    private static final int TRIES = 5;

    /** Plain C in the place of vectors, in every entry at once: each contest is lost for itself. */
    @Test
    void everyContestIsLostByAnEntryThatIsPlainC() {
        assumeThat(KernelChoice.status().tiers()).isNotEmpty();
        Kernels plain = KernelChoice.of(Tier.SCALAR);
        try (Arena arena = Arena.ofConfined()) {
            List<Contest> contests = KernelContests.of(arena, plain, plain);
            assertThat(contests).hasSizeGreaterThan(40);
            assertThat(contests).filteredOn(contest -> !isLost(contest)).isEmpty();
        }
    }

    /** A ratio of 1 may come out larger by chance, but not again and again. */
    private static boolean isLost(Contest contest) {
        for (int i = 0; i < TRIES; i++) {
            if (new Race(System::nanoTime, 1).run(contest).verdict() == Verdict.FAILED) {
                return true;
            }
        }
        return false;
    }
}
