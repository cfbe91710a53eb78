package dev.tern.speculation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptLookupTest {
    private static PromptLookup of(int shortest, int... ids) {
        PromptLookup lookup = new PromptLookup(shortest);
        for (int id : ids) {
            lookup.add(id);
        }
        return lookup;
    }

    private static int[] draft(PromptLookup lookup, int count) {
        int[] draft = new int[count];
        lookup.draft(draft, count);
        return draft;
    }

    @Test
    void nothingIsGuessedWhereNothingRepeats() {
        assertThat(of(2).match()).isZero();
        assertThat(of(2, 7).match()).isZero();
        assertThat(of(2, 1, 2, 3, 4, 5).match()).isZero();
        assertThat(of(2, 1, 2, 3, 4, 2).match()).as("one token that stood before, two needed").isZero();
        assertThatThrownBy(() -> of(2, 1, 2, 3).draft(new int[1], 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> of(2, 1, 2, 3).next()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> new PromptLookup(0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theLongestMatchWinsAndOfEqualsTheLast() {
        // 5 6 stands three times; 4 5 6 only in front, where 10 followed.
        assertThat(draft(of(2, 4, 5, 6, 10, 11, 5, 6, 20, 21, 4, 5, 6), 3)).containsExactly(10, 11, 5);
        assertThat(draft(of(2, 4, 5, 6, 10, 11, 5, 6, 20, 21, 5, 6), 2)).containsExactly(20, 21);
        assertThat(draft(of(1, 9, 1, 8, 2, 9), 1)).containsExactly(1);
    }

    @Test
    void aDraftLongerThanTheRepeatedTextGoesRoundInIt() {
        assertThat(draft(of(2, 1, 2, 3, 1, 2), 7)).containsExactly(3, 1, 2, 3, 1, 2, 3);
        assertThat(draft(of(2, 5, 5, 5), 4)).containsExactly(5, 5, 5, 5);
    }

    @Test
    void theMatchGrowsWhileGuessesComeTrueAndEndsWithAWrongOne() {
        PromptLookup lookup = of(2, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2);
        assertThat(lookup.match()).isEqualTo(2);
        for (int id = 3; id <= 7; id++) {
            assertThat(lookup.next()).isEqualTo(id);
            lookup.add(id);
            assertThat(lookup.match()).isEqualTo(id);
        }
        lookup.add(99);
        assertThat(lookup.match()).isZero();
    }

    /** A place with a longer match is not left for one that is nearer. */
    @Test
    void aPlaceWhoseGuessesComeTrueIsKept() {
        PromptLookup lookup = of(2, 1, 2, 3, 4, 5, 6, 10, 90, 3, 4, 5, 6, 11, 91, 1, 2);
        lookup.match();
        for (int id = 3; id <= 6; id++) {
            lookup.add(id);
            lookup.match();
        }
        assertThat(lookup.next()).as("after 1 2 3 4 5 6, though 3 4 5 6 stood later with 11").isEqualTo(10);
    }

    @ParameterizedTest
    @CsvSource({"1, 2", "1, 5", "2, 2", "2, 3", "2, 20", "3, 3", "4, 2", "6, 2"})
    void guessesWhatASearchThroughTheWholeTextGuesses(int shortest, int alphabet) {
        Random random = new Random(31L * shortest + alphabet);
        PromptLookup lookup = new PromptLookup(shortest);
        Search search = new Search(shortest);
        int matches = 0;
        for (int i = 0; i < 4000; i++) {
            int id = random.nextInt(10) == 0 || i < 8 ? random.nextInt(alphabet) : search.tokens.get(i - 7);
            lookup.add(id);
            search.add(id);
            if (random.nextInt(3) > 0) { // whether one looks or not must not matter to what is remembered
                assertThat(lookup.match()).isEqualTo(search.match());
                if (lookup.match() > 0) {
                    matches++;
                    assertThat(lookup.next()).isEqualTo(search.tokens.get(search.source));
                    assertThat(draft(lookup, 9)).isEqualTo(search.draft(9));
                }
            }
        }
        assertThat(matches).isGreaterThan(100);
    }

    /** The same without an index. */
    private static final class Search {
        final List<Integer> tokens = new ArrayList<>();
        final int shortest;
        int source;
        int matched;

        Search(int shortest) {
            this.shortest = shortest;
        }

        void add(int id) {
            matched = matched > 0 && tokens.get(source) == id ? Math.min(32, matched + 1) : 0;
            source++;
            tokens.add(id);
        }

        int match() {
            if (matched >= Math.max(4, shortest)) {
                return matched;
            }
            matched = 0;
            int best = 0;
            for (int at = tokens.size() - 1; at > 0; at--) {
                int length = 0;
                while (length < Math.min(32, at) && fromEnd(length).equals(tokens.get(at - 1 - length))) {
                    length++;
                }
                int seen = Math.min(length, Math.max(4, shortest)); // the index tells no longer ones apart
                if (seen >= shortest && seen > best) {
                    best = seen;
                    source = at;
                    matched = length;
                }
            }
            return matched;
        }

        Integer fromEnd(int back) {
            return tokens.get(tokens.size() - 1 - back);
        }

        int[] draft(int count) {
            List<Integer> all = new ArrayList<>(tokens);
            for (int i = 0; i < count; i++) {
                all.add(all.get(source + i));
            }
            return all.subList(tokens.size(), all.size()).stream().mapToInt(Integer::intValue).toArray();
        }
    }
}
