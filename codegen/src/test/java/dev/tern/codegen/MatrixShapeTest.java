package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MatrixShapeTest {
    @Test
    void isReadAsItIsWritten() {
        MatrixShape shape = new MatrixShape(128_256, 2560);
        assertThat(shape).hasToString("128256x2560");
        assertThat(MatrixShape.parse("128256x2560")).isEqualTo(shape);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "2560", "2560x", "x2560", "2560 x 6912", "2560x6912x3", "0x2560", "-1x9", "9999999999x1"})
    void refusesWhatIsNone(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> MatrixShape.parse(text));
    }
}
