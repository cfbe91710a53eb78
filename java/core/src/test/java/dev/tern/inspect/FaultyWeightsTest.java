package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The trained model as faulty converters would have written its weights: each fault is recognised, and none else alleged. */
class FaultyWeightsTest extends FaultyModel {
    // Layouts, each written as its own writer does: bytes from T, with no regard to how Tern reads them.

    @Test
    void sequentialI2s() {
        assertOnly(FindingKind.I2S_SEQUENTIAL, i2s(m -> {
            byte[] bytes = new byte[m.values().length / 4];
            for (int i = 0; i < m.values().length; i++) {
                bytes[i / 4] |= (byte) (m.values()[i] + 1 << 2 * (i % 4));
            }
            return bytes;
        }));
    }

    @Test
    void neonI2s() {
        assertOnly(FindingKind.I2S_NEON, i2s(m -> {
            byte[] bytes = new byte[m.values().length / 4];
            for (int i = 0; i < m.values().length; i++) {
                bytes[i / 64 * 16 + i % 16] |= (byte) (m.values()[i] + 1 << 6 - 2 * (i % 64 / 16));
            }
            return bytes;
        }));
    }

    @Test
    void fourRowsI2s() {
        assertOnly(FindingKind.I2S_FOUR_ROWS, i2s(m -> {
            byte[] bytes = new byte[m.values().length / 4];
            for (int r = 0; r < m.rows(); r++) {
                for (int k = 0; k < m.cols(); k++) {
                    bytes[r / 4 * m.cols() + k] |= (byte) (m.values()[r * m.cols() + k] + 1 << 6 - 2 * (r % 4));
                }
            }
            return bytes;
        }));
    }

    /** Packed row j holds rows j, j+N/4, ...; a converter that thinks it holds 4j, 4j+1, ... puts row j + i*N/4 at 4j + i. */
    @ParameterizedTest
    @ValueSource(strings = {"I2_S", "TQ2_0"})
    void rowsUnpackedInTheWrongInterleave(String outtype) {
        assertOnly(FindingKind.PACKED_INTERLEAVE, matrices(Outtype.valueOf(outtype), (name, m) -> rows(m, target -> {
            int j = target / 4;
            int i = target % 4;
            return j + i * m.rows() / 4;
        })));
    }

    @Test
    void queriesAndKeysPermutedForLlama() {
        // llama.cpp's permute: reshape(heads, 2, dim / 2, cols).swapaxes(1, 2)
        assertOnly(FindingKind.ROPE_ORDER, matrices(Outtype.I2_S, (name, m) -> rotated(name) ? rows(m, target -> {
            int in = target % 64;
            return target - in + in % 2 * 32 + in / 2;
        }) : m));
    }

    @Test
    void scalesStoredAsTheirReciprocals() {
        assertOnly(FindingKind.SCALE_INVERTED, matrices(
                Outtype.I2_S, (name, m) -> new TernaryMatrix(m.rows(), m.cols(), m.values(), 1 / m.scale())));
    }

    /** A converter that divides by weight_scale in one code path only. */
    @Test
    void someScalesStoredAsTheirReciprocals() {
        assertOnly(FindingKind.SCALE_INVERTED, matrices(Outtype.TQ1_0, (name, m) -> name.contains("output") || name.contains("down")
                ? new TernaryMatrix(m.rows(), m.cols(), m.values(), 1 / m.scale())
                : m));
    }

    @Test
    void theWrongActivation() {
        TestGguf silu = tiny(Outtype.TQ1_0);
        silu.metadata.put("bitnet-b1.58.hidden_activation", GgufValue.of("silu"));
        assertOnly(FindingKind.ACTIVATION_MISMATCH, silu);
    }

    @Test
    void theArchitectureThatMeansSilu() {
        TestGguf bitnet = tiny(Outtype.TQ1_0);
        rename(bitnet, "bitnet");
        assertOnly(FindingKind.ACTIVATION_MISMATCH, bitnet);
        bitnet.metadata.put("bitnet.hidden_activation", GgufValue.of("relu2"));
        assertThat(alarms(inspect(bitnet))).isEmpty();
        assertThat(inspect(bitnet).findings()).anyMatch(f -> f.kind() == FindingKind.READERS && f.text().contains("SiLU"));
    }

