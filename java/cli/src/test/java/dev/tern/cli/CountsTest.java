package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class CountsTest {
    private final Counts.Converter converter = new Counts.Converter();

    @Test
    void rangesAreLlamaBenchs() {
        assertThat(converter.convert("512").values()).containsExactly(512);
        assertThat(converter.convert("1-4").values()).containsExactly(1, 2, 3, 4);
        assertThat(converter.convert("0-4096+2048").values()).containsExactly(0, 2048, 4096);
        assertThat(converter.convert("5-9+3").values()).containsExactly(5, 8);
        assertThat(converter.convert("128-1000*2").values()).containsExactly(128, 256, 512);
        assertThat(converter.convert("7-7*3").values()).containsExactly(7);
        assertThat(converter.convert("-1").values()).containsExactly(-1); // refused where it is no count
        assertThat(converter.convert("3-999999999*999999999").values()).containsExactly(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "1-", "1-2+", "1-2/2", "4-1", "1-9+0", "1-9*1", "0-9*2", "0-999999999", "1-2-3"})
    void whatIsNoneIsRefused(String text) {
        assertThatThrownBy(() -> converter.convert(text)).isInstanceOf(TypeConversionException.class);
    }
}
