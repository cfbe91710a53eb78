package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ScreenPatienceTest {
    private static int triesIn(ScreenPatience patience, int tokens, int top, boolean spares) {
        int tries = 0;
        for (int i = 0; i < tokens; i++) {
            if (patience.tries(top)) {
                tries++;
                patience.tried(top, spares);
            }
        }
        return tries;
    }

    @Test
    void failuresBecomeRare() {
        ScreenPatience patience = new ScreenPatience();
        assertThat(triesIn(patience, 512, 1, false)).isEqualTo(9);
        assertThat(triesIn(patience, 25_600, 1, false)).isEqualTo(100);
    }

    @Test
    void successIsTriedAgainAtOnce() {
        ScreenPatience patience = new ScreenPatience();
        assertThat(triesIn(patience, 100, 1, true)).isEqualTo(100);
        triesIn(patience, 1000, 1, false);
        while (!patience.tries(1)) {
            // goes on until the pause is over
        }
        patience.tried(1, true);
        assertThat(triesIn(patience, 100, 1, true)).isEqualTo(100);
    }

    @Test
    void fortyFailWithoutTheOne() {
        ScreenPatience patience = new ScreenPatience();
        triesIn(patience, 1000, 40, false);
        assertThat(patience.tries(40)).isFalse();
        assertThat(patience.tries(1)).isTrue();
        assertThat(patience.tries(20)).isTrue();
    }
}
