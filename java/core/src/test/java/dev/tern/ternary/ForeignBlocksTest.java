package dev.tern.ternary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Ternary weights in blocks of Q2_K, Q4_0 and Q8_0 that others wrote, with other steps than Tern's. */
class ForeignBlocksTest {
    private static final String WHERE = "a.gguf: tensor 'w'";
    private static final float SCALE = 0.04307299107313156f;

    /** The matrix of the golden bytes, as floats. */
    private static float[] golden() {
        float[] w = new float[5 * 768];
        int x = 1;
        for (int i = 0; i < w.length; i++) {
            x = x * 1103515245 + 12345 & 0x7FFFFFFF;
            w[i] = ((x >> 16) % 3 - 1) * SCALE;
        }
        return w;
    }

    /** ggml's quantize_row_q8_0_ref, written down anew. */
    private static byte[] ggmlQ8(float[] w) {
        ByteBuffer out = ByteBuffer.allocate(w.length / 32 * 34).order(ByteOrder.LITTLE_ENDIAN);
        for (int b = 0; b < w.length; b += 32) {
            float largest = 0;
            for (int i = b; i < b + 32; i++) {
                largest = Math.max(largest, Math.abs(w[i]));
            }
            float d = largest / 127;
            out.putShort(Float.floatToFloat16(d));
            for (int i = b; i < b + 32; i++) {
                out.put((byte) Math.round(d == 0 ? 0 : w[i] * (1 / d))); // no value lies halfway
            }
        }
        return out.array();
    }

    /** ggml's quantize_row_q4_0_ref, written down anew. */
    private static byte[] ggmlQ4(float[] w) {
        ByteBuffer out = ByteBuffer.allocate(w.length / 32 * 18).order(ByteOrder.LITTLE_ENDIAN);
        for (int b = 0; b < w.length; b += 32) {
            float largest = 0;
            for (int i = b; i < b + 32; i++) {
                largest = Math.abs(w[i]) > Math.abs(largest) ? w[i] : largest;
            }
            float d = largest / -8;
            float inverse = d == 0 ? 0 : 1 / d;
            out.putShort(Float.floatToFloat16(d));
            for (int i = b; i < b + 16; i++) {
                int low = Math.min(15, (int) (w[i] * inverse + 8.5f));
                int high = Math.min(15, (int) (w[i + 16] * inverse + 8.5f));
                out.put((byte) (low | high << 4));
            }
        }
        return out.array();
    }

    /** The SHA-256 are those of what ggml (0.4.0) and gguf.quants.quantize (0.19) write for this matrix. */
    @Test
    void theQuantizersOfThisTestAreGgmls() throws Exception {
        assertThat(sha256(ggmlQ8(golden())))
                .isEqualTo("2946eca653d3b129dc3c54fa1b840049956b0fd8b9441a6e88660745cb2b0442");
        assertThat(sha256(ggmlQ4(golden())))
                .isEqualTo("904564de194b905ffacb3fc811c420ca348ea218593d57b207480add8e3c0a12");
    }

