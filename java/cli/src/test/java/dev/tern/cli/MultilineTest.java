package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MultilineTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "a | a", "\"a\" | \"a\"", "\"\"\"a\"\"\" | a", "\"\"\"#a#b#\"\"\" | a#b", "\"\"\"##a##\"\"\" | #a#", "\"\"\"a#b | a#b",
        "\"\" | \"\"", "say \"\"\" | say \"\"\""
    })
    void blocksLoseTheirMarks(String text, String expected) {
        assertThat(Multiline.unwrap(text.replace('#', '\n'))).isEqualTo(expected.replace('#', '\n'));
    }

    @Test
    void blocksAreOpenUntilTheirQuotesCloseThem() {
        assertThat(Multiline.isOpenBlock("\"\"\"")).isTrue();
        assertThat(Multiline.isOpenBlock(" \"\"\"\"\"")).isTrue();
        assertThat(Multiline.isOpenBlock("\"\"\"a\n\"\" b")).isTrue();
        assertThat(Multiline.isOpenBlock("\"\"\"\"\"\"")).isFalse();
        assertThat(Multiline.isOpenBlock("\"\"\"a\nb\"\"\" ")).isFalse();
        assertThat(Multiline.isOpenBlock("a \"\"\"")).isFalse();
    }

    @Test
    void aBackslashGoesOnOutsideBlocks() {
        assertThat(Multiline.goesOn("a\\")).isTrue();
        assertThat(Multiline.goesOn("a\\ ")).isFalse();
        assertThat(Multiline.goesOn("\"\"\"a\\")).isFalse();
        assertThat(Multiline.withoutMark("a \\")).isEqualTo("a ");
    }
}
