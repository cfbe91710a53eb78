package dev.tern.ternary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.Tile;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** TL1 and TL2 against the index formulas of bitnet.cpp's converter and kernels, taken down weight by weight. */
class LutCodecTest {
    private static final String WHERE = "a.gguf: tensor 'w'";
    private static final float SCALE = 0.04307299107313156f;

    /**
     * Shapes and tiles of models and of upstream's presets, and the corners: all in threes, most in pairs, one tile,
     * many.
     */
    static Stream<Arguments> packings() {
        return Stream.of(
                packing(LutFormat.TL2, 32, 24, 32, 24, 32), // the smallest there is
                packing(LutFormat.TL2, 64, 128, 32, 96, 32), // two_k 32
                packing(LutFormat.TL2, 64, 128, 64, 96, 32),
                packing(LutFormat.TL2, 96, 464, 32, 240, 32), // two_k 224, the most
                packing(LutFormat.TL2, 64, 576, 32, 192, 32), // two_k 0
                packing(LutFormat.TL2, 192, 640, 64, 96, 32), // two_k 64
                packing(LutFormat.TL2, 128, 640, 128, 192, 32),
                packing(LutFormat.TL2, 640, 2560, 160, 96, 32), // two_k 64: k and v of 2B-4T
                packing(LutFormat.TL2, 160, 6912, 160, 96, 32), // two_k 0: some of its down
                packing(LutFormat.TL2, 256, 4096, 256, 96, 32), // two_k 64, rows of 2^n
                packing(LutFormat.TL1, 32, 8, 32, 8, 32),
                packing(LutFormat.TL1, 64, 4, 64, 4, 64),
                packing(LutFormat.TL1, 64, 64, 32, 32, 32),
                packing(LutFormat.TL1, 128, 576, 64, 64, 64),
                packing(LutFormat.TL1, 256, 640, 128, 64, 64),
                packing(LutFormat.TL1, 320, 640, 160, 128, 32),
                packing(LutFormat.TL1, 192, 12, 64, 12, 64),
                packing(LutFormat.TL1, 640, 2560, 320, 128, 64),
                packing(LutFormat.TL1, 256, 4096, 256, 128, 32));
    }

    private static Arguments packing(LutFormat format, int rows, int cols, int bm, int bk, int block) {
        return Arguments.of(format, new MatrixShape(rows, cols), new Tile(bm, bk, block));
    }

    @ParameterizedTest
    @MethodSource("packings")
    void encodesByTheFormulas(LutFormat format, MatrixShape shape, Tile tile) {
        TernaryMatrix matrix = random(shape, 1);
        byte[] expected = format == LutFormat.TL2 ? tl2(matrix, tile) : tl1(matrix, tile);
        byte[] found = encode(format, tile, matrix);
        assertThat(Arrays.mismatch(found, 0, expected.length, expected, 0, expected.length)).isEqualTo(-1);
        assertThat(expected).hasSize((int) format.packedBytes(shape, tile));
        // Zeros, then the scale, then zeros.
        for (int at = expected.length; at < found.length; at++) {
            int tail = at - (found.length - 32);
            int b = tail >= 0 && tail < 4 ? Float.floatToRawIntBits(SCALE) >> 8 * tail : 0;
            assertThat(found[at]).as("byte %d", at).isEqualTo((byte) b);
        }
    }

    private static byte[] tl2(TernaryMatrix m, Tile tile) {
        int bm = tile.rows();
        int bk = tile.cols();
        int three = m.cols() / bk * bk;
        int two = m.cols() - three;
        int indices = m.rows() * three / 6;
        int pairs = m.rows() * three * 5 / 24;
        byte[] out = new byte[pairs + m.rows() * two / 4];
        for (int row = 0; row < m.rows(); row++) {
            int tileRow = row / bm;
            int mb = row % bm / 32;
            int r = row % 32;
            int p = r / 8 == 1 ? r + 8 : r / 8 == 2 ? r - 8 : r;
            for (int g = 0; g < three / 3; g++) {
                int v = 9 * at(m, row, 3 * g) + 3 * at(m, row, 3 * g + 1) + at(m, row, 3 * g + 2);
                int kb = g / (bk / 3);
                int gl = g % (bk / 3);
                int base = (tileRow * (three / bk) + kb) * (bm / 32) + mb;
                out[base * (bk / 6) * 32 + gl / 2 * 32 + p] |= (byte) (Math.abs(v) << (gl % 2 == 0 ? 4 : 0));
                if (v < 0) {
                    int word = base * (bk / 24) * 16 + gl / 8 * 16 + r % 16;
                    int bit = 15 - (2 * (gl % 8) + (r >= 16 ? 1 : 0));
                    out[indices + 2 * word + bit / 8] |= (byte) (1 << bit % 8);
                }
            }
            for (int g = 0; g < two / 2; g++) {
                int v = 3 * at(m, row, three + 2 * g) + at(m, row, three + 2 * g + 1) + 4;
                int block = (tileRow * (two / 32) + g / 16) * (bm / 32) + mb;
                out[pairs + block * 256 + g % 16 / 2 * 32 + p] |= (byte) (v << (g % 2 == 0 ? 4 : 0));
            }
        }
        return out;
    }

