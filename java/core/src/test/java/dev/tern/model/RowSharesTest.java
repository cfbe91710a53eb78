package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowSharesTest {

    @ParameterizedTest
    @CsvSource({"128256, 32", "6912, 32", "2560, 32", "640, 32", "40, 32", "1, 32", "2560, 256", "512, 1", "7, 1"})
    void sharesAreWholeUnitsNeverEmptyAndNeverMuchLargerThanTheOneBefore(int count, int unit) {
        for (int members : new int[] {1, 2, 3, 8, 64, 1024}) {
            int n = RowShares.rowShares(count, unit, members);
            int previous = count;
            int end = 0;
            for (int i = 0; i < n; i++) {
                int begin = RowShares.share(count, unit, i, n);
                assertThat(begin).isEqualTo(end);
                end = RowShares.share(count, unit, i + 1, n);
                assertThat(begin % unit).isZero();
                assertThat(end - begin).isPositive().isLessThanOrEqualTo(previous + unit);
                previous = end - begin;
            }
            assertThat(end).isEqualTo(count);
        }
    }

    @Test
    void severalTokensOfMixedPanelsHaveFewerShares() {
        Arena arena = Arena.ofAuto();
        for (TernaryLayout layout : TernaryLayout.values()) {
            TernaryWeights w = TernaryWeights.of(
                    arena, arena.allocate(layout.bytes(2560, 100), 64), 2560, 100, 1, layout);
            int usual = RowShares.rowShares(2560, 32, 2);
            int fewer = layout == TernaryLayout.PANELS_MIXED ? usual / 2 : usual;
            assertThat(RowShares.rowShares(w, 8, 2560, 32, 2)).isEqualTo(fewer);
            assertThat(RowShares.rowShares(w, 1, 2560, 32, 2)).isEqualTo(usual);
            assertThat(RowShares.rowShares(w, 8, 64, 32, 2)).isEqualTo(2);
        }
    }

    /** Of two members of which one is a tenth slower, the sooner does not wait long for the later. */
    @ParameterizedTest
    @CsvSource({"6912, 0.03", "128256, 0.03", "2560, 0.03"})
    void membersOfUnequalSpeedEndTogether(int rows, double longest) {
        int n = RowShares.rowShares(rows, 32, 2);
        double[] times = new double[2];
        for (int i = 0; i < n; i++) {
            int member = times[0] <= times[1] ? 0 : 1;
            double speed = member == 0 ? 1 : 0.9;
            times[member] += (RowShares.share(rows, 32, i + 1, n) - RowShares.share(rows, 32, i, n)) / speed;
        }
        double ideal = rows / 1.9;
        assertThat(Math.max(times[0], times[1]) / ideal - 1).isLessThan(longest);
    }
}
