package dev.tern.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Test;

class ThisProcessTest {

    @Test
    void ageIsTheDifferenceOfTwoClocks() {
        String stat = "77 (a) b (c) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 21 0 12345 99 100\n";
        assertThat(ThisProcess.age(stat, "125.67 9.00\n")).hasValue(2_220_000_000L);
        assertThat(ThisProcess.age(stat, "1.00 1.00")).isEmpty();
    }

    @Test
    void aPeakIsSeenAndForgotten() {
        assumeThat(ThisProcess.peakBytes()).isPresent();
        byte[] touched = new byte[64 << 20];
        for (int i = 0; i < touched.length; i += 4096) {
            touched[i] = 1;
        }
        assertThat(ThisProcess.peakBytes().getAsLong()).isGreaterThan(64 << 20);
        assertThat(ThisProcess.ageNanos()).isPresent();
        assumeThat(ThisProcess.forgetPeak()).isTrue();
        assertThat(ThisProcess.peakBytes().getAsLong()).isPositive();
    }
}