    @Test
    void shuffledWeightsPassForUntrained() {
        Random random = new Random(3);
        Inspection found = inspect(matrices(Outtype.I2_S, (name, m) -> {
            byte[] values = m.values().clone();
            for (int i = values.length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                byte swapped = values[i];
                values[i] = values[j];
                values[j] = swapped;
            }
            return new TernaryMatrix(m.rows(), m.cols(), values, m.scale());
        }));
        assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.UNTRAINED);
        assertThat(found.broken()).isFalse();
        assertThat(found.probe().trials()).hasSize(7).noneMatch(Inspection.ProbeFacts.Trial::better);
    }

    @Test
    void aGoodModelIsRunOnceForEachThingThatCannotBeSeen() {
        Inspection found = inspect(tiny(Outtype.I2_S));
        assertThat(alarms(found)).isEmpty();
        assertThat(found.probe().negativeLogLikelihood()).isBetween(0.3 * found.probe().chance(), 0.6 * found.probe().chance());
        assertThat(found.probe().trials()).hasSize(3).noneMatch(Inspection.ProbeFacts.Trial::better);
        Inspection unprobed = Inspector.inspect(folder.resolve("m.gguf"), new Inspector.Options(null, false, text -> {}));
        assertThat(unprobed.probe()).isNull();
    }

    // Quantizers

    /** bitnet.cpp's quantizer on continuous weights: s = max|W|, the sign of everything that is not tiny. */
    @Test
    void i2sMadeOfContinuousWeights() {
        assertOnly(FindingKind.SIGN_QUANTIZED, masters(Outtype.I2_S, w -> {
            float max = 0;
            for (float x : w) {
                max = Math.max(max, Math.abs(x));
            }
            float[] signs = new float[w.length];
            for (int i = 0; i < w.length; i++) {
                signs[i] = Math.abs(w[i]) < 1e-6f ? 0 : Math.signum(w[i]) * max;
            }
            return signs;
        }));
    }

    /** llama-quantize on continuous weights: in each block of 256 d = fp16(max|W|), round(W / d) half away from zero. */
    @Test
    void tq2MadeOfContinuousWeights() {
        TestGguf gguf = tiny(Outtype.TQ2_0);
        forMasters((tensor, w) -> {
            ByteBuffer out = ByteBuffer.allocate(w.length / 256 * 66).order(ByteOrder.LITTLE_ENDIAN);
            for (int block = 0; block < w.length; block += 256) {
                float max = 0;
                for (int i = 0; i < 256; i++) {
                    max = Math.max(max, Math.abs(w[block + i]));
                }
                for (int half = 0; half < 2; half++) {
                    for (int m = 0; m < 32; m++) {
                        int packed = 0;
                        for (int l = 0; l < 4; l++) {
                            float x = w[block + 128 * half + m + 32 * l] / max;
                            int digit = (int) (Math.signum(x) * Math.floor(Math.abs(x) + 0.5f));
                            packed |= digit + 1 << 2 * l;
                        }
                        out.put((byte) packed);
                    }
                }
                out.putShort(Float.floatToFloat16(max));
            }
            replace(gguf, tensor, GgmlType.TQ2_0, out.array());
        });
        assertOnly(FindingKind.BLOCK_REQUANTIZED, gguf);
    }

    /** Q4_0 of continuous weights: blocks of 32, fp16 d = max / -8, then 16 bytes of nibbles. */
    @Test
    void q4MadeOfContinuousWeights() {
        TestGguf gguf = tiny(Outtype.TQ2_0);
        forMasters((tensor, w) -> {
            replace(gguf, tensor, GgmlType.Q4_0, q4(w));
        });
        gguf.metadata.put("general.file_type", GgufValue.u32(2));
        assertOnly(FindingKind.BLOCK_REQUANTIZED, gguf);
    }

    private static byte[] q4(float[] w) {
        ByteBuffer out = ByteBuffer.allocate(w.length / 32 * 18).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < w.length; block += 32) {
            float max = 0;
            for (int i = 0; i < 32; i++) {
                max = Math.abs(w[block + i]) > Math.abs(max) ? w[block + i] : max;
            }
            float d = max / -8;
            out.putShort(Float.floatToFloat16(d));
            for (int i = 0; i < 16; i++) {
                int low = Math.min(15, (int) (w[block + i] / d + 8.5f));
                int high = Math.min(15, (int) (w[block + 16 + i] / d + 8.5f));
                out.put((byte) (low | high << 4));
            }
        }
        return out.array();
    }

    @Test
    void mastersStoredAsTheyAre() {
        TestGguf gguf = tiny(Outtype.F32);
        forMasters((tensor, w) -> replace(
                gguf, tensor, GgmlType.F32, MemorySegment.ofArray(w).toArray(ValueLayout.JAVA_BYTE)));
        assertOnly(FindingKind.CONTINUOUS_WEIGHTS, gguf);
    }

    /** A second absmean over T takes the density for the scale. */
    @Test
    void scalesLostInASecondQuantization() {
        assertOnly(FindingKind.SCALE_IS_DENSITY, matrices(Outtype.I2_S, (name, m) -> {
            int count = 0;
            for (byte t : m.values()) {
                count += Math.abs(t);
            }
            return new TernaryMatrix(m.rows(), m.cols(), m.values(), (float) count / m.values().length);
        }));
        assertOnly(FindingKind.SCALE_LOST, matrices(
                Outtype.TQ1_0, (name, m) -> new TernaryMatrix(m.rows(), m.cols(), m.values(), 1f)));
    }

    /** U8 [N/4, K] written as it lies, and the same bytes cast to floats. */
    @Test
    void packedMatricesThatWereNeverUnpacked() {
        for (GgmlType type : new GgmlType[] {GgmlType.I8, GgmlType.F32}) {
            TestGguf gguf = tiny(Outtype.I2_S);
            forEachMatrix((tensor, m) -> {
                int quarter = m.rows() / 4;
                byte[] packed = new byte[quarter * m.cols()];
                for (int r = 0; r < m.rows(); r++) {
                    for (int k = 0; k < m.cols(); k++) {
                        packed[r % quarter * m.cols() + k] |= (byte) (m.values()[r * m.cols() + k] + 1 << 2 * (r / quarter));
                    }
                }
                byte[] bytes = packed;
                if (type == GgmlType.F32) {
                    ByteBuffer floats = ByteBuffer.allocate(4 * packed.length).order(ByteOrder.LITTLE_ENDIAN);
                    for (byte b : packed) {
                        floats.putFloat(b & 0xFF);
                    }
                    bytes = floats.array();
                }
                gguf.tensors.put(tensor.name(), new TestGguf.Entry(type, new long[] {m.cols(), quarter}, bytes));
            });
            gguf.metadata.remove("general.file_type");
            Inspection found = inspect(gguf);
            assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.PACKED_NOT_UNPACKED);
            assertThat(found.findings()).anyMatch(f -> f.text().contains("expected 512, 512, got 512, 128"));
        }
    }

    /** An ordinary Llama is described and refused in words, whether or not ternary weights could be of its type. */
    @ParameterizedTest
    @EnumSource(names = {"Q2_K", "Q4_0", "Q4_K", "Q6_K", "Q8_0", "F32"})
    void anOrdinaryLlama(GgmlType type) {
        TestGguf gguf = ordinary("llama");
        forMasters((tensor, w) -> replace(gguf, tensor, type, blocks(type, w)));
        assertOnly(FindingKind.NOT_TERNARY, gguf);
        assertThat(inspect(gguf).findings().getFirst().text()).contains("not a ternary model").doesNotContain("86 %");
        TestGguf bitnet = tiny(Outtype.F32);
        forMasters((tensor, w) -> replace(bitnet, tensor, type, blocks(type, w)));
        bitnet.metadata.remove("general.file_type");
        assertOnly(type == GgmlType.F32 ? FindingKind.CONTINUOUS_WEIGHTS : FindingKind.BLOCK_REQUANTIZED, bitnet);
        assertThat(inspect(bitnet).findings().getFirst().text()).doesNotContain("86 %");
    }

    private TestGguf ordinary(String architecture) {
        TestGguf gguf = tiny(Outtype.F32);
        rename(gguf, architecture);
        gguf.tensors.keySet().removeIf(name -> name.endsWith("_sub_norm.weight"));
        gguf.metadata.remove("general.file_type");
        return gguf;
    }

    /**
     * Blocks of any type with a scale of their own: max|W| of the block as fp16 where the type has d, other bytes random.
     * Not what a quantizer writes, but no weights are read from it.
     */
    private static byte[] blocks(GgmlType type, float[] w) {
        if (type == GgmlType.F32) {
            return MemorySegment.ofArray(w).toArray(ValueLayout.JAVA_BYTE);
        }
        int size = type.blockSize();
        byte[] bytes = new byte[(int) type.bytes(w.length, 1)];
        new Random(w.length).nextBytes(bytes);
        int d = switch (type) {
            case Q2_K -> 80;
            case Q6_K -> 208;
            default -> 0;
        };
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int block = 0; block < w.length / size; block++) {
            float max = 0;
            for (int i = 0; i < size; i++) {
                max = Math.max(max, Math.abs(w[block * size + i]));
            }
            out.putShort(block * type.blockBytes() + d, Float.floatToFloat16(max));
            if (type == GgmlType.Q2_K || type == GgmlType.Q4_K) {
                out.putShort(block * type.blockBytes() + d + 2, Float.floatToFloat16(max / 2));
            }
        }
        return bytes;
    }

    /**
     * llama-quantize on ternary floats: Q4_0 with d = w / -8 for the first weight of largest magnitude, and the opposite
     * sign at 7/8. All scales are equal, and no code is invalid.
     */
    @Test
    void q4MadeOfTernaryFloats() {
        TestGguf gguf = tiny(Outtype.F32);
        forEachMatrix((tensor, m) -> {
            float[] w = new float[m.values().length];
            for (int i = 0; i < w.length; i++) {
                w[i] = m.values()[i] * m.scale();
            }
            replace(gguf, tensor, GgmlType.Q4_0, q4(w));
        });
        gguf.metadata.put("general.file_type", GgufValue.u32(2));
        assertOnly(FindingKind.BLOCK_REQUANTIZED, gguf);
        assertThat(inspect(gguf).findings().getFirst().text()).contains("28 matrices", "[Q4_0]");
    }

    /** A scale that is not finite is damage, not rounding. */
    @Test
    void blocksWithScalesThatAreNoNumbers() {
        TestGguf gguf = tiny(Outtype.Q8_0);
        ByteBuffer.wrap(gguf.tensors.get("blk.2.attn_v.weight").bytes())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(34 * 99, (short) 0x7E00);
        assertOnly(FindingKind.NOT_FINITE, gguf);
        TestGguf codes = tiny(Outtype.TQ2_0);
        codes.tensors.get("blk.2.attn_v.weight").bytes()[77] = (byte) 0xFF;
        assertOnly(FindingKind.INVALID_CODE, codes);
    }
}
