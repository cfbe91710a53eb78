package dev.tern.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {

    @Test
    void holdsBackOnlyWhatCouldBeginAStopString() {
        StopStrings stops = new StopStrings(List.of("\n\nUser:", "END"));
        assertThat(stops.push("Hello\n")).isEqualTo("Hello");
        assertThat(stops.push("world")).isEqualTo("\nworld");
        assertThat(stops.push("\n\nUs")).isEmpty();
        assertThat(stops.push("ual EN")).isEqualTo("\n\nUsual ");
        assertThat(stops.matched()).isFalse();
        assertThat(stops.finish()).isEqualTo("EN");
    }

    @Test
    void textFromTheStopStringOnNeverAppears() {
        StopStrings stops = new StopStrings(List.of("stop"));
        assertThat(stops.push("go s")).isEqualTo("go ");
        assertThat(stops.push("t")).isEmpty();
        assertThat(stops.push("op now")).isEmpty();
        assertThat(stops.matched()).isTrue();
        assertThat(stops.push("more")).isEmpty();
        assertThat(stops.finish()).isEmpty();
    }

    @Test
    void anyCuttingOfAnyTextGivesWhatSearchingTheWholeGives() {
        Random random = new Random(1);
        for (int round = 0; round < 20_000; round++) {
            List<String> stops = List.of(word(random, 1 + random.nextInt(4)), word(random, 1 + random.nextInt(4)));
            String text = word(random, random.nextInt(14));
            int end = text.length();
            for (int complete = text.length(); complete > 0; complete--) { // the one that is complete first, the longest
                String read = text.substring(0, complete);
                if (stops.stream().anyMatch(read::endsWith)) {
                    end = complete - stops.stream().filter(read::endsWith).mapToInt(String::length).max().orElseThrow();
                }
            }
            StopStrings stream = new StopStrings(stops);
            StringBuilder out = new StringBuilder();
            for (int at = 0; at < text.length(); ) {
                int next = Math.min(text.length(), at + random.nextInt(4));
                out.append(stream.push(text.substring(at, next)));
                at = next;
            }
            out.append(stream.finish());
            assertThat(out.toString()).as("%s without %s", text, stops).isEqualTo(text.substring(0, end));
        }
    }

    @Test
    void emptyStopStringIsRefused() {
        assertThatThrownBy(() -> new StopStrings(List.of("a", ""))).isInstanceOf(IllegalArgumentException.class);
    }

    private static String word(Random random, int length) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append((char) ('a' + random.nextInt(2)));
        }
        return word.toString();
    }
}
