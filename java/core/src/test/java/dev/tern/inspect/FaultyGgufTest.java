package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufValue;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryMatrix;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The trained model as faulty converters would have written it: each fault is recognised, and none else is alleged. */
class FaultyGgufTest {
    private static final Path MODELS = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet");

    @TempDir
    Path folder;

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
            replace(gguf, tensor, GgmlType.Q4_0, out.array());
        });
        gguf.metadata.put("general.file_type", GgufValue.u32(2));
        assertOnly(FindingKind.BLOCK_REQUANTIZED, gguf);
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

    // Tokenizer and metadata

    @Test
    void bosBakedIntoTokens() {
        TestGguf gguf = tiny(Outtype.I2_S);
        List<String> tokens = tokens(gguf);
        for (int id = 4080; id < tokens.size(); id++) {
            tokens.set(id, "<|begin_of_text|>" + tokens.get(id));
        }
        gguf.metadata.put("tokenizer.ggml.tokens", GgufValue.strings(tokens));
        assertThat(alarms(inspect(gguf))).extracting(Finding::kind).contains(FindingKind.BOS_BAKED_IN);
    }

    @Test
    void whatTokenizersLose() {
        TestGguf gguf = tiny(Outtype.I2_S);
        gguf.metadata.remove("tokenizer.ggml.pre");
        assertOnly(FindingKind.PRE_TOKENIZER_MISSING, gguf);

        TestGguf plain = tiny(Outtype.I2_S);
        plain.metadata.remove("tokenizer.chat_template");
        assertOnly(FindingKind.CHAT_TEMPLATE_MISSING, plain);

        TestGguf other = tiny(Outtype.I2_S);
        other.metadata.put("tokenizer.chat_template", GgufValue.of("{{ messages[0]['content'] }}<|im_end|>"));
        assertOnly(FindingKind.SPECIAL_TOKEN_MISSING, other);

        TestGguf none = tiny(Outtype.I2_S);
        none.metadata.keySet().removeIf(key -> key.startsWith("tokenizer."));
        assertOnly(FindingKind.TOKENIZER_MISSING, none);

        TestGguf shorter = tiny(Outtype.I2_S);
        shorter.metadata.put("tokenizer.ggml.tokens", GgufValue.strings(tokens(shorter).subList(0, 4090)));
        shorter.metadata.remove("tokenizer.ggml.token_type");
        assertThat(alarms(inspect(shorter))).extracting(Finding::kind).contains(FindingKind.VOCABULARY_MISMATCH);
    }

    @Test
    void whatMetadataLose() {
        TestGguf spelled = tiny(Outtype.I2_S);
        rename(spelled, "BitNetForCausalLM");
        assertOnly(FindingKind.ARCHITECTURE_SPELLING, spelled);

        TestGguf rotated = tiny(Outtype.I2_S);
        rotated.metadata.put("bitnet-b1.58.rope.dimension_count", GgufValue.u32(32));
        assertThat(alarms(inspect(rotated))).extracting(Finding::kind).contains(FindingKind.ROPE_DIMENSION);

        TestGguf type = tiny(Outtype.I2_S);
        type.metadata.put("general.file_type", GgufValue.u32(36));
        assertOnly(FindingKind.FILE_TYPE_MISMATCH, type);

        TestGguf wide = tiny(Outtype.I2_S);
        wide.metadata.put("bitnet-b1.58.attention.head_count", GgufValue.u32(4));
        wide.metadata.put("bitnet-b1.58.embedding_length", GgufValue.u32(1024));
        assertThat(alarms(inspect(wide))).extracting(Finding::kind).contains(FindingKind.SHAPE_MISMATCH);

        TestGguf missing = tiny(Outtype.I2_S);
        missing.metadata.remove("bitnet-b1.58.block_count");
        assertOnly(FindingKind.METADATA, missing);

        TestGguf activation = tiny(Outtype.I2_S);
        activation.metadata.put("bitnet-b1.58.hidden_activation", GgufValue.of("gelu"));
        assertOnly(FindingKind.ACTIVATION_MISMATCH, activation);
    }

    @Test
    void tensorsThatAreLostOrTooMany() {
        TestGguf norms = tiny(Outtype.I2_S);
        norms.tensors.keySet().removeIf(name -> name.endsWith("_sub_norm.weight"));
        assertOnly(FindingKind.SUB_NORMS_MISSING, norms);

        TestGguf lost = tiny(Outtype.I2_S);
        lost.tensors.remove("blk.3.ffn_down.weight");
        assertOnly(FindingKind.TENSORS_MISSING, lost);

        TestGguf more = tiny(Outtype.I2_S);
        more.floats("blk.0.attn_q.bias", new float[512], 512);
        assertOnly(FindingKind.TENSOR_UNUSED, more);

        TestGguf infinite = tiny(Outtype.I2_S);
        byte[] norm = infinite.tensors.get("blk.1.ffn_norm.weight").bytes();
        ByteBuffer.wrap(norm).order(ByteOrder.LITTLE_ENDIAN).putFloat(40, Float.NaN);
        assertOnly(FindingKind.NOT_FINITE, infinite);
        assertThat(inspect(infinite).findings()).anyMatch(f -> f.text().contains("blk.1.ffn_norm.weight' holds") && f.text().contains("column 10"));
    }

    // Files that cannot be opened

    @Test
    void offsetsThatLeaveOutTheScales() throws IOException {
        Path good = tiny(Outtype.I2_S).write(folder.resolve("good.gguf"));
        byte[] bytes = Files.readAllBytes(good);
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long drift = 0;
        try (var open = GgufFile.open(good)) {
            for (var tensor : open.tensors()) {
                byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
                int at = find(bytes, name) + name.length + 4 + 8 * tensor.dims().length + 4;
                file.putLong(at, tensor.offset() - drift);
                drift += tensor.type() == GgmlType.I2_S ? 32 : 0;
            }
        }
        Inspection found = Inspector.inspect(Files.write(folder.resolve("drift.gguf"), bytes));
        assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.OFFSET_DRIFT);
        assertThat(found.findings().getFirst().text()).contains("the bytes are there");
    }

    @Test
    void filesThatAreNotWhole() throws IOException {
        byte[] bytes = Files.readAllBytes(tiny(Outtype.I2_S).write(folder.resolve("good.gguf")));
        assertThat(kinds(Files.write(folder.resolve("half.gguf"), Arrays.copyOf(bytes, bytes.length / 2))))
                .containsExactly(FindingKind.TRUNCATED);
        assertThat(kinds(Files.write(folder.resolve("head.gguf"), Arrays.copyOf(bytes, 5000))))
                .containsExactly(FindingKind.DAMAGED);
        assertThat(kinds(Files.writeString(folder.resolve("lfs.gguf"),
                        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")))
                .containsExactly(FindingKind.LFS_POINTER);
        assertThat(kinds(Files.writeString(folder.resolve("page.gguf"), "<!DOCTYPE html><html><body>Sign in</body></html>")))
                .containsExactly(FindingKind.WEB_PAGE);
        assertThat(kinds(Files.copy(MODELS.resolve("packed-u8/model.safetensors"), folder.resolve("s.gguf"))))
                .containsExactly(FindingKind.NOT_GGUF);
    }

    @Test
    void typesThatOtherProgramsMean() throws IOException {
        TestGguf gguf = tiny(Outtype.I2_S);
        byte[] bytes = Files.readAllBytes(gguf.write(folder.resolve("good.gguf")));
        int at = find(bytes, "blk.0.attn_q.weight".getBytes(StandardCharsets.UTF_8)) + 19 + 4 + 16;
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, 37);
        Inspection found = Inspector.inspect(Files.write(folder.resolve("37.gguf"), bytes));
        assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.UNREADABLE_TYPE);
        assertThat(found.findings().getFirst().text()).contains("I8_S", "IQ4_NL_4_8");
    }

    /** IQ4_NL_4_4, which llama.cpp had under the number 36: 18 bytes for 32 weights. */
    @Test
    void type36OfAnotherProgram() throws IOException {
        TestGguf gguf = tiny(Outtype.I2_S);
        forEachMatrix((tensor, m) -> replace(gguf, tensor, GgmlType.IQ4_NL, new byte[m.values().length / 32 * 18]));
        byte[] bytes = Files.readAllBytes(gguf.write(folder.resolve("good.gguf")));
        ByteBuffer file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        forEachMatrix((tensor, m) -> {
            byte[] name = tensor.name().getBytes(StandardCharsets.UTF_8);
            file.putInt(find(bytes, name) + name.length + 4 + 16, 36);
        });
        Inspection found = Inspector.inspect(Files.write(folder.resolve("36.gguf"), bytes));
        assertThat(alarms(found)).extracting(Finding::kind).containsExactly(FindingKind.UNREADABLE_TYPE);
        assertThat(found.findings().getFirst().text()).contains("36", "IQ4_NL_4_4");
    }

    /** An ordinary Llama is described and refused in words. */
    @Test
    void anOrdinaryLlama() {
        TestGguf gguf = tiny(Outtype.F32);
        rename(gguf, "llama");
        gguf.tensors.keySet().removeIf(name -> name.endsWith("_sub_norm.weight"));
        forEachMatrix((tensor, m) -> replace(
                gguf, tensor, GgmlType.Q4_K, new byte[m.values().length / 256 * 144]));
        gguf.metadata.put("general.file_type", GgufValue.u32(15));
        assertOnly(FindingKind.NOT_TERNARY, gguf);
        assertThat(inspect(gguf).findings().getFirst().text()).contains("not a ternary model", "[Q4_K]");
    }

    // How faults are made

    private TestGguf tiny(Outtype outtype) {
        try (Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("packed-u8"))) {
            return TestGguf.of(checkpoint, outtype);
        }
    }

    private interface MatrixSink {
        void accept(CheckpointTensor tensor, TernaryMatrix matrix);
    }

    private void forEachMatrix(MatrixSink sink) {
        try (Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("packed-u8"))) {
            checkpoint.tensors().stream()
                    .filter(CheckpointTensor::ternary)
                    .forEach(tensor -> sink.accept(tensor, checkpoint.readTernary(tensor)));
        }
    }

    private interface MasterSink {
        void accept(CheckpointTensor tensor, float[] weights);
    }

    private void forMasters(MasterSink sink) {
        try (Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("online-bf16"))) {
            for (CheckpointTensor tensor : checkpoint.tensors()) {
                if (tensor.ternary()) {
                    float[] weights = new float[(int) tensor.elements()];
                    checkpoint.readFloats(tensor, 0, weights.length, MemorySegment.ofArray(weights));
                    sink.accept(tensor, weights);
                }
            }
        }
    }

    private static void replace(TestGguf gguf, CheckpointTensor tensor, GgmlType type, byte[] bytes) {
        gguf.tensors.put(
                tensor.name(), new TestGguf.Entry(type, new long[] {tensor.cols(), tensor.rows()}, bytes));
    }

    /** I2_S tensors whose codes are these bytes; the scale behind them is right. */
    private TestGguf i2s(Function<TernaryMatrix, byte[]> codes) {
        TestGguf gguf = tiny(Outtype.I2_S);
        forEachMatrix((tensor, m) -> {
            byte[] bytes = Arrays.copyOf(codes.apply(m), m.values().length / 4 + 32);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(m.values().length / 4, m.scale());
            replace(gguf, tensor, GgmlType.I2_S, bytes);
        });
        return gguf;
    }

    private interface Change {
        TernaryMatrix of(String name, TernaryMatrix matrix);
    }

    private TestGguf matrices(Outtype outtype, Change change) {
        TestGguf gguf = tiny(outtype);
        forEachMatrix((tensor, m) -> gguf.ternary(tensor.name(), outtype, change.of(tensor.name(), m)));
        return gguf;
    }

    /** Matrices of three values made of the masters by a quantizer. */
    private TestGguf masters(Outtype outtype, UnaryOperator<float[]> quantizer) {
        TestGguf gguf = tiny(outtype);
        forMasters((tensor, w) -> {
            float[] made = quantizer.apply(w);
            byte[] values = new byte[made.length];
            float scale = 0;
            for (int i = 0; i < made.length; i++) {
                values[i] = (byte) Math.signum(made[i]);
                scale = Math.max(scale, Math.abs(made[i]));
            }
            gguf.ternary(tensor.name(), outtype, new TernaryMatrix(tensor.rows(), tensor.cols(), values, scale));
        });
        return gguf;
    }

    private static boolean rotated(String name) {
        return name.endsWith("attn_q.weight") || name.endsWith("attn_k.weight");
    }

    private static TernaryMatrix rows(TernaryMatrix m, IntUnaryOperator source) {
        byte[] values = new byte[m.values().length];
        IntStream.range(0, m.rows()).forEach(target -> System.arraycopy(
                m.values(), source.applyAsInt(target) * m.cols(), values, target * m.cols(), m.cols()));
        return new TernaryMatrix(m.rows(), m.cols(), values, m.scale());
    }

    private static void rename(TestGguf gguf, String architecture) {
        String old = (String) gguf.metadata.get("general.architecture").value();
        List<String> keys = new ArrayList<>(gguf.metadata.keySet());
        for (String key : keys) {
            if (key.startsWith(old + ".")) {
                gguf.metadata.put(architecture + key.substring(old.length()), gguf.metadata.remove(key));
            }
        }
        gguf.metadata.put("general.architecture", GgufValue.of(architecture));
    }

    @SuppressWarnings("unchecked")
    private static List<String> tokens(TestGguf gguf) {
        return new ArrayList<>((List<String>) gguf.metadata.get("tokenizer.ggml.tokens").value());
    }

    private static int find(byte[] bytes, byte[] text) {
        for (int at = 0; ; at++) {
            if (Arrays.equals(bytes, at, at + text.length, text, 0, text.length)) {
                return at;
            }
        }
    }

    private Inspection inspect(TestGguf gguf) {
        return Inspector.inspect(gguf.write(folder.resolve("m.gguf")));
    }

    private static List<FindingKind> kinds(Path file) {
        return alarms(Inspector.inspect(file)).stream().map(Finding::kind).toList();
    }

    private static List<Finding> alarms(Inspection inspection) {
        return inspection.findings().stream().filter(f -> f.severity() != Severity.NOTE).toList();
    }

    private void assertOnly(FindingKind kind, TestGguf gguf) {
        List<Finding> found = alarms(inspect(gguf));
        assertThat(found).as("%s", found).extracting(Finding::kind).containsExactly(kind);
        assertThat(found.getFirst().cure()).isNotEmpty();
    }
}
