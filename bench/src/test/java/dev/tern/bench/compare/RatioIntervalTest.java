package dev.tern.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/**
 * Expected bounds are SciPy's: {@code brentq} on the ratio at which Student's t of {@code a - r b} reaches its
 * quantile, which uses no formula for the bounds.
 */
class RatioIntervalTest {
    private static final double[] A = {10.2, 9.8, 10.5, 10.1, 9.9};
    private static final double[] B = {8.1, 7.7, 8.4, 8.0};

    @Test
    void boundsAreWhereStudentsTReachesItsQuantile() {
        is(RatioInterval.of(A, B, 0.95), 1.2546583850931676, 1.189151371038378, 1.3252212511328614);
        is(RatioInterval.of(A, B, 0.99), 1.2546583850931676, 1.1557482417270277, 1.3655673259737395);
    }

    /** A machine that became half as fast again: what the forks have in common widens only what is not paired. */
    @Test
    void pairsCancelWhatBefellBoth() {
        double[] a = {10.0, 11.0, 12.5, 14.0, 15.0};
        double[] b = {5.1, 5.4, 6.3, 6.9, 7.6};
        is(RatioInterval.ofPairs(a, b, 0.95), 1.996805111821086, 1.956046024990771, 2.0390077741251327);
        is(RatioInterval.of(a, b, 0.95), 1.996805111821086, 1.564779164645095, 2.548616309447632);
        assertThatIllegalArgumentException().isThrownBy(() -> RatioInterval.ofPairs(A, B, 0.95));
    }

    @Test
    void theRatioTheOtherWayHasTheInverseBounds() {
        RatioInterval one = RatioInterval.of(A, B, 0.95);
        RatioInterval other = RatioInterval.of(B, A, 0.95);
        is(other, 1 / one.ratio(), 1 / one.high(), 1 / one.low());
    }

    @Test
    void samplesThatAreAllAlikeLeaveNoDoubt() {
        double[] three = {3, 3};
        is(RatioInterval.of(three, new double[] {2, 2}, 0.95), 1.5, 1.5, 1.5);
        is(RatioInterval.ofPairs(three, new double[] {2, 2}, 0.95), 1.5, 1.5, 1.5);
        assertThat(RatioInterval.of(three, three, 0.95).excludesOne()).isFalse();
    }

    @Test
    void thereIsNoneOfOneSampleOrBelowALineThatMayBeZero() {
        assertThat(RatioInterval.of(new double[] {1}, B, 0.95)).isNull();
        assertThat(RatioInterval.of(A, new double[] {1}, 0.95)).isNull();
        assertThat(RatioInterval.ofPairs(new double[] {1}, new double[] {1}, 0.95)).isNull();
        assertThat(RatioInterval.of(A, new double[] {0.1, 2, 0.1}, 0.95)).isNull();
        assertThat(RatioInterval.of(A, new double[] {Double.NaN, 2}, 0.95)).isNull();
    }

    private static void is(RatioInterval interval, double ratio, double low, double high) {
        assertThat(interval.ratio()).isCloseTo(ratio, within(1e-9));
        assertThat(interval.low()).isCloseTo(low, within(1e-9));
        assertThat(interval.high()).isCloseTo(high, within(1e-9));
    }
}
