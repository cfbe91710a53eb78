package dev.tern.bench.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tern.bench.guard.Contest.Way;
import dev.tern.bench.guard.Race.Outcome;
import dev.tern.bench.guard.Race.Verdict;
import java.util.Optional;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

/** On a clock that only the work moves. */
class RaceTest {
    private static final long MILLISECOND = 1_000_000;

    private long now;
    private long runs;

    private Way way(double units, LongUnaryOperator nanosOfRun) {
        return new Way("", units, () -> now += nanosOfRun.applyAsLong(runs++));
    }

    private Way way(long nanos) {
        return way(1, run -> nanos);
    }

    private Outcome race(Contest contest) {
        return new Race(() -> now, 4).run(contest);
    }

    @Test
    void aFastPathThatIsOneWins() {
        Outcome outcome = race(new Contest("", way(MILLISECOND), way(3 * MILLISECOND), 2));
        assertThat(outcome.verdict()).isEqualTo(Verdict.OK);
        assertThat(outcome.ratio()).isCloseTo(3, within(1e-9));
    }

    @Test
    void aFastPathThatIsNoneLoses() {
        Outcome outcome = race(new Contest("", way(MILLISECOND), way(MILLISECOND), 1.5));
        assertThat(outcome.verdict()).isEqualTo(Verdict.FAILED);
        assertThat(outcome.ratio()).isCloseTo(1, within(1e-9));
    }

    @Test
    void timesAreOfAUnitOfWork() {
        Outcome outcome = race(new Contest("", way(8, run -> 4_000), way(1_000), 1.5));
        assertThat(outcome.verdict()).isEqualTo(Verdict.OK);
        assertThat(outcome.fastNanos()).isCloseTo(500, within(1e-9));
        assertThat(outcome.slowNanos()).isCloseTo(1000, within(1e-9));
    }

    /** Most runs of the fast way are disturbed, and all of the first rounds; what was left alone once decides. */
    @Test
    void aBusyMachineDoesNotMakeItLose() {
        Way disturbed = way(1, run -> run < 60 || run % 7 != 0 ? 5 * MILLISECOND : MILLISECOND);
        assertThat(race(new Contest("", disturbed, way(3 * MILLISECOND), 2)).verdict()).isEqualTo(Verdict.OK);
    }

    /** Nor does a slow one: all times are the longer, all ratios the same. */
    @Test
    void aSlowMachineDoesNotMakeItLose() {
        assertThat(race(new Contest("", way(400 * MILLISECOND), way(1200 * MILLISECOND), 2)).verdict())
                .isEqualTo(Verdict.OK);
    }

    @Test
    void whatTheMachineCannotShowIsSkipped() {
        Contest capacity = new Contest("two processors", way(2, run -> 2 * MILLISECOND), way(MILLISECOND), 1.6);
        Outcome outcome = race(new Contest("", way(MILLISECOND), way(MILLISECOND), 1.25, Optional.of(capacity)));
        assertThat(outcome.verdict()).isEqualTo(Verdict.SKIPPED);
        assertThat(outcome.capacityRatio()).isCloseTo(1, within(1e-9));
    }

    @Test
    void whatTheMachineCanShowMustBeShown() {
        Contest capacity = new Contest("two processors", way(2, run -> MILLISECOND), way(MILLISECOND), 1.6);
        Contest lost = new Contest("", way(MILLISECOND), way(MILLISECOND), 1.25, Optional.of(capacity));
        assertThat(race(lost).verdict()).isEqualTo(Verdict.FAILED);
    }
}
