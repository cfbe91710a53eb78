package dev.tern.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.tern.io.InputException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class GgufFileTest {
    @TempDir
    Path folder;

    @Test
    void readsVersion2() throws IOException {
        Path path = sample(2).write(folder.resolve("v2.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.version()).isEqualTo(2);
            assertThat(file.alignment()).isEqualTo(32);
            assertThat(file.requireString("general.architecture")).isEqualTo("bitnet-b1.58");
            assertThat(file.requireInt("a.count")).isEqualTo(7);
            assertThat(file.strings("words")).contains(List.of("", "ä", "<|eot|>"));
            assertThat(file.metadata().sequencedKeySet()).containsExactly("general.architecture", "a.count", "words");
            assertThat(file.tensors()).extracting(GgufTensor::name).containsExactly("norm", "w");
            GgufTensor w = file.require("w");
            assertThat(w.shape()).isEqualTo("[128, 2]");
            assertThat(w.type()).isEqualTo(GgmlType.I2_S);
            assertThat(file.data(w).byteSize()).isEqualTo(64 + 32);
            assertThat(file.data(file.require("norm")).toArray(ValueLayout.JAVA_FLOAT)).containsExactly(1f, 2f, 3f);
            assertThat(file.find("no")).isEmpty();
            assertThatThrownBy(() -> file.require("no")).hasMessageContaining("v2.gguf: tensor 'no': missing");
        }
    }

    /** A valid file: three pairs, a vector of three floats, an I2_S matrix of 2 x 128. */
    private static GgufBytes sample(int version) {
        return GgufBytes.header(version, 2, 3)
                .text("general.architecture", "bitnet-b1.58")
                .u32("a.count", 7)
                .string("words").i32(9).i32(8).i64(3).string("").string("ä").string("<|eot|>")
                .tensor("norm", 0, 0, 3)
                .tensor("w", 36, 32, 128, 2)
                .align(32)
                .f32(1).f32(2).f32(3).align(32)
                .zeros(64).f32(0.5f).zeros(28);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostile")
    void refuses(String name, GgufBytes bytes, String message) throws IOException {
        Path path = bytes.write(folder.resolve("bad.gguf"));
        assertThatThrownBy(() -> GgufFile.open(path).close())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("bad.gguf")
                .hasMessageContaining(message);
    }

    static Stream<Arguments> hostile() {
        return Stream.of(
                bad("empty", new GgufBytes(), "empty file"),
                bad("other magic", new GgufBytes().raw("GGUX").zeros(60), "other bytes"),
                bad("old GGML", new GgufBytes().raw("tjgg").zeros(60), "before GGUF"),
                bad("git lfs", new GgufBytes().raw("version https://git-lfs"), "git lfs pull"),
                bad("web page", new GgufBytes().raw("<!DOCTYPE html><html>"), "web page"),
                bad("safetensors", new GgufBytes().i64(60).raw("{\"__metadata__\":").zeros(60), "safetensors"),
                bad("zip", new GgufBytes().raw("PK").zeros(60), "zip"),
                bad("big-endian", new GgufBytes().raw("GGUF").bytes(0, 0, 0, 3).zeros(60), "big-endian"),
                bad("version 1", new GgufBytes().raw("GGUF").i32(1).zeros(60), "version 1"),
                bad("version 4", GgufBytes.header(4, 0, 0), "version 4"),
                bad("version 0", GgufBytes.header(0, 0, 0), "version 0"),
                bad("ends in header", new GgufBytes().raw("GGUF").i32(3).i32(0), "ends within the number of tensors"),
                bad("2^62 tensors", GgufBytes.header(3, 1L << 62, 0).zeros(99), "4611686018427387904"),
                bad("-1 tensors", GgufBytes.header(3, -1, 0).zeros(99), "18446744073709551615"),
                bad("2^62 pairs", GgufBytes.header(3, 0, 1L << 62).zeros(99), "key-value pairs"),
                bad("pairs missing", GgufBytes.header(3, 0, 2).u32("a", 1), "number of key-value pairs"),
                bad("long key", GgufBytes.header(3, 0, 1).i64(1L << 62).zeros(99), "length of the name"),
                bad("value cut", GgufBytes.header(3, 0, 1).string("k").i32(10).i32(0), "key 'k'"),
                bad("string past end", GgufBytes.header(3, 0, 1).string("k").i32(8).i64(1L << 40), "key 'k'"),
                bad("not UTF-8", GgufBytes.header(3, 0, 1).string("k").i32(8).i64(2).bytes(0xFF, 0xFE), "UTF-8"),
                bad("value type", GgufBytes.header(3, 0, 1).string("k").i32(13).zeros(9), "found 13"),
                bad("boolean 2", GgufBytes.header(3, 0, 1).string("k").i32(7).bytes(2), "no boolean"),
                bad("2^62 elements", array(4, 1L << 62), "number of elements of key 'k'"),
                bad("2^61 + 1 doubles", array(12, (1L << 61) + 1), "number of elements of key 'k'"),
                bad("2^60 strings", array(8, 1L << 60), "number of elements of key 'k'"),
                bad("array element type", array(99, 0).zeros(8), "found 99"),
                bad("deep nesting", nested(40), "nests arrays"),
                bad("key twice", GgufBytes.header(3, 0, 2).u32("k", 1).u32("k", 1), "key 'k': stands twice"),
                bad("alignment 0", GgufBytes.header(3, 0, 1).u32("general.alignment", 0), "power of two"),
                bad("alignment 33", GgufBytes.header(3, 0, 1).u32("general.alignment", 33), "power of two"),
                bad("alignment 2^31", GgufBytes.header(3, 0, 1).u32("general.alignment", 1 << 31), "power of two"),
                bad("alignment text", GgufBytes.header(3, 0, 1).text("general.alignment", "32"), "power of two"),
                bad("0 dimensions", GgufBytes.header(3, 1, 0).tensor("t", 0, 0).zeros(64), "found 0"),
                bad("5 dimensions", GgufBytes.header(3, 1, 0).tensor("t", 0, 0, 1, 1, 1, 1, 1), "1 to 4 dimensions"),
                bad("dimension 0", one(0, 0, 0), "positive dimensions"),
                bad("dimension -1", one(0, 0, -1), "positive dimensions"),
                bad("elements overflow", one(0, 0, 1L << 32, 1L << 32), "2^63"),
                bad("bytes overflow", one(0, 0, 1L << 61, 2), "2^63"),
                bad("three dims overflow", one(1, 0, 1L << 31, 1L << 31, 1L << 31), "2^63"),
                bad("offset misaligned", one(0, 8, 4), "multiple of 32"),
                bad("offset negative", one(0, -32, 4), "multiple of 32"),
                bad("offset past end", one(0, 1L << 40, 4), "truncated"),
                bad("offset 2^63 - 32", one(0, Long.MAX_VALUE - 31, 4), "beyond"),
                bad("data truncated", one(0, 0, 100), "336 bytes are missing"),
                bad("tensor twice", GgufBytes.header(3, 2, 0).tensor("t", 0, 0, 4).tensor("t", 0, 32, 4), "twice"),
                bad("overlap", two(0, 0, 16, 0, 32, 4), "'t': overlaps 'u'"),
                bad("same place", two(0, 0, 4, 0, 0, 4), "overlaps"),
                bad("I2_S without tail", two(36, 0, 128, 36, 32, 128), "leave out the 32 bytes of the scale"),
                bad("IQ4_NL_4_4", two(36, 0, 128 * 32, 0, 18 * 128, 4), "IQ4_NL_4_4, which llama.cpp removed"),
                bad("type 31", one(31, 0, 32), "tensor 't': the type 31 cannot be read; found Q4_0_4_4"),
                bad("type 37", one(37, 0, 32), "I8_S"),
                bad("type 999", one(999, 0, 32), "another fork"),
                bad("type -1", one(-1, 0, 32), "the type 4294967295"),
                bad("IQ4_NL_8_8", two(38, 0, 128 * 32, 0, 18 * 128, 4), "IQ4_NL_8_8, which llama.cpp removed"),
                bad("row of 6 in type 38", one(38, 0, 6), "TL1 of bitnet.cpp"),
                bad("row of 100 in MXFP4", one(39, 0, 100), "MXFP4 stores rows in blocks; expected"),
                bad("row of 100 in TL2", bitnet(39, 0, 100), "TL2 of bitnet.cpp, or MXFP4"),
                bad("TL1 without tail", two(38, 0, 128, 38, 32, 128), "leave out the 32 bytes of the scale behind each TL1"),
                bad("row of 100 in TQ1_0", one(34, 0, 100), "multiple of 256"),
                bad("row of 64 in type 36", one(36, 0, 64), "IQ4_NL_4_4"));
    }

    private static Arguments bad(String name, GgufBytes bytes, String message) {
        return Arguments.of(name, bytes, message);
    }

    private static GgufBytes array(int elementType, long count) {
        return GgufBytes.header(3, 0, 1).string("k").i32(9).i32(elementType).i64(count);
    }

    private static GgufBytes nested(int depth) {
        GgufBytes bytes = GgufBytes.header(3, 0, 1).string("k").i32(9);
        for (int i = 0; i < depth; i++) {
            bytes.i32(9).i64(1);
        }
        return bytes.i32(4).i64(0);
    }

    /** One tensor with 64 bytes of data. */
    private static GgufBytes one(int type, long offset, long... dims) {
        return GgufBytes.header(3, 1, 0).tensor("t", type, offset, dims).align(32).zeros(64);
    }

    private static GgufBytes bitnet(int type, long offset, long... dims) {
        return GgufBytes.header(3, 1, 1).text("general.architecture", "bitnet-b1.58")
                .tensor("t", type, offset, dims).align(32).zeros(64);
    }

    private static GgufBytes two(int type1, long offset1, long ne1, int type2, long offset2, long ne2) {
        return GgufBytes.header(3, 2, 0)
                .tensor("t", type1, offset1, ne1)
                .tensor("u", type2, offset2, ne2)
                .align(32)
                .zeros(256);
    }

    /** A matrix of 256 x 32 as TL2, 2080 bytes, or as MXFP4, 4352 bytes, and one behind it. */
    @ParameterizedTest
    @CsvSource({
        // architecture, general.file_type, a stored tile, room, what 39 is
        "bitnet-b1.58, 39, false, 2080, TL2",
        "bitnet, 0, false, 2080, TL2",
        "llama, 39, true, 2080, TL2",
        "llama, 39, true, 4352, TL2",
        "llama, 39, false, 2080, TL2",
        "llama, 39, false, 4320, TL2",
        "llama, 39, false, 4352, MXFP4",
        "llama, 38, true, 4352, MXFP4",
        "gpt-oss, 38, false, 4352, MXFP4"
    })
    void theFileTellsWhatNumber39Is(String architecture, int fileType, boolean tile, int room, GgmlType type) throws IOException {
        GgufBytes bytes = GgufBytes.header(3, 3, tile ? 3 : 2)
                .text("general.architecture", architecture)
                .u32("general.file_type", fileType);
        if (tile) {
            bytes.string("ternary.tl2.32x256").i32(9).i32(4).i64(3).i32(32).i32(96).i32(32);
        }
        bytes.tensor("a", 39, 32, 256, 32)
                .tensor("b", 39, 32 + room, 256, 32)
                .tensor("f", 0, 0, 8)
                .align(32)
                .zeros(32 + 2 * room);
        if (room == 4352 && type == GgmlType.TL2) {
            assertThatThrownBy(() -> GgufFile.open(bytes.write(folder.resolve("39.gguf"))))
                    .hasMessageContaining("MXFP4 of llama.cpp");
            return;
        }
        try (GgufFile file = GgufFile.open(bytes.write(folder.resolve("39.gguf")))) {
            assertThat(file.require("a").type()).isEqualTo(type);
            assertThat(file.require("b").type()).isEqualTo(type);
            assertThat(file.require("a").byteSize()).isEqualTo(type == GgmlType.TL2 ? 2080 : 4352);
        }
    }

    @Test
    void everyTruncationIsToldWithTheMissingBytes() throws IOException {
        byte[] whole = sample(3).toBytes();
        Path path = folder.resolve("cut.gguf");
        for (int length = 0; length < whole.length; length++) {
            Files.write(path, java.util.Arrays.copyOf(whole, length));
            int cut = length;
            assertThatThrownBy(() -> GgufFile.open(path).close())
                    .as("%d of %d bytes", cut, whole.length)
                    .isInstanceOf(InputException.class);
        }
        Files.write(path, java.util.Arrays.copyOf(whole, whole.length - 5));
        assertThatThrownBy(() -> GgufFile.open(path).close()).hasMessageContaining("5 bytes are missing");
    }

    /** Counts that a sparse file of 16 GiB could hold, but no memory. */
    @Test
    void aHugeSparseFileDoesNotFillTheMemory() throws IOException {
        GgufBytes[] hostile = {
            array(4, 1L << 31), // integers
            array(8, 1L << 30), // empty strings
            array(9, 1L << 29), // empty arrays
            GgufBytes.header(3, 1 << 28, 0), // tensors
            GgufBytes.header(3, 0, 1 << 28), // key-value pairs
        };
        for (GgufBytes bytes : hostile) {
            Path path = bytes.write(folder.resolve("sparse.gguf"));
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                file.setLength(1L << 34);
            }
            assertThatThrownBy(() -> GgufFile.open(path).close())
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("more than any model has");
        }
        Path text = GgufBytes.header(3, 0, 1).string("k").i32(8).i64(1L << 31).write(folder.resolve("text.gguf"));
        try (RandomAccessFile file = new RandomAccessFile(text.toFile(), "rw")) {
            file.setLength(1L << 34);
        }
        assertThatThrownBy(() -> GgufFile.open(text).close()).hasMessageContaining("longer than 268435456 bytes");
    }

    @Test
    void mutationsGiveAFileOrAnInputException() throws IOException {
        byte[] whole = sample(3).toBytes();
        Path path = folder.resolve("fuzz.gguf");
        Random random = new Random(42);
        int[] telling = {0, 1, 4, 9, 0x7F, 0x80, 0xFF};
        int refused = 0;
        for (int round = 0; round < 4000; round++) {
            byte[] mutant = whole.clone();
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                int at = random.nextInt(mutant.length);
                mutant[at] = (byte) (random.nextBoolean() ? random.nextInt() : telling[random.nextInt(telling.length)]);
            }
            Files.write(path, random.nextInt(8) == 0 ? java.util.Arrays.copyOf(mutant, random.nextInt(mutant.length)) : mutant);
            Throwable thrown = catchThrowable(() -> {
                try (GgufFile file = GgufFile.open(path)) {
                    file.tensors().forEach(tensor -> file.data(tensor).toArray(ValueLayout.JAVA_BYTE));
                }
            });
            if (thrown != null) {
                refused++;
                assertThat(thrown).as("round %d", round).isInstanceOf(InputException.class);
            }
        }
        assertThat(refused).isBetween(1000, 3999);
    }

    @Test
    void typedAccessNamesTheKeyAndWhatItFound() throws IOException {
        Path path = GgufBytes.header(3, 0, 3)
                .u32("big", -1)
                .string("long").i32(10).i64(12)
                .string("ids").i32(9).i32(5).i64(2).i32(1).i32(-2)
                .write(folder.resolve("keys.gguf"));
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.integer("long")).contains(12);
            assertThat(file.int32s("ids").orElseThrow()).containsExactly(1, -2);
            assertThatThrownBy(() -> file.integer("big")).hasMessageContaining("key 'big'").hasMessageContaining("4294967295");
            assertThatThrownBy(() -> file.string("big")).hasMessageContaining("expected a string, found UINT32");
            assertThatThrownBy(() -> file.strings("ids")).hasMessageContaining("found ARRAY of INT32");
            assertThatThrownBy(() -> file.requireInt("none")).hasMessageContaining("key 'none': missing");
            assertThat(file.real("none")).isEmpty();
        }
    }

    @Test
    void dataIsOutOfReachAfterClose() throws IOException {
        GgufFile file = GgufFile.open(sample(3).write(folder.resolve("a.gguf")));
        var data = file.data(file.require("norm"));
        file.close();
        assertThatThrownBy(() -> data.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0)).isInstanceOf(IllegalStateException.class);
    }
}
