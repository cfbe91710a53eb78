package dev.tern.server.slots;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PassCostsTest {
    private static final int BATCH = 512;

    /** Passes as on a machine where a token's computing takes so much, and reading the weights 100. */
    private static PassCosts measured(long token) {
        PassCosts costs = new PassCosts(BATCH);
        for (int i = 0; i < 20; i++) {
            for (int rows = 1; rows <= 8; rows++) {
                int chunk = costs.chunkBeside(rows);
                costs.record(rows, 0, Math.max(100, token * rows));
                costs.record(rows, chunk, Math.max(100, token * rows) + chunk * token);
            }
        }
        return costs;
    }

    @Test
    void promptsBesideTextsStretchAPassToTwiceItsTime() {
        assertThat(measured(10).chunkBeside(1)).isEqualTo(10);
        assertThat(measured(5).chunkBeside(1)).isEqualTo(20);
        assertThat(measured(20).chunkBeside(8)).as("a longer pass takes more").isEqualTo(8);
        assertThat(measured(99).chunkBeside(1)).as("never none").isEqualTo(PassCosts.LEAST_BESIDE);
        assertThat(measured(1).chunkBeside(500)).as("no more than there is room").isLessThanOrEqualTo(12);
        assertThat(measured(1).chunkBeside(BATCH)).isZero();
        assertThat(new PassCosts(BATCH).chunkBeside(1)).as("nothing is known").isPositive().isLessThan(16);
        assertThat(new PassCosts(1).chunkBeside(1)).isZero();
    }

    @Test
    void onePassThatSeemsToCostNothingDoesNotGiveAFullBatch() {
        PassCosts first = new PassCosts(BATCH);
        first.record(1, 0, 1_000_000);
        first.record(1, 8, 1_000_001);
        assertThat(first.chunkBeside(1)).isEqualTo(16);
        first.record(1, 16, 1_000_000 + 16 * 100_000);
        assertThat(first.chunkBeside(1)).as("what it costs is believed at once").isEqualTo(10);

        PassCosts known = measured(10);
        for (int i = 0; i < 3; i++) {
            int before = known.chunkBeside(1);
            known.record(1, before, 90); // a pass that was quicker than without prompts
            assertThat(known.chunkBeside(1)).isBetween(before, 2 * before);
        }
        int before = known.chunkBeside(1);
        known.record(1, before, 100 + before * 10L);
        assertThat(known.chunkBeside(1)).isEqualTo(10);
        for (int i = 0; i < 20; i++) {
            known.record(1, 2, 100);
        }
        assertThat(known.chunkBeside(1)).as("few tokens say little of many").isEqualTo(8);

        PassCosts alone = new PassCosts(BATCH);
        alone.record(1, 0, 100);
        alone.record(0, 64, 64 * 5);
        for (int i = 0; i < 20; i++) {
            alone.record(1, alone.chunkBeside(1), 100);
        }
        assertThat(alone.chunkBeside(1)).as("a token costs no less than alone").isEqualTo(20);
    }

    @Test
    void aPassForAPromptAloneIsAsShortAsIsQuick() {
        PassCosts costs = new PassCosts(BATCH);
        assertThat(costs.chunkAlone()).isEqualTo(64);
        costs.record(0, 64, 64 * 100);
        assertThat(costs.chunkAlone()).as("a longer one is tried").isEqualTo(128);
        costs.record(0, 128, 128 * 99);
        assertThat(costs.chunkAlone()).as("it is no quicker").isEqualTo(64);

        PassCosts many = new PassCosts(BATCH); // a machine of many cores
        for (int i = 0; i < 8; i++) {
            int chunk = many.chunkAlone();
            many.record(0, chunk, 100_000 + chunk * 10L);
        }
        assertThat(many.chunkAlone()).isEqualTo(BATCH);

        assertThat(new PassCosts(48).chunkAlone()).isEqualTo(48);
        PassCosts odd = new PassCosts(100);
        odd.record(0, 64, 64 * 100);
        assertThat(odd.chunkAlone()).isEqualTo(100);
        odd.record(0, 100, 100 * 50);
        assertThat(odd.chunkAlone()).isEqualTo(100);
    }

    @Test
    void whatWasMeasuredOnceIsTriedAgainLater() {
        PassCosts costs = new PassCosts(BATCH);
        costs.record(0, 64, 64 * 100);
        costs.record(0, 128, 128 * 100);
        assertThat(costs.chunkAlone()).isEqualTo(64);
        for (int i = 0; i < 2000; i++) {
            costs.record(0, 64, 64 * 100);
        }
        assertThat(costs.chunkAlone()).isEqualTo(128);
    }

    @Test
    void rowsThatWereNotMeasuredAreEstimated() {
        PassCosts none = new PassCosts(BATCH);
        assertThat(none.relative(3, 0)).isEqualTo(1);
        assertThat(none.relative(3, 1)).isInfinite();
        PassCosts costs = new PassCosts(BATCH);
        costs.record(4, 0, 100);
        costs.record(8, 0, 200);
        assertThat(costs.relative(4, 4)).isEqualTo(2);
        assertThat(costs.relative(4, 2)).as("between").isEqualTo(1.5);
        assertThat(costs.relative(1, 1)).as("below").isBetween(1.0, 1.2);
        assertThat(costs.relative(8, 8)).as("beyond").isBetween(1.2, 2.0);
        assertThat(costs.relative(300, 10)).as("far beyond").isGreaterThan(1);
        costs.record(4, 0, 100_000);
        assertThat(costs.relative(4, 4)).as("one slow pass says little").isGreaterThan(1.5);
    }
}
