package dev.tern.speculation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

class DraftLengthTest {
    private static final int MOST = 15;

    private static DraftLength after(int times, boolean cameTrue, IntToDoubleFunction cost) {
        DraftLength length = new DraftLength(cost);
        for (int i = 0; i < times; i++) {
            for (int matched = 1; matched <= 32; matched++) {
                length.observe(matched, cameTrue);
            }
        }
        return length;
    }

    @Test
    void asManyAsAllowedWhereTheyAreFreeAndComeTrue() {
        assertThat(after(200, true, n -> 1).choose(4, MOST)).isEqualTo(MOST);
        assertThat(after(200, true, n -> 1 + 0.1 * (n - 1)).choose(4, MOST)).isEqualTo(MOST);
        assertThat(after(200, true, n -> 1).choose(4, 0)).isZero();
    }

    @Test
    void noneWhereTheyAreWrongOrSaveNothing() {
        assertThat(after(200, false, n -> 1).choose(4, MOST)).as("free, but never right").isZero();
        assertThat(after(200, true, n -> n).choose(4, MOST)).as("right, but as slow as one by one").isZero();
        assertThat(after(200, true, n -> n == 1 ? 1 : Double.POSITIVE_INFINITY).choose(4, MOST)).isZero();
    }

    @Test
    void fewWhereMoreCostMoreThanTheyPromise() {
        // Eight tokens cost little more than one, nine twice as much: a kernel's tile.
        IntToDoubleFunction tiles = n -> n <= 8 ? 1 + 0.05 * (n - 1) : 3;
        assertThat(after(200, true, tiles).choose(4, MOST)).as("to fill one tile").isEqualTo(7);
        DraftLength half = new DraftLength(n -> 1 + 0.2 * (n - 1));
        for (int i = 0; i < 400; i++) {
            half.observe(1 + i / 2 % 32, i % 2 == 0);
        }
        assertThat(half.choose(4, MOST)).as("every second one right").isBetween(1, 3);
    }

    @Test
    void fewerWhereOthersWaitForThem() {
        DraftLength right = after(200, true, n -> 1);
        IntToDoubleFunction costly = drafted -> 1 + 0.3 * drafted; // of a pass
        assertThat(right.choose(4, MOST, 0, costly)).as("alone each token costs less than it saves").isEqualTo(MOST);
        assertThat(right.choose(4, MOST, 7, costly)).as("of eight that wait each gains an eighth").isZero();
        IntToDoubleFunction cheap = drafted -> 1 + 0.02 * drafted;
        assertThat(right.choose(4, MOST, 7, cheap)).isEqualTo(MOST);
        assertThat(right.choose(4, MOST)).isEqualTo(right.choose(4, MOST, 0, drafted -> 1));
    }

    @Test
    void adaptsWithinAFewDozenTokensInBothDirections() {
        IntToDoubleFunction cost = n -> 1 + 0.15 * (n - 1);
        DraftLength length = after(200, true, cost);
        for (int i = 0; i < 60; i++) {
            length.observe(2, false);
        }
        assertThat(length.choose(2, MOST)).as("short matches have turned bad").isZero();
        assertThat(length.choose(20, MOST)).as("long ones have not").isGreaterThan(7);
        for (int i = 0; i < 60; i++) {
            length.observe(2, true);
        }
        assertThat(length.choose(2, MOST)).isGreaterThan(3);
    }
}
