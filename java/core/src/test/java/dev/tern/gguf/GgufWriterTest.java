package dev.tern.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.AtomicFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufWriterTest {
    @TempDir
    Path folder;

    /** Written by hand from the format's description: pins the bytes, not only the round trip. */
    @Test
    void writesTheBytesOfTheFormat() throws Exception {
        GgufLayout layout = GgufLayout.builder()
                .metadata("general.architecture", GgufValue.of("bitnet"))
                .metadata("a", GgufValue.int32s(new int[] {1, -1}))
                .tensor("v", GgmlType.F32, 3)
                .tensor("w", GgmlType.I2_S, 128, 1)
                .build();
        Path path = folder.resolve("a.gguf");
        write(path, layout, 12, 64);
        byte[] expected = GgufBytes.header(3, 2, 2)
                .text("general.architecture", "bitnet")
                .string("a").i32(9).i32(5).i64(2).i32(1).i32(-1)
                .tensor("v", 0, 0, 3)
                .tensor("w", 36, 32, 128, 1)
                .align(32)
                .bytes(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1).align(32)
                .bytes(java.util.stream.IntStream.generate(() -> 2).limit(64).toArray())
                .toBytes();
        assertThat(Files.readAllBytes(path)).isEqualTo(expected);
        assertThat(layout.fileSize()).isEqualTo(expected.length);
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 32, 64, 4096})
    void allValueTypesComeBack(int alignment) {
        GgufLayout.Builder builder = GgufLayout.builder();
        if (alignment != 32) {
            builder.alignment(alignment);
        }
        List<GgufValue> values = List.of(
                value(GgufValueType.UINT8, (byte) -1),
                value(GgufValueType.INT8, (byte) -128),
                value(GgufValueType.UINT16, (short) -1),
                value(GgufValueType.INT16, Short.MIN_VALUE),
                GgufValue.u32(-1),
                value(GgufValueType.INT32, Integer.MIN_VALUE),
                value(GgufValueType.UINT64, -1L),
                value(GgufValueType.INT64, Long.MIN_VALUE),
                GgufValue.of(Float.MIN_VALUE),
                value(GgufValueType.FLOAT64, Math.PI),
                GgufValue.of(true),
                GgufValue.of(false),
                GgufValue.of(""),
                GgufValue.of("\u0000ä€\uD83D\uDE00"),
                array(GgufValueType.UINT8, new byte[] {1, -1}),
                array(GgufValueType.INT8, new byte[0]),
                array(GgufValueType.UINT16, new short[] {-1}),
                array(GgufValueType.INT16, new short[] {1, 2, 3}),
                array(GgufValueType.UINT32, new int[] {-1}),
                GgufValue.int32s(new int[] {1, 2}),
                array(GgufValueType.UINT64, new long[] {-1}),
                array(GgufValueType.INT64, new long[] {Long.MAX_VALUE}),
                GgufValue.float32s(new float[] {1f, -0f, Float.POSITIVE_INFINITY}),
                array(GgufValueType.FLOAT64, new double[] {Math.E}),
                array(GgufValueType.BOOL, new boolean[] {true, false, true}),
                GgufValue.strings(List.of("", "x", "ö")),
                array(GgufValueType.ARRAY, List.of(
                        GgufValue.int32s(new int[] {7}),
                        GgufValue.strings(List.of("deep")),
                        array(GgufValueType.ARRAY, List.of(array(GgufValueType.BOOL, new boolean[] {true}))))));
        for (int i = 0; i < values.size(); i++) {
            builder.metadata("key " + i, values.get(i));
        }
        GgufLayout layout = builder.tensor("t", GgmlType.BF16, 5, 3, 2).build();
        Path path = folder.resolve("all.gguf");
        write(path, layout, 60);
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.alignment()).isEqualTo(alignment);
            for (int i = 0; i < values.size(); i++) {
                assertThat(file.metadata().get("key " + i))
                        .usingRecursiveComparison()
                        .withStrictTypeChecking()
                        .isEqualTo(values.get(i));
            }
            assertThat(file.dataStart() % alignment).isZero();
            assertThat(file.size()).isEqualTo(layout.fileSize());
            assertThat(file.data(file.require("t")).toArray(ValueLayout.JAVA_BYTE)).containsOnly(1).hasSize(60);
        }
    }

    @Test
    void insistsOnTheDeclaredData() {
        GgufLayout layout = GgufLayout.builder()
                .tensor("a", GgmlType.F32, 4)
                .tensor("b", GgmlType.F32, 4)
                .build();
        try (AtomicFile file = AtomicFile.create(folder.resolve("a.gguf"), false)) {
            GgufWriter writer = new GgufWriter(layout, file);
            assertThatThrownBy(() -> writer.write("c", bytes(16, 1))).hasMessageContaining("no tensor 'c'");
            assertThatThrownBy(() -> writer.write("a", bytes(15, 1))).hasMessageContaining("'a', which has 16");
            assertThatThrownBy(() -> writer.write("a", 10, bytes(7, 1))).hasMessageContaining("at 10 for 'a'");
            assertThatThrownBy(() -> writer.write("a", -1, bytes(7, 1))).isInstanceOf(IllegalStateException.class);
            writer.write("a", 0, bytes(10, 1));
            assertThatThrownBy(writer::finish).hasMessageContaining("'a' lacks 6 bytes");
            writer.write("a", 10, bytes(6, 1));
            assertThatThrownBy(() -> writer.write("a", 0, bytes(1, 1))).hasMessageContaining("twice");
        }
    }

    /** Whatever the order and the pieces, and however often the digest was advanced meanwhile. */
    @Test
    void theOrderOfPiecesDoesNotMatter() throws Exception {
        GgufLayout layout = GgufLayout.builder()
                .tensor("a", GgmlType.I8, 1000)
                .tensor("b", GgmlType.I8, 77)
                .tensor("c", GgmlType.I8, 1)
                .build();
        Path inOrder = folder.resolve("in-order.gguf");
        write(inOrder, layout, 1000, 77, 1);
        Path shuffled = folder.resolve("shuffled.gguf");
        try (AtomicFile file = AtomicFile.create(shuffled, false)) {
            GgufWriter writer = new GgufWriter(layout, file);
            writer.write("c", bytes(1, 3));
            writer.digestComplete();
            writer.write("a", 500, bytes(500, 1));
            writer.digestComplete();
            writer.write("a", 0, bytes(500, 1));
            writer.digestComplete();
            writer.write("b", 70, bytes(7, 2));
            writer.write("b", 0, bytes(70, 2));
            String sha256 = writer.finish();
            file.commit();
            byte[] written = Files.readAllBytes(shuffled);
            assertThat(written).isEqualTo(Files.readAllBytes(inOrder));
            assertThat(sha256)
                    .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(written)));
        }
    }

    @Test
    void declarationsAreChecked() {
        GgufLayout.Builder builder =
                GgufLayout.builder().metadata("k", GgufValue.u32(1)).tensor("t", GgmlType.F32, 1);
        assertThatThrownBy(() -> builder.metadata("k", GgufValue.u32(2))).hasMessageContaining("'k' twice");
        assertThatThrownBy(() -> builder.tensor("t", GgmlType.F32, 1)).hasMessageContaining("'t' twice");
        assertThatThrownBy(() -> builder.tensor("u", GgmlType.TQ1_0, 100, 4)).hasMessageContaining("multiple of 256");
        assertThatThrownBy(() -> builder.tensor("x", GgmlType.F32, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Sizes for the matrices of the 2B model; formats file, section D. */
    @Test
    void sizesOfTypes() {
        assertThat(GgmlType.TQ1_0.bytes(2560, 6912)).isEqualTo(2560L * 6912 / 256 * 54);
        assertThat(GgmlType.TQ2_0.bytes(2560, 6912)).isEqualTo(2560L * 6912 / 256 * 66);
        assertThat(GgmlType.I2_S.bytes(2560, 6912)).isEqualTo(2560L * 6912 / 4 + 32);
        assertThat(GgmlType.IQ1_BN.bytes(64, 3)).isEqualTo(3 * (2 + 13));
        assertThat(GgmlType.IQ2_BN.bytes(128, 3)).isEqualTo(3 * (4 + 32));
        assertThatThrownBy(() -> GgmlType.F32.bytes(1L << 62, 4)).isInstanceOf(ArithmeticException.class);
        assertThat(GgmlType.ofId(36)).contains(GgmlType.I2_S);
        assertThat(GgmlType.ofId(31)).isEmpty();
    }

    private void write(Path path, GgufLayout layout, int... sizes) {
        try (AtomicFile file = AtomicFile.create(path, false)) {
            GgufWriter writer = new GgufWriter(layout, file);
            for (int i = 0; i < sizes.length; i++) {
                writer.write(layout.tensors().get(i).name(), bytes(sizes[i], i + 1));
            }
            writer.finish();
            file.commit();
        }
    }

    private static MemorySegment bytes(int count, int value) {
        return MemorySegment.ofArray(new byte[count]).fill((byte) value);
    }

    private static GgufValue value(GgufValueType type, Object value) {
        return new GgufValue(type, type, value);
    }

    private static GgufValue array(GgufValueType element, Object values) {
        return new GgufValue(GgufValueType.ARRAY, element, values);
    }
}
