package dev.tern.measure.formats;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineLimits.Peak;
import dev.tern.measure.MachineLimits.Read;
import java.util.List;
import org.junit.jupiter.api.Test;

class LimitsAroundTest {

    @Test
    void theBetterNumberOfEachCounts() {
        MachineLimits before = new MachineLimits(
                List.of(new Read(1, false, 20), new Read(2, false, 33)),
                List.of(new Peak("avx2", 1, 230), new Peak("avx2", 2, 400)));
        MachineLimits after = new MachineLimits(
                List.of(new Read(1, true, 29), new Read(1, false, 21), new Read(2, false, 30)),
                List.of(new Peak("avx2", 1, 220), new Peak("avx2", 2, 460), new Peak("avx512vnni", 2, 900)));
        assertThat(LimitsAround.best(List.of(before, after))).isEqualTo(new MachineLimits(
                List.of(new Read(1, false, 21), new Read(2, false, 33), new Read(1, true, 29)),
                List.of(new Peak("avx2", 1, 230), new Peak("avx2", 2, 460), new Peak("avx512vnni", 2, 900))));
    }
}