    private static byte[] tl1(TernaryMatrix m, Tile tile) {
        int bm = tile.rows();
        int bk = tile.cols();
        int block = tile.rowBlock();
        int by = 256 / block;
        byte[] out = new byte[m.rows() * m.cols() / 4];
        for (int row = 0; row < m.rows(); row++) {
            int tileRow = row / bm;
            int mb = row % bm / block;
            int sb = row % block / 16;
            for (int g = 0; g < m.cols() / 2; g++) {
                int v = 3 * at(m, row, 2 * g) + at(m, row, 2 * g + 1) + 4;
                int kb = g / (bk / 2);
                int gl = g % (bk / 2);
                int kq = gl / (by / 2);
                int qq = gl % (by / 2) / 2;
                int stripe = ((tileRow * (m.cols() / bk) + kb) * (bm / block) + mb) * (bk / by) + kq;
                int cell = (stripe * (block / 16) + sb) * (by / 4) + qq;
                out[cell * 16 + row % 16] |= (byte) (v << (g % 2 == 0 ? 4 : 0));
            }
        }
        return out;
    }

    private static int at(TernaryMatrix m, int row, int col) {
        return m.values()[row * m.cols() + col];
    }

    @ParameterizedTest
    @MethodSource("packings")
    void everyMatrixComesBack(LutFormat format, MatrixShape shape, Tile tile) {
        LutCodec codec = new LutCodec(format, tile);
        for (int seed = 2; seed < 5; seed++) {
            TernaryMatrix matrix = random(shape, seed);
            MemorySegment bytes = MemorySegment.ofArray(encode(format, tile, matrix));
            TernaryMatrix back = codec.decode(bytes, shape.rows(), shape.cols(), WHERE);
            assertThat(back.values()).isEqualTo(matrix.values());
            assertThat(back.scale()).isEqualTo(SCALE);
        }
    }

    /** Any rows, alone or in ranges that cut through the interleaved blocks, and no byte beside them. */
    @ParameterizedTest
    @MethodSource("packings")
    void packsAnyRows(LutFormat format, MatrixShape shape, Tile tile) {
        Random random = new Random(3);
        LutCodec codec = new LutCodec(format, tile);
        TernaryMatrix matrix = random(shape, 7);
        MemorySegment in = MemorySegment.ofArray(encode(format, tile, matrix));
        int rows = shape.rows();
        long rowBytes = TernaryWeights.rowBytes(shape.cols());
        byte[] expected = new byte[(int) (rows * rowBytes)];
        for (int row = 0; row < rows; row++) {
            byte[] one = new byte[(int) rowBytes];
            RuntimeLayout.packRow(matrix.values(), row * shape.cols(), shape.cols(), one);
            System.arraycopy(one, 0, expected, (int) (row * rowBytes), one.length);
        }
        for (int round = 0; round < 40; round++) {
            int first = round == 0 ? 0 : random.nextInt(rows);
            int end = round == 0 ? rows : first + 1 + random.nextInt(Math.min(rows - first, 70));
            byte[] found = new byte[expected.length];
            Arrays.fill(found, (byte) 0xEE);
            float scale = codec.pack(in, rows, shape.cols(), first, end, MemorySegment.ofArray(found), WHERE);
            assertThat(scale).isEqualTo(SCALE);
            byte[] partly = new byte[expected.length];
            Arrays.fill(partly, (byte) 0xEE);
            int from = (int) (first * rowBytes);
            int to = (int) (end * rowBytes);
            System.arraycopy(expected, from, partly, 0, to - from);
            assertThat(Arrays.mismatch(found, partly)).as("rows %d to %d", first, end).isEqualTo(-1);
        }
    }

