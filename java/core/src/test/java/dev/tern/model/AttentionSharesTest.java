package dev.tern.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AttentionSharesTest {

    /** Heads and key heads of published models, and odd ones. */
    @ParameterizedTest
    @CsvSource({"20, 5", "32, 8", "12, 12", "16, 4", "7, 1", "1, 1", "6, 2"})
    void everyItemIsInOneShare(int heads, int kvHeads) {
        for (int members : new int[] {1, 2, 3, 4, 7, 16, 64}) {
            AttentionShares shares = new AttentionShares(heads, kvHeads, members);
            for (int tokens : new int[] {1, 2, 3, 5, 33, 128, 512}) {
                for (int position : new int[] {0, 1, 700}) {
                    int n = shares.count(tokens);
                    assertThat(n).isPositive();
                    assertThat(shares.begin(tokens, position, 0, n)).isZero();
                    assertThat(shares.begin(tokens, position, n, n)).isEqualTo(tokens * heads);
                    for (int i = 0; i < n; i++) {
                        assertThat(shares.begin(tokens, position, i, n))
                                .isLessThanOrEqualTo(shares.begin(tokens, position, i + 1, n));
                    }
                }
            }
        }
    }

    /** Taken in turns by members that are equally fast, the shares of one token leave none much more than its part. */
    @ParameterizedTest
    @CsvSource({
        "20, 5, 2, 10", // four groups, and two halves of the fifth
        "20, 5, 4, 5",
        "20, 5, 8, 3",
        "20, 5, 16, 2",
        "20, 5, 20, 1",
        "20, 5, 64, 1",
        "32, 8, 2, 16",
        "32, 8, 3, 11",
        "7, 1, 2, 4"
    })
    void oneTokensHeadsAreDealtEvenly(int heads, int kvHeads, int members, int most) {
        AttentionShares shares = new AttentionShares(heads, kvHeads, members);
        int n = shares.count(1);
        int[] load = new int[members];
        for (int i = 0; i < n; i++) {
            int least = 0;
            for (int member = 1; member < members; member++) {
                least = load[member] < load[least] ? member : least;
            }
            load[least] += shares.begin(1, 100, i + 1, n) - shares.begin(1, 100, i, n);
        }
        assertThat(Arrays.stream(load).max()).hasValue(most);
    }

    /** Of 20 heads in 5 groups: whole tokens of many, whole groups of few; and no share attends to twice its part. */
    @ParameterizedTest
    @ValueSource(ints = {2, 4, 16, 100, 512})
    void severalTokensAreCutBetweenGroupsAndEvenly(int tokens) {
        AttentionShares shares = new AttentionShares(20, 5, 2);
        int n = shares.count(tokens);
        int unit = tokens >= 2 * n ? 20 : 4;
        for (int i = 0; i < n; i++) {
            int begin = shares.begin(tokens, 40, i, n);
            int end = shares.begin(tokens, 40, i + 1, n);
            assertThat(begin % unit).isZero();
            double positions = 0;
            double all = 0;
            for (int item = 0; item < tokens * 20; item++) {
                all += 41 + item / 20;
                positions += item >= begin && item < end ? 41 + item / 20 : 0;
            }
            assertThat(positions).isLessThan(2 * all / n);
        }
    }

    /** One-token sequences with long caches beside a prompt: every item once, cut between groups, and evenly. */
    @ParameterizedTest
    @CsvSource({"20, 5", "32, 8", "12, 12", "7, 1"})
    void sharesOfSeveralSequences(int heads, int kvHeads) {
        int[][][] passes = { // position, tokens
            {{2000, 1}, {1500, 1}, {0, 400}, {10, 1}},
            {{0, 0}, {5, 1}, {0, 0}, {7, 1}, {0, 0}},
            {{100, 1}, {100, 1}, {100, 1}, {100, 1}, {100, 1}, {100, 1}, {100, 1}, {100, 1}},
            {{0, 512}, {4000, 1}},
            {{4000, 1}, {0, 512}, {50, 16}, {0, 0}},
            {{0, 0}, {0, 0}}
        };
        for (int[][] pass : passes) {
            SpanView view = new SpanView();
            for (int[] span : pass) {
                view.add(view.tokens(), span[0], span[1]);
            }
            for (int members : new int[] {1, 2, 3, 16}) {
                AttentionShares shares = new AttentionShares(heads, kvHeads, members);
                int n = shares.count(view);
                int[] cuts = shares.cut(view, n, new int[0]);
                assertThat(cuts[0]).isZero();
                assertThat(cuts[n]).isEqualTo(view.tokens() * heads);
                double all = cost(view, heads, 0, cuts[n]);
                for (int i = 0; i < n; i++) {
                    assertThat(cuts[i]).isLessThanOrEqualTo(cuts[i + 1]);
                    assertThat(cuts[i] % (heads / kvHeads)).isZero();
                    // No more than its part, and what a cut between groups of one sequence's heads adds.
                    assertThat(cost(view, heads, cuts[i], cuts[i + 1]))
                            .isLessThanOrEqualTo(all / n + 4000.0 * heads / kvHeads + 512 * heads);
                }
            }
        }
    }

    private static double cost(SpanView view, int heads, int begin, int end) {
        double positions = 0;
        for (int item = begin; item < end; item++) {
            int s = view.spanOf(item / heads);
            positions += view.position(s) + item / heads - view.index(s) + 1;
        }
        return positions;
    }
}
