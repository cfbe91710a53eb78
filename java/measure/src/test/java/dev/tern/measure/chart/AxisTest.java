package dev.tern.measure.chart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class AxisTest {

    @Test
    void valuesHaveTheirPlaces() {
        Axis linear = new Axis(false, 0, 50, 300, 0);
        assertThat(linear.at(0)).isEqualTo(300);
        assertThat(linear.at(25)).isEqualTo(150);
        assertThat(linear.ticks(5)).containsExactly(0.0, 10.0, 20.0, 30.0, 40.0, 50.0);
        Axis decades = new Axis(true, 1, 1000, 0, 300);
        assertThat(decades.at(10)).isCloseTo(100, within(1e-9));
        assertThat(decades.ticks(4)).containsExactly(1.0, 10.0, 100.0, 1000.0);
        assertThat(decades.ticks(2)).containsExactly(1.0, 100.0);
        assertThat(new Axis(true, 600, 12_000, 0, 300).ticks(7)).containsExactly(1000.0, 2000.0, 5000.0, 10_000.0);
        assertThat(new Axis(false, 0, 1, 0, 300).ticks(5)).containsExactly(0.0, 0.2, 0.4, 0.6, 0.8, 1.0);
    }

    @Test
    void barsBeginAtZeroAndRatiosAtWhatIsThere() {
        assertThat(Axis.fromZero(40, 0, 100).from()).isZero();
        assertThat(Axis.fromZero(0, 0, 100).to()).isPositive();
        Axis near = Axis.ofRatios(715, 813, 0, 100);
        assertThat(near.logarithmic()).isFalse();
        assertThat(near.from()).isBetween(600.0, 715.0);
        assertThat(Axis.ofRatios(715, 8612, 0, 100).logarithmic()).isTrue();
        assertThat(Axis.ofRatios(5, 5, 0, 100).from()).isLessThan(5);
    }

    @Test
    void ticksAreFewAndWithinTheAxis() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 2000; i++) {
            double from = Math.pow(10, random.nextDouble(-9, 9));
            double to = from * Math.pow(10, random.nextDouble(0.05, 12));
            Axis axis = new Axis(random.nextBoolean(), from, to, 0, 100);
            List<Double> ticks = axis.ticks(5);
            assertThat(ticks).as(axis.toString()).hasSizeLessThanOrEqualTo(9).isSorted();
            assertThat(ticks).allSatisfy(tick -> assertThat(tick).isBetween(from - 1e-9 * to, to + 1e-9 * to));
        }
    }
}