    /**
     * Every index in every place of a byte: what stands for weights is decoded, what does not is refused where it lies.
     */
    @ParameterizedTest
    @CsvSource({
        // format, rows, cols, tile; offset of a byte; the row and the first column of what it holds
        "TL2, 64, 128, 32, 96, 32, 0, 0, 0, 3, 13",
        "TL2, 64, 128, 32, 96, 32, 8, 16, 0, 3, 13",
        "TL2, 64, 128, 32, 96, 32, 548, 36, 6, 3, 13", // second tile: 512 + 32 + 4
        "TL2, 64, 128, 32, 96, 32, 1287, 7, 96, 2, 8", // the first pairs, behind 64*96*5/24
        "TL2, 64, 128, 32, 96, 32, 1791, 63, 124, 2, 8",
        "TL1, 64, 64, 32, 32, 32, 17, 1, 4, 2, 8",
        "TL1, 64, 64, 32, 32, 32, 1023, 63, 60, 2, 8"
    })
    void invalidIndicesAreRefusedWithTheirPlace(
            LutFormat format, int rows, int cols, int bm, int bk, int block,
            int offset, int row, int col, int width, int max) {
        Tile tile = new Tile(bm, bk, block);
        LutCodec codec = new LutCodec(format, tile);
        byte[] good = encode(format, tile, random(new MatrixShape(rows, cols), 9));
        for (int high = 0; high < 16; high++) {
            for (int low = 0; low < 16; low++) {
                byte[] bytes = good.clone();
                bytes[offset] = (byte) (high << 4 | low);
                MemorySegment in = MemorySegment.ofArray(bytes);
                if (high <= max && low <= max) {
                    TernaryMatrix back = codec.decode(in, rows, cols, WHERE);
                    int[] shifts = {4, 0};
                    for (int half = 0; half < 2; half++) {
                        int v = 0;
                        for (int c = 0; c < width; c++) {
                            v = 3 * v + back.values()[row * cols + col + half * width + c];
                        }
                        int index = (bytes[offset] >> shifts[half]) & 15;
                        assertThat(width == 3 ? Math.abs(v) : v + 4).isEqualTo(index);
                    }
                } else {
                    int from = high > max ? col : col + width;
                    assertThatThrownBy(() -> codec.decode(in, rows, cols, WHERE))
                            .isInstanceOf(InputException.class)
                            .hasMessageStartingWith(WHERE)
                            .hasMessageContaining("row " + row + ", columns " + from + " to " + (from + width - 1))
                            .hasMessageContaining("the index " + (high > max ? high : low));
                    // Whoever packs other rows does not meet it.
                    byte[] runtime = new byte[(int) TernaryCodec.packedSize(rows, cols)];
                    codec.pack(in, rows, cols, row + 1, rows, MemorySegment.ofArray(runtime), WHERE);
                    codec.pack(in, rows, cols, 0, row, MemorySegment.ofArray(runtime), WHERE);
                }
            }
        }
    }

    @Test
    void minusZeroIsZero() {
        Tile tile = new Tile(32, 96, 32);
        byte[] bytes = encode(LutFormat.TL2, tile, new TernaryMatrix(32, 96, new byte[32 * 96], SCALE));
        Arrays.fill(bytes, 32 * 96 / 6, 32 * 96 * 5 / 24, (byte) 0xFF); // all signs
        TernaryMatrix back = new LutCodec(LutFormat.TL2, tile).decode(MemorySegment.ofArray(bytes), 32, 96, WHERE);
        assertThat(back.values()).containsOnly(0);
    }

    @Test
    void theScaleIsExactAndMustBeFinite() {
        Tile tile = new Tile(32, 96, 32);
        MatrixShape shape = new MatrixShape(32, 128);
        for (LutFormat format : new LutFormat[] {LutFormat.TL2, LutFormat.TL1}) {
            Tile own = format == LutFormat.TL2 ? tile : new Tile(32, 64, 32);
            LutCodec codec = new LutCodec(format, own);
            for (float scale : new float[] {Float.MIN_VALUE, -1.5f, Float.MAX_VALUE, 0f}) {
                TernaryMatrix matrix = new TernaryMatrix(32, 128, random(shape, 1).values(), scale);
                MemorySegment bytes = MemorySegment.ofArray(encode(format, own, matrix));
                assertThat(codec.storedScale(scale)).isEqualTo(scale);
                assertThat(codec.scaleObstacle(scale)).isEmpty();
                assertThat(codec.scale(bytes, 32, 128, WHERE)).isEqualTo(scale);
            }
            MemorySegment bytes = MemorySegment.ofArray(encode(format, own, random(shape, 1)));
            bytes.set(ValueLayout.JAVA_INT_UNALIGNED, bytes.byteSize() - 32, Float.floatToRawIntBits(Float.NaN));
            assertThatThrownBy(() -> codec.decode(bytes, 32, 128, WHERE)).hasMessageContaining("finite scale");
        }
    }

