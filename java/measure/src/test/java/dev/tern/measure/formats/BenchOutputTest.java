package dev.tern.measure.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.measure.BenchTest;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BenchOutputTest {
    private static final String TEST = """
            {"backends": "avx2 lut", "n_prompt": %d, "n_gen": %d, "n_depth": 0, "n_threads": %d, "samples_ts": [%s],
             "load_ns": %d, "process_first_token_ns": %s, "peak_rss": %s, "weight_bytes_per_token": 700}""";

    @Test
    void theFirstLoadCountsAndThePeakOfAll() {
        String text = "[" + TEST.formatted(8, 0, 2, "10.5, 11", 5, "70000000", "900") + ","
                + TEST.formatted(0, 4, 1, "3", 2, "null", "1000") + "]";
        BenchOutput output = BenchOutput.parse(text, "bench");
        assertThat(output.loadNanos()).isEqualTo(5);
        assertThat(output.firstTokenNanos()).hasValue(70_000_000);
        assertThat(output.peakBytes()).hasValue(1000);
        assertThat(output.weightBytesPerToken()).isEqualTo(700);
        assertThat(output.looksUp()).isTrue();
        assertThat(output.tests()).containsExactly(
                new BenchOutput.Test(new BenchTest(8, 0, 0), 2, List.of(10.5, 11.0)),
                new BenchOutput.Test(new BenchTest(0, 4, 0), 1, List.of(3.0)));
    }

    @Test
    void whatTheSystemDoesNotTellIsEmpty() {
        BenchOutput output = BenchOutput.parse("[" + TEST.formatted(8, 0, 1, "1", 5, "null", "null") + "]", "bench");
        assertThat(output.firstTokenNanos()).isEmpty();
        assertThat(output.peakBytes()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Killed", "{}", "[]", "[{\"backends\": \"avx2\"}]", "[{}", "[{\"samples_ts\": [1]}]"})
    void nonsenseIsSaidToBe(String text) {
        assertThatThrownBy(() -> BenchOutput.parse(text, "the bench of x"))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("the bench of x");
    }
}
