package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class PassTimesTest {
    private final PassTimes times = new PassTimes();

    @Test
    void nothingIsKnownBeforeOneTokenWasMeasured() {
        assertThat(times.relative(1)).isEqualTo(1);
        assertThat(times.relative(2)).isInfinite();
        times.record(2, 300);
        assertThat(times.relative(2)).isInfinite();
        times.record(1, 200);
        assertThat(times.relative(2)).isEqualTo(1.5);
    }

    @Test
    void whatWasNotMeasuredLiesOnALineOrIsTakenToBeCheap() {
        times.record(1, 100);
        assertThat(times.relative(5)).as("untried").isBetween(1.0, 2.0);
        times.record(9, 900);
        assertThat(times.relative(5)).isCloseTo(5, within(1e-9));
        assertThat(times.relative(2)).isCloseTo(2, within(1e-9));
        assertThat(times.relative(17)).as("beyond").isBetween(9.0, 10.0);
        times.record(4, 100);
        assertThat(times.relative(2)).as("a step, seen from below").isCloseTo(1, within(1e-9));
        assertThat(times.relative(4)).isEqualTo(1);
        times.record(PassTimes.MOST_TOKENS + 1, 1); // a prompt's
        assertThat(times.relative(PassTimes.MOST_TOKENS)).isGreaterThan(9);
    }

    @Test
    void oneInterruptedPassChangesLittleAndALastingChangeAll() {
        for (int i = 0; i < 20; i++) {
            times.record(1, 100);
            times.record(4, 150);
        }
        times.record(4, 1_000_000);
        assertThat(times.relative(4)).isBetween(1.5, 1.8);
        for (int i = 0; i < 40; i++) {
            times.record(4, 400);
        }
        assertThat(times.relative(4)).isCloseTo(4, within(0.2));
        for (int i = 0; i < 6; i++) {
            times.record(4, 120);
        }
        assertThat(times.relative(4)).isCloseTo(1.2, within(0.1));
    }

    @Test
    void whatIsLongPastIsForgottenAndTriedAgain() {
        times.record(1, 100);
        times.record(8, 1000);
        assertThat(times.relative(8)).isEqualTo(10);
        for (int i = 0; i < 2000; i++) {
            times.record(1, 100);
        }
        assertThat(times.relative(8)).isBetween(1.0, 2.0);
        times.record(8, 500);
        assertThat(times.relative(8)).as("nothing of the old").isEqualTo(5);
    }
}
