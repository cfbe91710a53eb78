package dev.tern.ternary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.kernels.TernaryWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TernaryCodecTest {
    private static final String WHERE = "a.gguf: tensor 'w'";
    private static final float SCALE = 0.04307299107313156f;

    /** T by a linear congruential generator, 5 x 768: the matrix of the golden bytes. */
    private static TernaryMatrix golden() {
        return generated(5);
    }

    private static TernaryMatrix generated(int rows) {
        byte[] values = new byte[rows * 768];
        int x = 1;
        for (int i = 0; i < values.length; i++) {
            x = x * 1103515245 + 12345 & 0x7FFFFFFF;
            values[i] = (byte) ((x >> 16) % 3 - 1);
        }
        return new TernaryMatrix(rows, 768, values, SCALE);
    }

    /**
     * SHA-256 of the bytes that ggml's own formulas give for s*T as floats: TQ1_0 and TQ2_0 by the NumPy code of the gguf
     * Python package ({@code quants.py}), I2_S by bitnet.cpp's C quantizer transcribed to NumPy, floats by NumPy's
     * casts (bf16 as {@code ggml_compute_fp32_to_bf16}). Q2_K, Q4_0 and Q8_0, for which ggml's quantizers choose other
     * steps: blocks put together in NumPy, of which {@code gguf.quants.dequantize} (0.19) gives T * fp16(s) exactly.
     */
    @ParameterizedTest
    @CsvSource({
        "TQ1_0, 732b101397af6406f5c26bc38304f8ac8042429772969a7338076cd100fabe69",
        "TQ2_0, 0ba82e42d84f9c81e5118b2a3db035629559aecf86f3652946c8127cdb595683",
        "I2_S, bb3acc64d0b19ff375c40cb3b9478612a5229d7c7c0a8d333b9eedb139d744b3",
        "Q2_K, 9274a64bb162d2dda900aa85cef19c5749f28c78e1b68e6b8e4881ecc47bcfe6",
        "Q4_0, f1cebfdd5e9336ab38ac1e7e7c193cb5b25f440714750ca35a2467f6ef062c18",
        "Q8_0, eb969d4fba51ac85e187bf556616747ffa841c01d21a909ff21d76a015f59b37",
        "F16, 93945bf4172b9581abca641fab4232e54f301ee1ca7af214db4a2f253a305cfb",
        "BF16, bada4f4651810c99886669db94f768ab2d72c9b5fc1fd9db347ffd3b8ee3c528",
        "F32, 2447681617b59eabb7f7d9262072641b350f73ed6c19149c94dc38a40377d5f1"
    })
    void givesTheBytesOfTheReferenceQuantizers(Outtype outtype, String sha256) throws Exception {
        MemorySegment bytes = encode(outtype, golden());
        assertThat(sha256(bytes)).isEqualTo(sha256);
    }

    /** One block by hand: a single +1 (code 2) or -1 (code 0) among zeros (code 1), at every column. */
    @Test
    void placesEveryColumnAsTheFormatsSay() {
        for (int column = 0; column < 256; column++) {
            for (int t = -1; t <= 1; t += 2) {
                byte[] values = new byte[256];
                values[column] = (byte) t;
                TernaryMatrix matrix = new TernaryMatrix(1, 256, values, 1f);

                byte[] i2s = encode(Outtype.I2_S, matrix).toArray(ValueLayout.JAVA_BYTE);
                int byteOf = column / 128 * 32 + column % 32;
                assertThat(i2s[byteOf] & 0xFF).isEqualTo(0x55 + (t << 6 - 2 * (column % 128 / 32)));

                byte[] tq2 = encode(Outtype.TQ2_0, matrix).toArray(ValueLayout.JAVA_BYTE);
                assertThat(tq2[byteOf] & 0xFF).isEqualTo(0x55 + (t << 2 * (column % 128 / 32)));

                byte[] tq1 = encode(Outtype.TQ1_0, matrix).toArray(ValueLayout.JAVA_BYTE);
                int tritByte;
                int trit;
                if (column < 160) {
                    tritByte = column % 32;
                    trit = column / 32;
                } else if (column < 240) {
                    tritByte = 32 + (column - 160) % 16;
                    trit = (column - 160) / 16;
                } else {
                    tritByte = 48 + (column - 240) % 4;
                    trit = (column - 240) / 4;
                }
                int[] power = {81, 27, 9, 3, 1};
                int v = (column < 240 ? 121 : 120) + t * power[trit];
                assertThat(tq1[tritByte] & 0xFF).isEqualTo((int) Math.ceil(v * 256 / 243.0));

                requireOthersUntouched(i2s, 64, byteOf, 0x55);
                requireOthersUntouched(tq2, 64, byteOf, 0x55);
                requireOthersUntouched(tq1, 48, tritByte, 128); // ceil(121 * 256 / 243)
            }
        }
        assertThat(encode(Outtype.TQ1_0, new TernaryMatrix(1, 256, new byte[256], 1f)).asSlice(52).toArray(ValueLayout.JAVA_BYTE))
                .containsExactly(0x00, 0x3C);
    }

    private static void requireOthersUntouched(byte[] bytes, int count, int touched, int zero) {
        for (int i = 0; i < count; i++) {
            if (i != touched) {
                assertThat(bytes[i] & 0xFF).isEqualTo(zero);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Outtype.class)
    void everyMatrixComesBackExactly(Outtype outtype) {
        Random random = new Random(7);
        for (int round = 0; round < 60; round++) {
            boolean tiled = outtype.lutFormat().isPresent();
            int unit = tiled ? 96 : outtype.type().blockSize();
            int rows = (1 + random.nextInt(20)) * (tiled ? 32 : 1);
            int cols = unit * (1 + random.nextInt(unit == 1 ? 700 : 5));
            TernaryCodec codec = TestTiles.codec(outtype, rows, cols);
            TernaryMatrix matrix = random(random, rows, cols, codec.storedScale(0.001f + random.nextFloat()));
            TernaryMatrix back = codec.decode(encode(outtype, matrix), rows, cols, WHERE);
            assertThat(back.values()).isEqualTo(matrix.values());
            assertThat(back.scale()).isEqualTo(matrix.scale());
        }
    }

    @ParameterizedTest
    @EnumSource(Outtype.class)
    void packsIntoTheRunTimeLayoutInAnyRanges(Outtype outtype) {
        Random random = new Random(11);
        int rows = outtype.lutFormat().isPresent() ? 32 : 7;
        int[] widths = switch (outtype.type().blockSize()) {
            case 1 -> new int[] {1, 31, 127, 128, 129, 200, 768};
            case 32 -> new int[] {32, 64, 96, 128, 160, 768};
            default -> new int[] {256, 768};
        };
        for (int cols : widths) {
            TernaryCodec codec = TestTiles.codec(outtype, rows, cols);
            TernaryMatrix matrix = random(random, rows, cols, codec.storedScale(0.37f));
            MemorySegment in = encode(outtype, matrix);
            long size = rows * TernaryWeights.rowBytes(cols);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment whole = arena.allocate(size).fill((byte) 0xFF);
                MemorySegment parts = arena.allocate(size).fill((byte) 0xFF);
                assertThat(codec.pack(in, rows, cols, whole, WHERE)).isEqualTo(matrix.scale());
                MemorySegment rest = parts.asSlice(3 * TernaryWeights.rowBytes(cols));
                assertThat(codec.pack(in, rows, cols, 3, rows, rest, WHERE)).isEqualTo(matrix.scale());
                assertThat(codec.pack(in, rows, cols, 0, 3, parts, WHERE)).isEqualTo(matrix.scale());
                assertThat(parts.mismatch(whole)).isEqualTo(-1);
                for (int row = 0; row < rows; row++) {
                    for (int column = 0; column < TernaryWeights.rowBytes(cols) * 4; column++) {
                        long at = row * TernaryWeights.rowBytes(cols) + column / 128 * 32 + column % 32;
                        int code = whole.get(ValueLayout.JAVA_BYTE, at) >> 6 - 2 * (column % 128 / 32) & 3;
                        int t = column < cols ? matrix.values()[row * cols + column] : 0;
                        assertThat(code - 1).isEqualTo(t);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Outtype.class)
    void matricesOfZerosComeBack(Outtype outtype) {
        TernaryCodec codec = TestTiles.codec(outtype, 32, 256);
        TernaryMatrix zeros = new TernaryMatrix(32, 256, new byte[32 * 256], 1e-5f);
        TernaryMatrix back = codec.decode(encode(outtype, zeros), 32, 256, WHERE);
        assertThat(back.values()).containsOnly(0);
    }

    /** As a file of floats has it, from which no other scale of zeros can be read. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void matricesOfZerosNeedNoScale(Outtype outtype) {
        TernaryCodec codec = TestTiles.codec(outtype, 32, 256);
        TernaryMatrix back = codec.decode(
                encode(outtype, new TernaryMatrix(32, 256, new byte[32 * 256], 0)), 32, 256, WHERE);
        assertThat(back.values()).containsOnly(0);
        assertThat(back.scale()).isZero();

        byte[] one = new byte[32 * 256];
        one[5000] = 1;
        TernaryMatrix lost = new TernaryMatrix(32, 256, one, 0);
        boolean products = List.of(Outtype.Q2_K, Outtype.Q4_0, Outtype.Q8_0, Outtype.F16, Outtype.BF16, Outtype.F32)
                .contains(outtype);
        assertThat(outtype.scaleObstacle(0).isPresent()).isEqualTo(products);
        if (products) {
            assertThatThrownBy(() -> encode(outtype, lost))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the scale 0.0 cannot be told");
        } else {
            assertThat(codec.decode(encode(outtype, lost), 32, 256, WHERE).values()).isEqualTo(one);
        }
    }

    @Test
    void theScaleIsRoundedToTheType() {
        assertThat(Outtype.I2_S.codec().storedScale(SCALE)).isEqualTo(SCALE);
        assertThat(Outtype.F32.codec().storedScale(SCALE)).isEqualTo(SCALE);
        assertThat(Outtype.TQ1_0.codec().storedScale(SCALE)).isEqualTo(0x1.60cp-5f);
        assertThat(Outtype.F16.codec().storedScale(SCALE)).isEqualTo(0x1.60cp-5f);
        assertThat(Outtype.BF16.codec().storedScale(SCALE)).isEqualTo(0x1.60p-5f);
    }

    @Test
    void scalesOutOfRangeAreTold() {
        for (Outtype outtype : new Outtype[] {
            Outtype.TQ1_0, Outtype.TQ2_0, Outtype.Q2_K, Outtype.Q4_0, Outtype.Q8_0, Outtype.F16
        }) {
            TernaryCodec codec = outtype.codec();
            assertThat(codec.scaleObstacle(70_000f)).get().asString().contains("Infinity");
            assertThat(codec.scaleObstacle(1e-9f)).get().asString().contains("0.0");
            assertThat(codec.scaleObstacle(1e-5f)).isEmpty();
            TernaryMatrix huge = new TernaryMatrix(1, 256, new byte[256], 70_000f);
            assertThatThrownBy(() -> encode(outtype, huge)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(Outtype.BF16.codec().scaleObstacle(Float.MAX_VALUE)).isPresent();
        assertThat(Outtype.F32.codec().scaleObstacle(-1f)).isPresent();
        assertThat(Outtype.Q8_0.codec().scaleObstacle(-1f)).isPresent();
        assertThat(Outtype.Q2_K.codec().scaleObstacle(0f)).isPresent();
        assertThat(Outtype.TQ2_0.codec().scaleObstacle(-1f)).isEmpty();
        assertThat(Outtype.I2_S.codec().scaleObstacle(Float.MAX_VALUE)).isEmpty();
    }

    @Test
    void dimensionsThatDoNotFitAreTold() {
        assertThat(Outtype.TQ1_0.codec().obstacle(4, 576)).get().asString().contains("576").contains("256");
        assertThat(Outtype.TQ2_0.codec().obstacle(4, 128)).isPresent();
        assertThat(Outtype.I2_S.codec().obstacle(4, 192)).isPresent();
        assertThat(Outtype.I2_S.codec().obstacle(4, 640)).isEmpty();
        assertThat(Outtype.F16.codec().obstacle(4, 17)).isEmpty();
        assertThat(Outtype.TL1.obstacle(40, 256)).get().asString().contains("40 rows");
        assertThat(Outtype.TL2.obstacle(32, 72)).isEmpty();
        assertThat(Outtype.TL2.obstacle(32, 40)).get().asString().contains("40 columns");
        assertThatThrownBy(Outtype.TL2::codec).isInstanceOf(IllegalStateException.class);
        GgufTensor q4 = new GgufTensor("w", GgmlType.Q4_1, new long[] {32, 1}, 0, 20);
        assertThat(TernaryCodec.of(q4, LutTiles.none())).isEmpty();
        assertThat(TernaryCodec.supports(GgmlType.Q4_1)).isFalse();
        assertThat(Outtype.Q2_K.codec().obstacle(4, 128)).isPresent();
        assertThat(Outtype.Q8_0.codec().obstacle(4, 48)).isPresent();
        assertThat(Outtype.Q4_0.codec().obstacle(4, 96)).isEmpty();
    }

    @Test
    void code3IsRefusedWithItsPlace() {
        TernaryMatrix matrix = golden();
        MemorySegment i2s = encode(Outtype.I2_S, matrix);
        long at = 3 * 192 + 2 * 32 + 5; // row 3, group 2, byte 5
        i2s.set(ValueLayout.JAVA_BYTE, at, (byte) (i2s.get(ValueLayout.JAVA_BYTE, at) | 0b1100));
        assertThatThrownBy(() -> Outtype.I2_S.codec().decode(i2s, 5, 768, WHERE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(WHERE)
                .hasMessageContaining("row 3, column " + (2 * 128 + 64 + 5) + " holds the code 3");
        assertThatThrownBy(() -> Outtype.I2_S.codec().check(i2s, 5, 768, WHERE)).isInstanceOf(InputException.class);

        MemorySegment tq2 = encode(Outtype.TQ2_0, matrix);
        tq2.set(ValueLayout.JAVA_BYTE, 66L * 4 + 63, (byte) 0xFF);
        assertThatThrownBy(() -> Outtype.TQ2_0.codec().decode(tq2, 5, 768, WHERE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("block 1 of row 1");
    }

    /** 243 of 256 byte values encode five trits, 81 encode four; decoding the others silently would hide damage. */
    @Test
    void everyByteOfTq1IsEitherDecodedOrRefused() {
        boolean[] five = new boolean[256];
        boolean[] four = new boolean[256];
        for (int v = 0; v < 243; v++) {
            five[(int) Math.ceil(v * 256 / 243.0)] = true;
            four[(int) Math.ceil(v * 256 / 243.0)] = v % 3 == 0;
        }
        TernaryCodec codec = Outtype.TQ1_0.codec();
        MemorySegment block = encode(Outtype.TQ1_0, new TernaryMatrix(1, 256, new byte[256], 1f));
        for (int place : new int[] {0, 15, 16, 31, 32, 47, 48, 51}) {
            for (int value = 0; value < 256; value++) {
                MemorySegment damaged = MemorySegment.ofArray(block.toArray(ValueLayout.JAVA_BYTE));
                damaged.set(ValueLayout.JAVA_BYTE, place, (byte) value);
                if (place < 48 ? five[value] : four[value]) {
                    TernaryMatrix back = codec.decode(damaged, 1, 256, WHERE);
                    assertThat(encode(Outtype.TQ1_0, back).mismatch(damaged)).isEqualTo(-1);
                } else {
                    assertThatThrownBy(() -> codec.decode(damaged, 1, 256, WHERE)).isInstanceOf(InputException.class);
                }
            }
        }
    }

    /** ggml's quantizer stores scale 0 for blocks of zeros; anything else that differs was no ternary matrix. */
    @ParameterizedTest
    @EnumSource(names = {"TQ1_0", "TQ2_0"})
    void blockScalesMustAgreeExceptInBlocksOfZeros(Outtype outtype) {
        TernaryCodec codec = outtype.codec();
        int blockBytes = codec.type().blockBytes();
        TernaryMatrix matrix = golden();
        Arrays.fill(matrix.values(), 0, 512, (byte) 0);
        MemorySegment bytes = encode(outtype, matrix);
        setScale(bytes, blockBytes, 0, 0f);
        setScale(bytes, blockBytes, 1, 0f);
        TernaryMatrix back = codec.decode(bytes, 5, 768, WHERE);
        assertThat(back.values()).isEqualTo(matrix.values());
        assertThat(back.scale()).isEqualTo(codec.storedScale(SCALE));

        setScale(bytes, blockBytes, 7, 0.05f);
        assertThatThrownBy(() -> codec.decode(bytes, 5, 768, WHERE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("different scales")
                .hasMessageContaining("block 1 of row 2");
        setScale(bytes, blockBytes, 7, Float.NaN);
        assertThatThrownBy(() -> codec.decode(bytes, 5, 768, WHERE)).isInstanceOf(InputException.class);
        setScale(bytes, blockBytes, 0, Float.POSITIVE_INFINITY);
        assertThatThrownBy(() -> codec.decode(bytes, 5, 768, WHERE)).hasMessageContaining("not finite");
    }

    private static void setScale(MemorySegment bytes, int blockBytes, int block, float scale) {
        bytes.set(ValueLayout.JAVA_SHORT_UNALIGNED, (long) block * blockBytes + blockBytes - 2, Float.floatToFloat16(scale));
    }

    @Test
    void floatsThatAreNotTernaryAreRefused() {
        float[] weights = {0f, -0f, 0.5f, -0.5f, 0.25f, 0f};
        assertThatThrownBy(() -> Outtype.F32.codec().decode(MemorySegment.ofArray(weights), 2, 3, WHERE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("ordinary floats")
                .hasMessageContaining("0.25 in row 1, column 1");
        weights[4] = -0f;
        assertThat(Outtype.F32.codec().decode(MemorySegment.ofArray(weights), 2, 3, WHERE).values())
                .containsExactly(0, 0, 1, -1, 0, 0);
        weights[2] = Float.NaN;
        assertThatThrownBy(() -> Outtype.F32.codec().decode(MemorySegment.ofArray(weights), 2, 3, WHERE))
                .hasMessageContaining("NaN");
        MemorySegment i2s = encode(Outtype.I2_S, golden());
        i2s.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 5 * 192, Float.NaN);
        assertThatThrownBy(() -> Outtype.I2_S.codec().scale(i2s, 5, 768, WHERE)).hasMessageContaining("finite scale");
    }

    /** Damaged bytes give a matrix or an InputException, never anything else; and what decodes is ternary. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void damagedBytesGiveAMatrixOrAnInputException(Outtype outtype) {
        Random random = new Random(5);
        int rows = outtype.lutFormat().isPresent() ? 32 : 5;
        TernaryCodec codec = TestTiles.codec(outtype, rows, 768);
        byte[] good = encode(outtype, generated(rows)).toArray(ValueLayout.JAVA_BYTE);
        int refused = 0;
        for (int round = 0; round < 500; round++) {
            byte[] damaged = good.clone();
            for (int changes = random.nextInt(4); changes >= 0; changes--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            try {
                TernaryMatrix matrix = codec.decode(MemorySegment.ofArray(damaged), rows, 768, WHERE);
                for (byte t : matrix.values()) {
                    assertThat(t).isBetween((byte) -1, (byte) 1);
                }
            } catch (InputException e) {
                assertThat(e).hasMessageContaining(WHERE);
                refused++;
            }
        }
        assertThat(refused).isPositive();
    }

    @Test
    void bfloat16RoundsToNearestEven() {
        assertThat(Bfloat16.of(1f)).isEqualTo((short) 0x3F80);
        assertThat(Bfloat16.of(0x1.01p0f)).isEqualTo((short) 0x3F80); // a tie: to even
        assertThat(Bfloat16.of(0x1.03p0f)).isEqualTo((short) 0x3F82);
        assertThat(Bfloat16.of(0x1.0101p0f)).isEqualTo((short) 0x3F81);
        assertThat(Bfloat16.of(Float.MAX_VALUE)).isEqualTo((short) 0x7F80);
        assertThat(Bfloat16.toFloat(Bfloat16.of(Float.intBitsToFloat(0x7F800001)))).isNaN();
        assertThat(Bfloat16.of(-0f)).isEqualTo((short) 0x8000);
    }

    @Test
    void outtypesAreFoundByLabel() {
        assertThat(Outtype.parse("TQ1_0")).isEqualTo(Outtype.TQ1_0);
        assertThat(Outtype.parse("i2_s")).isEqualTo(Outtype.I2_S);
        assertThatThrownBy(() -> Outtype.parse("q9"))
                .hasMessageContaining("i2_s, tq1_0, tq2_0, tl1, tl2, q2_k, q4_0, q8_0, f16, bf16, f32");
    }

    /** The numbers by which llama.cpp and bitnet.cpp know a tensor's type, and a file's. */
    @ParameterizedTest
    @CsvSource({
        "I2_S, 36, 40", "TQ1_0, 34, 36", "TQ2_0, 35, 37", "TL1, 38, 38", "TL2, 39, 39",
        "Q2_K, 10, 10", "Q4_0, 2, 2", "Q8_0, 8, 7", "F16, 1, 1", "BF16, 30, 32", "F32, 0, 0"
    })
    void outtypesHaveTheNumbersOfOtherPrograms(Outtype outtype, int tensorType, int fileType) {
        assertThat(outtype.type().id()).isEqualTo(tensorType);
        assertThat(outtype.fileType()).isEqualTo(fileType);
    }

    private static TernaryMatrix random(Random random, int rows, int cols, float scale) {
        byte[] values = new byte[rows * cols];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) (random.nextInt(3) - 1);
        }
        values[random.nextInt(values.length)] = 1;
        return new TernaryMatrix(rows, cols, values, scale);
    }

    private static MemorySegment encode(Outtype outtype, TernaryMatrix matrix) {
        TernaryCodec codec = TestTiles.codec(outtype, matrix.rows(), matrix.cols());
        byte[] bytes = new byte[Math.toIntExact(codec.byteSize(matrix.rows(), matrix.cols()))];
        Arrays.fill(bytes, (byte) 0xEE);
        codec.encode(matrix, MemorySegment.ofArray(bytes));
        return MemorySegment.ofArray(bytes);
    }

    private static String sha256(MemorySegment bytes) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.toArray(ValueLayout.JAVA_BYTE));
        return HexFormat.of().formatHex(digest);
    }
}
