package dev.tern.ternary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.gguf.GgufWriter;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LutTilesTest {
    private static final MatrixShape SHAPE = new MatrixShape(64, 640);
    private static final String KEY = "ternary.tl2.64x640";

    @TempDir
    Path folder;

    @Test
    void storedTilesComeBack() {
        LutTiles tiles = LutTiles.of(plan(
                kernel(LutFormat.TL2, SHAPE, 32, 96, 32),
                kernel(LutFormat.TL2, SHAPE, 64, 192, 32), // the first of a shape counts
                kernel(LutFormat.TL1, SHAPE, 64, 64, 64),
                kernel(LutFormat.TL2, new MatrixShape(2560, 6912), 160, 96, 32)));
        assertThat(tiles.metadata()).containsOnlyKeys(KEY, "ternary.tl1.64x640", "ternary.tl2.2560x6912");
        assertThat(tiles.metadata().get(KEY).elementType()).isEqualTo(GgufValueType.UINT32);
        assertThat((int[]) tiles.metadata().get(KEY).value()).containsExactly(32, 96, 32);
        try (GgufFile file = GgufFile.open(write(tiles.metadata(), GgmlType.TL2))) {
            LutTiles read = LutTiles.ofGguf(file);
            assertThat(read.kernels()).isEqualTo(tiles.kernels()).hasSize(3);
            assertThat(read.tile(LutFormat.TL2, SHAPE)).contains(new Tile(32, 96, 32));
            assertThat(read.tile(LutFormat.TL1, SHAPE)).contains(new Tile(64, 64, 64));
            assertThat(read.tile(LutFormat.TL2, new MatrixShape(64, 576))).isEmpty();
            assertThat(TernaryCodec.of(file.require("w"), read))
                    .contains(new LutCodec(LutFormat.TL2, new Tile(32, 96, 32)));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "ternary.tl2.64x640 | 32 96 | three positive integers, BM, BK, bm, found 2: 32, 96",
        "ternary.tl2.64x640 | 32 96 32 1 9 | found 5: 32, 96, 32, 1, ...",
        "ternary.tl2.64x640 | 0 96 32 | three positive integers",
        "ternary.tl2.64x640 | 32 -1 32 | 4294967295",
        "ternary.tl2.64x640 | 48 96 32 | a tile of 48/96/32 cannot be: BM 48 is no multiple of 32",
        "ternary.tl2.64x640 | 32 120 32 | is no multiple of 32",
        "ternary.tl2.64x640 | 2147483647 2147483647 2147483647 | cannot be",
        "ternary.tl1.64x640 | 64 48 64 | BK 48 does not divide K = 640",
        "ternary.tl2.64 | 32 96 32 | names no matrix",
        "ternary.tl2.0x640 | 32 96 32 | names no matrix",
        "ternary.tl2.064x640 | 32 96 32 | names no matrix",
        "ternary.tl2.9999999999x640 | 32 96 32 | names no matrix"
    })
    void damagedKeysAreRefused(String key, String numbers, String message) {
        int[] values = List.of(numbers.split(" ")).stream().mapToInt(Integer::parseInt).toArray();
        try (GgufFile file = GgufFile.open(write(Map.of(key, GgufValue.uint32s(values)), GgmlType.TL2))) {
            assertThatThrownBy(() -> LutTiles.ofGguf(file))
                    .isInstanceOf(InputException.class)
                    .hasMessageStartingWith(file.path() + ": key '" + key + "': ")
                    .hasMessageContaining(message);
        }
        try (GgufFile file = GgufFile.open(write(Map.of(key, GgufValue.of("32 96 32")), GgmlType.TL2))) {
            assertThatThrownBy(() -> LutTiles.ofGguf(file)).isInstanceOf(InputException.class);
        }
    }

    @Test
    void aFileWithoutTilesNeedsTheConfigThatItWasPackedWith() throws IOException {
        Path ini = ini(kernel(LutFormat.TL2, SHAPE, 64, 192, 32));
        try (GgufFile file = GgufFile.open(write(Map.of(), GgmlType.TL2))) {
            GgufTensor tensor = file.require("w");
            assertThatThrownBy(() -> TernaryCodec.of(tensor, KernelConfigFile.tiles(file, null)))
                    .isInstanceOf(InputException.class)
                    .hasMessageStartingWith(file.path() + ": tensor 'w': packed as TL2 for kernels whose tiles the file does"
                            + " not store; expected metadata ternary.tl2.64x640. ")
                    .hasMessageContaining("--kernel-config kernel_config.ini");
            assertThat(TernaryCodec.of(tensor, KernelConfigFile.tiles(file, ini)))
                    .contains(new LutCodec(LutFormat.TL2, new Tile(64, 192, 32)));
        }
    }

    @Test
    void aConfigMayAddToStoredTilesButNotContradictThem() throws IOException {
        MatrixShape other = new MatrixShape(32, 96);
        Map<String, GgufValue> stored = Map.of(KEY, GgufValue.uint32s(new int[] {32, 96, 32}));
        try (GgufFile file = GgufFile.open(write(stored, GgmlType.TL2))) {
            Path agreeing = ini(kernel(LutFormat.TL2, other, 32, 96, 32), kernel(LutFormat.TL2, SHAPE, 32, 96, 32));
            assertThat(KernelConfigFile.tiles(file, agreeing).kernels())
                    .containsExactly(
                            kernel(LutFormat.TL2, SHAPE, 32, 96, 32), kernel(LutFormat.TL2, other, 32, 96, 32));
            Path contradicting = ini(kernel(LutFormat.TL2, SHAPE, 64, 192, 32));
            assertThatThrownBy(() -> KernelConfigFile.tiles(file, contradicting))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining(file.path().toString())
                    .hasMessageContaining(contradicting.toString())
                    .hasMessageContaining(KEY)
                    .hasMessageContaining("64/192/32")
                    .hasMessageContaining("found 32/96/32");
        }
    }

    @Test
    void configsThatCannotBeReadOrUsedAreTold() throws IOException {
        Path ini = ini(kernel(LutFormat.TL2, SHAPE, 32, 96, 32));
        try (GgufFile file = GgufFile.open(write(Map.of(), GgmlType.I2_S))) {
            assertThatThrownBy(() -> KernelConfigFile.tiles(file, ini))
                    .hasMessageContaining("holds no TL1 or TL2 tensor");
        }
        assertThatThrownBy(() -> KernelConfigFile.read(folder.resolve("none.ini"), Optional.empty()))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("none.ini: cannot be read: no such file");
        Path wrong = Files.writeString(folder.resolve("wrong.ini"), "[Kernels_0]\nm = x\n");
        assertThatThrownBy(() -> KernelConfigFile.read(wrong, Optional.of(LutFormat.TL2)))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(wrong + ":")
                .message()
                .satisfies(text -> assertThat(text.substring(1)).doesNotContain(wrong.toString()));
        Path bytes = Files.write(folder.resolve("bytes.ini"), new byte[] {(byte) 0xFF});
        assertThatThrownBy(() -> KernelConfigFile.read(bytes, Optional.empty())).hasMessageContaining("no UTF-8");
    }

    private static PlannedKernel kernel(LutFormat format, MatrixShape shape, int bm, int bk, int block) {
        return new PlannedKernel(format, shape, new Tile(bm, bk, block));
    }

    private static KernelPlan plan(PlannedKernel... kernels) {
        return new KernelPlan(List.of(kernels));
    }

    private Path ini(PlannedKernel... kernels) throws IOException {
        return Files.writeString(folder.resolve("kernel_config.ini"), KernelConfig.text(plan(kernels)));
    }

    /** A bitnet file with these keys and a matrix of zero bytes. */
    private Path write(Map<String, GgufValue> keys, GgmlType type) {
        GgufLayout.Builder layout = GgufLayout.builder().metadata("general.architecture", GgufValue.of("bitnet-b1.58"));
        keys.forEach(layout::metadata);
        layout.tensor("w", type, SHAPE.cols(), SHAPE.rows());
        Path path = folder.resolve("m.gguf");
        try (AtomicFile file = AtomicFile.create(path, true)) {
            GgufWriter writer = new GgufWriter(layout.build(), file);
            writer.write("w", MemorySegment.ofArray(new byte[(int) type.bytes(SHAPE.cols(), SHAPE.rows())]));
            writer.finish();
            file.commit();
        }
        return path;
    }
}
