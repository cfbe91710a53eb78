package dev.tern.measure.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.measure.Spread;
import java.util.Locale;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        8611.69   | 8,612
        715.118   | 715
        999.96    | 1,000
        99.96     | 100
        99.94     | 99.9
        41.249    | 41.2
        10        | 10.0
        9.9962    | 10.0
        2.9444    | 2.94
        1         | 1.00
        0.99962   | 1.00
        0.5       | 0.500
        0.1       | 0.100
        0.099961  | 0.100
        0.0524    | 0.0524
        0.01      | 0.0100
        0.004371  | 0.00437
        0.0009999 | 0.00100
        3.1e-5    | 3.10e-5
        -2.5      | -2.50
        0         | 0
        1e12      | 1,000,000,000,000
        NaN       | –
        Infinity  | ∞
        -Infinity | −∞
        """)
    void threeDigits(double value, String shown) {
        assertThat(Numbers.three(value)).isEqualTo(shown);
    }

    @Test
    void whatIsShownIsTheNumberToHalfOfItsLastDigit() {
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 10_000; i++) {
            double value = Math.pow(10, random.nextDouble(-9, 9));
            double shown = Double.parseDouble(Numbers.three(value).replace(",", ""));
            assertThat(Math.abs(shown - value)).as(Numbers.three(value)).isLessThanOrEqualTo(0.00501 * value);
        }
    }

    @Test
    void theSystemsLanguageChangesNothing() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            assertThat(Numbers.three(1234.6)).isEqualTo("1,235");
            assertThat(Numbers.times(1.478)).isEqualTo("1.48×");
            assertThat(Numbers.tick(0.5)).isEqualTo("0.5");
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void sizesSharesAndRanges() {
        assertThat(Numbers.bytes(715_118_240)).isEqualTo("715 MB");
        assertThat(Numbers.bytes(8_611_693_920L)).isEqualTo("8,612 MB");
        assertThat(Numbers.bytes(12_345_678_900L)).isEqualTo("12.3 GB");
        assertThat(Numbers.percent(0.7912)).isEqualTo("79.1 %");
        assertThat(Numbers.agreement(1)).isEqualTo("100 %");
        assertThat(Numbers.agreement(0.99999)).as("not all").isEqualTo("99.99 %");
        assertThat(Numbers.agreement(0.5)).isEqualTo("50.00 %");
        assertThat(Numbers.perplexity(17.43124)).isEqualTo("17.431");
        assertThat(Numbers.perplexity(Double.POSITIVE_INFINITY)).isEqualTo("∞");
        assertThat(Numbers.range(Spread.of(3, 1, 2))).isEqualTo("1.00–3.00");
        assertThat(Numbers.range(Spread.of(2, 2.0001))).isEqualTo("2.00");
        assertThat(Numbers.tick(1e-5)).isEqualTo("1e-5");
        assertThat(Numbers.tick(2000)).isEqualTo("2,000");
        assertThat(Numbers.tick(1e8)).isEqualTo("1e8");
        assertThat(Numbers.tick(0)).isEqualTo("0");
    }
}
