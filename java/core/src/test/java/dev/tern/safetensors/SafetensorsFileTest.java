package dev.tern.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsFileTest {
    private static final String A = "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}";
    private static final String B = "\"b\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[4,8]}";

    @TempDir
    private Path folder;

    @Test
    void readsWhatTheReferenceImplementationWrote() {
        Path file = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet", "packed-u8", "model.safetensors");
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            assertThat(open.metadata()).containsExactly(Map.entry("format", "pt"));
            assertThat(open.tensors()).hasSize(74);
            SafetensorsTensor scale = open.require("model.layers.0.mlp.down_proj.weight_scale");
            assertThat(scale.type()).isEqualTo(SafetensorsType.BF16);
            assertThat(open.data(scale).get(ValueLayout.JAVA_SHORT_UNALIGNED, 0)).isEqualTo((short) 0x3d30);
            assertThat(open.require("model.layers.0.mlp.down_proj.weight").shape()).containsExactly(128L, 1536L);
        }
    }

    @Test
    void writesWhatItReads() throws IOException {
        Path file = folder.resolve("x.safetensors");
        List<SafetensorsWriter.Declaration> tensors = List.of(
                new SafetensorsWriter.Declaration("scalar", SafetensorsType.F32, List.of()),
                new SafetensorsWriter.Declaration("empty", SafetensorsType.I64, List.of(3L, 0L)),
                new SafetensorsWriter.Declaration("quoted \" \u00e9 \\", SafetensorsType.U8, List.of(3L)),
                new SafetensorsWriter.Declaration("last", SafetensorsType.F4, List.of(2L, 3L)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, false, Map.of("k", "v"), tensors)) {
            writer.write("scalar", MemorySegment.ofArray(new byte[] {1, 2, 3, 4}));
            writer.write(tensors.get(2).name(), MemorySegment.ofArray(new byte[] {5}));
            writer.write(tensors.get(2).name(), MemorySegment.ofArray(new byte[] {6, 7}));
            writer.write("last", MemorySegment.ofArray(new byte[] {8, 9, 10}));
            assertThat(file).doesNotExist();
            writer.commit();
        }
        assertThat(ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8).isZero();
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            assertThat(open.metadata()).containsExactly(Map.entry("k", "v"));
            assertThat(open.tensors().keySet()).containsExactly("scalar", "empty", "quoted \" \u00e9 \\", "last");
            assertThat(open.require("empty").elements()).isZero();
            assertThat(open.require("scalar").elements()).isEqualTo(1);
            assertThat(bytes(open, "last")).containsExactly(8, 9, 10);
            assertThat(bytes(open, "quoted \" \u00e9 \\")).containsExactly(5, 6, 7);
        }
    }

    @Test
    void theWriterRefusesATensorOutOfTurnTooManyBytesAndTooFew() {
        Path file = folder.resolve("x.safetensors");
        List<SafetensorsWriter.Declaration> tensors = List.of(
                new SafetensorsWriter.Declaration("a", SafetensorsType.U8, List.of(2L)),
                new SafetensorsWriter.Declaration("b", SafetensorsType.U8, List.of(1L)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, false, Map.of(), tensors)) {
            MemorySegment two = MemorySegment.ofArray(new byte[2]);
            assertThatThrownBy(() -> writer.write("b", two)).isInstanceOf(IllegalStateException.class);
            writer.write("a", two);
            assertThatThrownBy(() -> writer.write("a", two)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> writer.write("b", two)).hasMessageContaining("more than its 1 bytes");
            assertThatThrownBy(writer::commit).hasMessageContaining("b has 0 of 1 bytes");
        }
        assertThat(folder.toFile().list()).isEmpty();
    }

    /** A file of 3 GB with a hole where no test looks: offsets beyond 2^31 in the header, the mapping and the data. */
    @Test
    void reachesBeyondTwoGibibytes() throws IOException {
        long hole = 3_000_000_000L;
        String json = "{\"hole\":{\"dtype\":\"U8\",\"shape\":[" + hole + "],\"data_offsets\":[0," + hole + "]},"
                + "\"end\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[" + hole + "," + (hole + 3) + "]}}";
        Path file = raw(json, new byte[0]);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {7, 8, 9}), channel.size() + hole);
        }
        try (SafetensorsFile open = SafetensorsFile.open(file)) {
            SafetensorsTensor end = open.require("end");
            assertThat(open.data(end).toArray(ValueLayout.JAVA_BYTE)).containsExactly(7, 8, 9);
            byte[] read = new byte[2];
            open.read(end, 1, MemorySegment.ofArray(read));
            assertThat(read).containsExactly(8, 9);
            assertThatThrownBy(() -> open.read(end, 2, MemorySegment.ofArray(read)))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(open.data(open.require("hole")).get(ValueLayout.JAVA_BYTE, hole - 1)).isZero();
        }
    }

    @Test
    void afterCloseEveryAccessIsAnException() throws IOException {
        SafetensorsFile file = SafetensorsFile.open(raw("{" + A + "}", new byte[4]));
        SafetensorsTensor tensor = file.require("a");
        MemorySegment data = file.data(tensor);
        file.close();
        assertThatThrownBy(() -> data.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> file.read(tensor, 0, MemorySegment.ofArray(new byte[4]))).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void noticesAFileThatShrankMeanwhile() throws IOException {
        Path path = raw("{" + A + "}", new byte[4]);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                channel.truncate(channel.size() - 1);
            }
            assertThatThrownBy(() -> file.read(file.require("a"), 0, MemorySegment.ofArray(new byte[4])))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("become shorter while it was read");
        }
    }

    static Stream<Arguments> damagedHeaders() {
        String huge = "9223372036854775807";
        return Stream.of(
                Arguments.of("", "expected '{'"),
                Arguments.of("[1,2]", "expected '{'"),
                Arguments.of(" {}      ", "expected '{'"),
                Arguments.of("{\"a\":", "not valid JSON"),
                Arguments.of("{" + A + "} x", "not valid JSON"),
                Arguments.of("{" + A + "}{}", "text after the header"),
                Arguments.of("{" + A + "," + A + "}", "tensor 'a': is declared twice"),
                Arguments.of("{\"__metadata__\":{\"k\":\"v\",\"k\":\"v\"}," + A + "}",
                        "'__metadata__.k': is given twice"),
                Arguments.of("{\"__metadata__\":{\"k\":1}," + A + "}", "'__metadata__.k': expected a string"),
                Arguments.of("{\"__metadata__\":[]," + A + "}", "expected an object of strings"),
                Arguments.of("{\"a\":3}", "tensor 'a': expected an object with dtype, shape, data_offsets"),
                Arguments.of("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", "tensor 'a': has no data_offsets"),
                Arguments.of("{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", "tensor 'a': has no dtype"),
                Arguments.of("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", "tensor 'a': has no shape"),
                Arguments.of(tensor("U8", "[4]", "[0,4],\"shape\":[4]"), "shape is given twice"),
                Arguments.of(tensor("U8", "[4]", "[0,4],\"strides\":[1]"), "unknown property; expected dtype"),
                Arguments.of(tensor("Q4_0", "[4]", "[0,4]"), "unknown dtype; expected one of BOOL"),
                Arguments.of(tensor("U8", "[-4]", "[0,4]"), "its shape has a negative number"),
                Arguments.of(tensor("U8", "[4.0]", "[0,4]"), "its shape holds no integer"),
                Arguments.of(tensor("U8", "4", "[0,4]"), "its shape is no array"),
                Arguments.of(tensor("U8", "[[4]]", "[0,4]"), "its shape holds no integer"),
                Arguments.of(tensor("U8", "[4]", "[0,4,4]"), "expected data_offsets [begin, end]"),
                Arguments.of(tensor("U8", "[4]", "[4,0]"), "its data ends before it begins"),
                Arguments.of(tensor("U8", "[4]", "[0,18446744073709551620]"), "has a number beyond 2^63"),
                Arguments.of(tensor("U8", "[4]", "[-4,0]"), "its data_offsets has a negative number"),
                Arguments.of(tensor("U8", "[3]", "[0,4]"), "expected 3 bytes for U8 [3], found 4 bytes"),
                Arguments.of(tensor("BF16", "[4]", "[0,4]"), "expected 8 bytes for BF16 [4], found 4 bytes"),
                Arguments.of(tensor("F4", "[9]", "[0,4]"), "does not fill whole bytes"),
                Arguments.of(tensor("F32", "[4294967296,4294967296]", "[0,4]"), "its size overflows"),
                Arguments.of(tensor("F32", "[" + huge + "]", "[0,4]"), "its size overflows"),
                Arguments.of(tensor("U8", "[5]", "[0,5]"), "the file is truncated; expected data up to offset 5"),
                Arguments.of(tensor("U8", "[1]", "[" + (Long.MAX_VALUE - 1) + "," + huge + "]"),
                        "the file is truncated"),
                Arguments.of(tensor("U8", "[3]", "[0,3]"),
                        "bytes after the last tensor; expected 3 bytes of data, found 4"),
                Arguments.of(tensor("U8", "[3]", "[1,4]"), "there is a hole between the header and its data"),
                Arguments.of("{" + A + ",\"c\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
                        "tensor 'c': its data overlaps that of 'a'"),
                Arguments.of("{\"c\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}," + A + "}", "overlaps"),
                Arguments.of(tensor("U8", "[" + "1,".repeat(64) + "4]", "[0,4]"), "more than 64 numbers"),
                Arguments.of("{\"" + "a".repeat(60_000) + "\":1}", "not valid JSON: Name length"),
                Arguments.of("{\"a\":" + "[".repeat(100_000), "tensor 'a': expected an object"));
    }

    private static String tensor(String type, String shape, String offsets) {
        return "{\"a\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
    }

    @ParameterizedTest
    @MethodSource("damagedHeaders")
    void saysWhatIsWrongWithAHeader(String json, String message) throws IOException {
        Path file = raw(json.isEmpty() ? "  " : json, new byte[4]);
        assertThatThrownBy(() -> SafetensorsFile.open(file))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message);
    }

    @Test
    void everyTruncationOfAFileIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(raw("{" + A + "," + B + "}", new byte[8]));
        for (int length = 0; length < whole.length; length++) {
            Path file = Files.write(folder.resolve("cut"), java.util.Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> SafetensorsFile.open(file)).isInstanceOf(InputException.class);
        }
        Files.write(folder.resolve("cut"), whole);
        SafetensorsFile.open(folder.resolve("cut")).close();
    }

    @Test
    void refusesImpossibleHeaderLengths() throws IOException {
        for (long length : new long[] {0, 1, 100_000_001, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE, -1}) {
            Path file = rawLength(length, new byte[64]);
            assertThatThrownBy(() -> SafetensorsFile.open(file))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("length of its header")
                    .hasMessageContaining("found " + Long.toUnsignedString(length));
        }
        assertThatThrownBy(() -> SafetensorsFile.open(rawLength(65, new byte[64])))
                .hasMessageContaining("truncated inside its header; expected 65 bytes of header, found 64");
    }

    @Test
    void refusesInvalidUtf8() throws IOException {
        byte[] json = ("{" + A + "}").getBytes(StandardCharsets.ISO_8859_1);
        json[2] = (byte) 0xff;
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        Path path = Files.write(folder.resolve("x"), file.putLong(json.length).put(json).array());
        assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("not valid UTF-8");
    }

    @Test
    void recognizesWhatPeopleGetInsteadOfWeights() throws IOException {
        Path pointer = Files.writeString(folder.resolve("pointer"),
                "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab\nsize 12345\n");
        assertThatThrownBy(() -> SafetensorsFile.open(pointer)).hasMessageContaining("git lfs pull");
        Path page = Files.writeString(folder.resolve("page"), "<!DOCTYPE html>\n<html>Access denied</html>");
        assertThatThrownBy(() -> SafetensorsFile.open(page)).hasMessageContaining("web page");
    }

    private static byte[] bytes(SafetensorsFile file, String name) {
        return file.data(file.require(name)).toArray(ValueLayout.JAVA_BYTE);
    }

    private Path raw(String json, byte[] data) throws IOException {
        byte[] header = json.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        return Files.write(folder.resolve("raw"), file.putLong(header.length).put(header).put(data).array());
    }

    private Path rawLength(long length, byte[] rest) throws IOException {
        ByteBuffer file = ByteBuffer.allocate(8 + rest.length).order(ByteOrder.LITTLE_ENDIAN);
        return Files.write(folder.resolve("raw"), file.putLong(length).put(rest).array());
    }
}
