package dev.tern.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SamplesTest {
    @Test
    void meanDeviationAndMedianOfKnownNumbers() {
        Samples samples = new Samples(new long[] {1_000_000_000L, 2_000_000_000L, 4_000_000_000L}, 8); // 8, 4, 2 tokens/s
        assertThat(samples.meanNanos()).isEqualTo(7e9 / 3);
        assertThat(samples.deviationNanos()).isCloseTo(1.5275252316519467e9, within(1.0)); // n - 1
        assertThat(samples.meanRate()).isCloseTo(14.0 / 3, within(1e-12));
        assertThat(samples.deviationRate()).isCloseTo(3.0550504633038935, within(1e-12));
        assertThat(samples.medianRate()).isEqualTo(4);
        assertThat(new Samples(new long[] {1_000_000_000L, 2_000_000_000L}, 8).medianRate()).isEqualTo(6);
        assertThat(new Samples(new long[] {5}, 1).deviationNanos()).isZero();
    }
}
