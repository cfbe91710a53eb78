package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class FlowTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Flow flow = new Flow(new PrintStream(bytes, true, StandardCharsets.UTF_8), "  ", 12);

    @Test
    void breaksLinesAtSpacesHoweverTheTextComes() {
        for (String piece : "one two three\n\nfour five-and-a-half six".split("")) {
            flow.print(piece);
        }
        flow.end();
        assertThat(text()).isEqualTo("  one two\n  three\n\n  four\n  five-and-a-half\n  six\n");
    }

    @Test
    void writesAWordAsSoonAsItIsWhole() {
        flow.print("on");
        assertThat(text()).isEmpty();
        flow.print("e t");
        assertThat(text()).isEqualTo("  one");
    }

    @Test
    void countsCharactersNotBytes() {
        flow.print("\u00fc\u00fc\u00fc\u00fc \ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00 x");
        flow.end();
        assertThat(text()).isEqualTo("  \u00fc\u00fc\u00fc\u00fc \ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\ud83d\ude00\n  x\n");
    }

    private String text() {
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