    /** T comes back, and s as ggml decodes it: fp16(s / 127) * 127. */
    @Test
    void ternaryWeightsThatGgmlMadeQ8AreRead() {
        float[] w = golden();
        Arrays.fill(w, 64, 128, 0f); // blocks of zeros, whose d is 0
        TernaryMatrix matrix = Outtype.Q8_0.codec().decode(MemorySegment.ofArray(ggmlQ8(w)), 5, 768, WHERE);
        assertThat(matrix.scale()).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(SCALE / 127)) * 127);
        for (int i = 0; i < w.length; i++) {
            assertThat(matrix.values()[i]).isEqualTo((byte) Math.signum(w[i]));
        }
    }

    /** ggml's rule for Q4_0 keeps one sign of a block; what it has made of the other is told. */
    @Test
    void ggmlsQ4IsReadWhereItIsNotLossy() {
        float[] w = golden();
        assertThatThrownBy(() -> Outtype.Q4_0.codec().decode(MemorySegment.ofArray(ggmlQ4(w)), 5, 768, WHERE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("ordinary weights as Q4_0")
                .hasMessageContaining("0.0376");
        for (int i = 0; i < w.length; i++) {
            w[i] = i / 32 % 2 == 0 ? Math.abs(w[i]) : -Math.abs(w[i]); // d of either sign
        }
        TernaryMatrix matrix = Outtype.Q4_0.codec().decode(MemorySegment.ofArray(ggmlQ4(w)), 5, 768, WHERE);
        assertThat(matrix.scale()).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(SCALE / 8)) * 8);
        for (int i = 0; i < w.length; i++) {
            assertThat(matrix.values()[i]).isEqualTo((byte) Math.signum(w[i]));
        }
    }

    /** Every weight of random blocks, computed as ggml does; only those that give three values are accepted. */
    @Test
    void whatValuesSayDecidesInQ4AndQ8() {
        Random random = new Random(3);
        int read = 0;
        for (int round = 0; round < 4000; round++) {
            boolean nibbles = round % 2 == 0;
            int k = 1 + random.nextInt(nibbles ? 7 : 127);
            float s = 0.5f * k;
            int bytes = nibbles ? 18 : 34;
            ByteBuffer in = ByteBuffer.allocate(3 * bytes).order(ByteOrder.LITTLE_ENDIAN);
            byte[] expected = new byte[96];
            for (int b = 0; b < 3; b++) {
                boolean minus = random.nextBoolean();
                in.putShort(b * bytes, Float.floatToFloat16(minus ? -0.5f : 0.5f));
                for (int i = 0; i < 32; i++) {
                    int t = random.nextInt(3) - 1;
                    expected[32 * b + i] = (byte) (minus ? -t : t);
                    int at = b * bytes + 2 + (nibbles ? i % 16 : i);
                    in.put(at, (byte) (nibbles ? in.get(at) | t * k + 8 << 4 * (i / 16) : t * k));
                }
            }
            int wrong = random.nextInt(96); // one weight of another value, or of the same
            int q = nibbles ? random.nextInt(-8, 8) : random.nextInt(-128, 128);
            int at = wrong / 32 * bytes + 2 + (nibbles ? wrong % 16 : wrong % 32);
            int shift = wrong % 32 / 16 * 4;
            in.put(at, (byte) (nibbles ? in.get(at) & ~(15 << shift) | q + 8 << shift : q));
            TernaryCodec codec = (nibbles ? Outtype.Q4_0 : Outtype.Q8_0).codec();
            MemorySegment segment = MemorySegment.ofArray(in.array());
            if (q == 0 || Math.abs(q) == k) {
                float d = Float.float16ToFloat(in.getShort(wrong / 32 * bytes));
                expected[wrong] = (byte) (Integer.signum(q) * Math.signum(d));
                TernaryMatrix matrix = codec.decode(segment, 1, 96, WHERE);
                assertThat(matrix.values()).isEqualTo(expected);
                assertThat(matrix.scale()).isEqualTo(s);
                read++;
            } else if (wrong > 0) { // the first weight may decide what s is
                assertThatThrownBy(() -> codec.decode(segment, 1, 96, WHERE))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("row 0, column");
            }
        }
        assertThat(read).isPositive();
    }

    /** One block of Q2_K by hand: sub-blocks whose scales and minima differ but whose weights are -1.5, 0 and 1.5. */
    @Test
    void q2BlocksWithOtherStepsAreRead() {
        byte[] block = new byte[84];
        ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN)
                .putShort(80, Float.floatToFloat16(0.5f))
                .putShort(82, Float.floatToFloat16(0.25f));
        int[][] meaning = new int[16][];
        for (int j = 0; j < 16; j++) {
            switch (j % 4) {
                case 0 -> {
                    block[j] = 0x63; // 1.5 q - 1.5
                    meaning[j] = new int[] {-1, 0, 1};
                }
                case 1 -> {
                    block[j] = 0x66; // 3 q - 1.5
                    meaning[j] = new int[] {-1, 1};
                }
                case 2 -> {
                    block[j] = 0x01; // 0.5 q
                    meaning[j] = new int[] {0, 2, 2, 1};
                }
                default -> {
                    block[j] = 0x61; // 0.5 q - 1.5
                    meaning[j] = new int[] {-1, 2, 2, 0};
                }
            }
        }
        Random random = new Random(9);
        byte[] expected = new byte[256];
        for (int i = 0; i < 256; i++) {
            int[] codes = meaning[i / 16];
            int q;
            do {
                q = random.nextInt(codes.length);
            } while (codes[q] == 2);
            expected[i] = (byte) codes[q];
            block[16 + i / 128 * 32 + i % 32] |= (byte) (q << i % 128 / 32 * 2);
        }
        TernaryCodec codec = Outtype.Q2_K.codec();
        TernaryMatrix matrix = codec.decode(MemorySegment.ofArray(block), 1, 256, WHERE);
        assertThat(matrix.values()).isEqualTo(expected);
        assertThat(matrix.scale()).isEqualTo(1.5f);

        int column = 2 * 16 + 5; // of a sub-block with steps of 0.5
        block[16 + 5] = (byte) (block[16 + 5] & ~(3 << 2) | 2 << 2); // q = 2: the value 1
        assertThat(column / 32).isEqualTo(1);
        assertThatThrownBy(() -> codec.decode(MemorySegment.ofArray(block), 1, 256, WHERE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("ordinary weights as Q2_K")
                .hasMessageContaining("1.0 in row 0, column " + column);
    }

    @Test
    void scalesThatDifferOrAreNotFiniteAreRefused() {
        for (Outtype outtype : new Outtype[] {Outtype.Q2_K, Outtype.Q4_0, Outtype.Q8_0}) {
            TernaryCodec codec = outtype.codec();
            byte[] values = new byte[1024];
            Arrays.fill(values, (byte) -1);
            byte[] bytes = new byte[Math.toIntExact(codec.byteSize(2, 512))];
            codec.encode(new TernaryMatrix(2, 512, values, 0.5f), MemorySegment.ofArray(bytes));
            int second = outtype.type().blockBytes() + (outtype == Outtype.Q2_K ? 80 : 0);
            for (float d : new float[] {0.25f, Float.NaN, Float.POSITIVE_INFINITY}) {
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putShort(second, Float.floatToFloat16(d));
                if (outtype == Outtype.Q2_K) {
                    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putShort(second + 2, Float.floatToFloat16(d));
                }
                assertThatThrownBy(() -> codec.decode(MemorySegment.ofArray(bytes), 2, 512, WHERE))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("row 0, column " + outtype.type().blockSize());
            }
        }
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
