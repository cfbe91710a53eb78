package dev.tern.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufStringsTest {
    /** Characters of one to four bytes, the bounds of each length, and the one that stands for what is malformed. */
    private static final String[] LETTERS = {
        "a", "\u007F", "\u0000", "\u0080", "Ġ", "\u07FF", "\u0800", "日", "\uD7FF", "\uE000", "\uFFFD", "\uFFFF", "😀",
        Character.toString(0x10FFFF)
    };

    @TempDir
    Path folder;

    /** Lengths around the part of a file that is copied at once, and many that cross its end. */
    @Test
    void areAListOfTheTextsWritten() throws IOException {
        List<String> texts = new ArrayList<>(List.of("", "x", "x".repeat(70_000), "", "é".repeat(32_700), "y".repeat(1016)));
        Random random = new Random(1);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(12); n > 0; n--) {
                text.append(LETTERS[random.nextInt(LETTERS.length)]);
            }
            texts.add(text.toString());
        }
        List<String> read = read(texts);
        assertThat(read).isInstanceOf(GgufStrings.class).isEqualTo(texts).hasSameHashCodeAs(texts);
        assertThat(texts).isEqualTo(read);
        assertThat(read).isEqualTo(read(texts));
        assertThat(List.copyOf(read)).isEqualTo(texts);
        for (String text : List.of("", "x", "é", "日", "absent", texts.getLast(), "\uD800", "?")) {
            assertThat(read.indexOf(text)).isEqualTo(texts.indexOf(text));
            assertThat(read.lastIndexOf(text)).isEqualTo(texts.lastIndexOf(text));
            assertThat(read.contains(text)).isEqualTo(texts.contains(text));
        }
        assertThat(read.contains((Object) 7)).isFalse();
        assertThat(read(List.of("ab", "c"))).isNotEqualTo(read(List.of("a", "bc")));
        assertThatThrownBy(() -> read.set(0, "z")).isInstanceOf(UnsupportedOperationException.class);
    }

    /** Overlong, a surrogate, beyond U+10FFFF, cut off by the string's end though the next byte would fit, no beginning. */
    @ParameterizedTest
    @ValueSource(strings = {"C0 80", "C1 BF", "E0 80 80", "ED A0 80", "F4 90 80 80", "C4", "61 E6 97", "C4 C4", "A0", "FF"})
    void areRefusedWhenTheyAreNoText(String hex) throws IOException {
        String[] bytes = hex.split(" ");
        GgufBytes file = GgufBytes.header(3, 0, 1).string("k").i32(9).i32(8).i64(3).string("good").i64(bytes.length);
        for (String each : bytes) {
            file.bytes(Integer.parseInt(each, 16));
        }
        Path path = file.i64(0xA0).zeros(200).write(folder.resolve("bad.gguf"));
        assertThatThrownBy(() -> GgufFile.open(path).close())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("not valid UTF-8");
    }

    private List<String> read(List<String> texts) throws IOException {
        GgufBytes bytes = GgufBytes.header(3, 0, 1).string("k").i32(9).i32(8).i64(texts.size());
        texts.forEach(bytes::string);
        try (GgufFile file = GgufFile.open(bytes.align(32).write(folder.resolve("strings.gguf")))) {
            @SuppressWarnings("unchecked") // as GgufValue promises
            List<String> read = (List<String>) file.metadata().get("k").value();
            return read;
        }
    }
}
