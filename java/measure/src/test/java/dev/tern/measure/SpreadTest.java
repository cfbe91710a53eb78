package dev.tern.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpreadTest {

    @Test
    void hasAMiddleAndTwoEnds() {
        Spread odd = Spread.of(3, 1, 2);
        assertThat(odd.median()).isEqualTo(2);
        assertThat(odd.least()).isEqualTo(1);
        assertThat(odd.most()).isEqualTo(3);
        assertThat(odd.samples()).containsExactly(3.0, 1.0, 2.0);
        assertThat(Spread.of(4, 1, 2, 9).median()).isEqualTo(3);
        assertThatThrownBy(() -> new Spread(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void testsAreNamedAsLlamaBenchNamesThem() {
        Spread any = Spread.of(1);
        assertThat(new Speed(512, 0, 0, 1, any).test()).isEqualTo("pp512");
        assertThat(new Speed(0, 128, 0, 1, any).test()).isEqualTo("tg128");
        assertThat(new Speed(512, 128, 0, 1, any).test()).isEqualTo("pp512+tg128");
        assertThat(new Speed(0, 128, 1024, 1, any).test()).isEqualTo("tg128 @ d1024");
        assertThatThrownBy(() -> new Speed(0, 0, 5, 1, any)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Speed(1, 0, 0, 0, any)).isInstanceOf(IllegalArgumentException.class);
    }
}
