package dev.tern.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.AtomicFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiniteCheckTest {
    private static final int COLS = 512;
    private static final int ROWS = 20_000; // several pieces of 4 MiB, in F32 and Q8_0 alike

    @TempDir
    Path folder;

    /** Bytes of infinity and of a NaN at the place where {@code ggml-common.h} has the float, in the last piece. */
    @ParameterizedTest
    @CsvSource({
        "F32, 4, 0, 4, 7F800000",
        "F32, 4, 0, 4, FFC00001",
        "F16, 2, 0, 2, 7C00",
        "F16, 2, 0, 2, FE00",
        "BF16, 2, 0, 2, 7F80",
        "Q8_0, 34, 0, 2, 7C00",
        "Q6_K, 210, 208, 2, FC00",
        "Q4_0, 18, 0, 2, 7E00",
        "Q2_K, 84, 80, 2, 7C01",
        "TQ2_0, 66, 64, 2, 7C00",
    })
    void theFirstNumberThatIsNoneIsFound(GgmlType type, int blockBytes, int offset, int width, String bits) {
        int value = Integer.parseUnsignedInt(bits, 16);
        byte[] bytes = new byte[(int) type.bytes(COLS, ROWS)];
        assertThat(first(type, bytes)).isEmpty();
        int columns = type.blockSize();
        for (int row : new int[] {ROWS - 1, 7}) {
            int at = (row * (COLS / columns) + 1) * blockBytes + offset; // the second block of the row
            ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            if (width == 4) {
                file.putInt(at, value);
            } else {
                file.putShort(at, (short) value);
            }
            assertThat(first(type, bytes)).contains("row " + row + ", column " + columns);
        }
    }

    @Test
    void typesThatHaveNoSuchFloatAreRefused() {
        assertThat(FiniteCheck.supports(GgmlType.I2_S)).isFalse();
        assertThatThrownBy(() -> first(GgmlType.I8, new byte[COLS * ROWS])).isInstanceOf(IllegalArgumentException.class);
    }

    private Optional<String> first(GgmlType type, byte[] bytes) {
        Path path = folder.resolve("m.gguf");
        try (AtomicFile out = AtomicFile.create(path, true)) {
            GgufWriter writer = new GgufWriter(
                    GgufLayout.builder().tensor("t", type, new long[] {COLS, ROWS}).build(), out);
            writer.write("t", MemorySegment.ofArray(bytes));
            writer.finish();
            out.commit();
        }
        try (GgufFile file = GgufFile.open(path)) {
            return FiniteCheck.first(file, file.require("t")).map(place -> {
                assertThat(place.scale()).isEqualTo(type.blockSize() > 1);
                return "row " + place.row() + ", column " + place.column();
            });
        }
    }
}