    @Test
    void whatTheTileDoesNotFitIsTold() {
        LutCodec codec = new LutCodec(LutFormat.TL2, new Tile(64, 96, 32));
        assertThat(codec.obstacle(96, 128)).get().asString().contains("64/96/32", "96x128", "does not divide M");
        assertThat(codec.obstacle(128, 128)).isEmpty();
        MemorySegment out = MemorySegment.ofArray(new byte[1 << 16]);
        assertThatThrownBy(() -> codec.encode(random(new MatrixShape(96, 128), 1), out))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> codec.decode(out, 96, 128, WHERE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(WHERE);
    }

    /** The sizes of 2B-4T in the facts about formats, in millions of bytes. */
    @ParameterizedTest
    @CsvSource({"TL1, 521.0", "TL2, 441.5"})
    void sizesOf2b4tAreThoseOfBitnetCpp(GgmlType type, double megabytes) {
        long attention = 2 * type.bytes(2560, 2560) + 2 * type.bytes(2560, 640);
        long layer = attention + 2 * type.bytes(2560, 6912) + type.bytes(6912, 2560);
        assertThat(30 * layer / 1e6).isCloseTo(megabytes, org.assertj.core.data.Offset.offset(0.05));
    }

    /** bitnet.cpp knows no tile when it computes a size: what it computes must hold the weights of all of them. */
    @Test
    void everyLegalTileFitsTheSize() {
        int tiles = 0;
        for (int rows : new int[] {32, 64, 96, 160, 640, 2560, 6912}) {
            for (int cols = 8; cols <= 3000; cols += 8) {
                MatrixShape shape = new MatrixShape(rows, cols);
                for (LutFormat format : LutFormat.values()) {
                    GgmlType type = format == LutFormat.TL1 ? GgmlType.TL1 : GgmlType.TL2;
                    for (int bk = 8; bk <= 256; bk += 8) {
                        Tile tile = new Tile(32, bk, 32);
                        if (format.obstacle(shape, tile).isEmpty()) {
                            long room = type.bytes(cols, rows) - 32;
                            assertThat(room)
                                    .isGreaterThanOrEqualTo(format.packedBytes(shape, tile))
                                    .isEqualTo(room & -32);
                            tiles++;
                        }
                    }
                }
            }
        }
        assertThat(tiles).isGreaterThan(1000);
    }

    /** The byte sizes of C's integer arithmetic, some where rows are shorter than the 256 that it subtracts. */
    @ParameterizedTest
    @CsvSource({"24, 32, 544", "128, 64, 2432", "256, 32, 2080", "640, 2560, 368672", "2560, 6912, 3760160"})
    void tl2SizesTruncateTowardZeroAsC(long cols, long rows, long bytes) {
        long expected = (cols - 256) * rows / 3 * 5 / 8 + 256 * rows / 2 * 4 / 8;
        expected += (32 - expected % 32) % 32 + 32;
        assertThat(GgmlType.TL2.bytes(cols, rows)).isEqualTo(expected).isEqualTo(bytes);
    }

    private static TernaryMatrix random(MatrixShape shape, long seed) {
        Random random = new Random(seed);
        byte[] values = new byte[(int) shape.weights()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (random.nextInt(3) - 1);
        }
        return new TernaryMatrix(shape.rows(), shape.cols(), values, SCALE);
    }

    private static byte[] encode(LutFormat format, Tile tile, TernaryMatrix matrix) {
        LutCodec codec = new LutCodec(format, tile);
        byte[] bytes = new byte[(int) codec.byteSize(matrix.rows(), matrix.cols())];
        Arrays.fill(bytes, (byte) 0xEE);
        codec.encode(matrix, MemorySegment.ofArray(bytes));
        return bytes;
    }
}
