package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.TestGguf;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.convert.ConversionReport;
import dev.tern.convert.Converter;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufWriter;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.ProbeFacts;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryCounts;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class InspectorTest {
    private static final Path MODELS = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet");
    private static final int ROWS = 16;
    private static final int COLS = 256;

    @TempDir
    Path folder;

    /** What the outtype auto may write: each matrix in a type of its own. */
    @Test
    void aFileOfSeveralTypesIsDescribedLikeAnyOther() {
        TestGguf gguf;
        try (Checkpoint checkpoint = Checkpoint.open(MODELS.resolve("packed-u8"))) {
            gguf = TestGguf.of(checkpoint, Outtype.TQ1_0);
            checkpoint.tensors().stream()
                    .filter(tensor -> tensor.name().endsWith("ffn_down.weight"))
                    .forEach(tensor -> gguf.ternary(tensor.name(), Outtype.I2_S, checkpoint.readTernary(tensor)));
        }
        Inspection found = Inspector.inspect(gguf.write(folder.resolve("m.gguf")));
        assertThat(found.broken()).isFalse();
        assertThat(found.outtypes()).contains("i2_s", "tq1_0", "q4_0");
        assertThat(found.findings()).anyMatch(f -> f.kind() == FindingKind.READERS && f.text().contains("type 36"));
    }

    @ParameterizedTest
    @EnumSource(Outtype.class)
    void aGoodFileIsDescribedWithoutAlarm(Outtype outtype) {
        Path gguf = folder.resolve("m.gguf");
        ConversionReport report = Converter.from(MODELS.resolve("packed-u8")).outtype(outtype).to(gguf);
        Inspection found = Inspector.inspect(gguf);
        assertThat(found.findings()).allMatch(f -> f.kind() == FindingKind.READERS && f.severity() == Severity.NOTE);
        assertThat(found.broken()).isFalse();
        assertThat(found.probe().trials()).noneMatch(ProbeFacts.Trial::better);
        assertThat(found.outtypes()).contains(outtype.label());
        assertThat(found.kind()).isEqualTo(Inspection.Kind.GGUF);
        assertThat(found.architecture()).isEqualTo("bitnet-b1.58");
        assertThat(found.model()).isNotNull();
        assertThat(found.model().hiddenSize()).isEqualTo(512);
        assertThat(found.types().get(outtype.type().name()).tensors())
                .isEqualTo(outtype == Outtype.F32 ? 28 + 17 : outtype == Outtype.F16 ? 29 : 28);
        assertThat(found.ternary().tensors()).isEqualTo(28);
        assertThat(found.ternary().counts()).isEqualTo(report.tensors().stream()
                .filter(tensor -> tensor.ternary() != null)
                .map(tensor -> tensor.ternary().counts())
                .reduce(new TernaryCounts(0, 0, 0), TernaryCounts::plus));
        assertThat(found.tokenizer().tokens()).isEqualTo(4096);
        assertThat(found.tokenizer().bos()).isEqualTo("<|begin_of_text|>");
        assertThat(found.tokenizer().endTokens()).contains("<|end_of_text|>", "<|eot_id|>");
        assertThat(found.tokenizer().chatTemplate()).isTrue();
    }

    @Test
    void checkpointsAreDescribedToo() {
        Inspection online = Inspector.inspect(MODELS.resolve("online-bf16"));
        assertThat(online.kind()).isEqualTo(Inspection.Kind.CHECKPOINT);
        assertThat(online.format()).startsWith("online");
        assertThat(online.broken()).isFalse();
        assertThat(online.ternary().tensors()).isEqualTo(28);
        Inspection packed = Inspector.inspect(MODELS.resolve("packed-u8").resolve("model.safetensors"));
        assertThat(packed.format()).contains("packed", "is s");
        assertThat(packed.ternary().counts()).isEqualTo(online.ternary().counts());
        assertThat(packed.types().get("U8").bytes()).isEqualTo(12_058_624 / 4);
    }

    @Test
    void inspectionsBecomeJson() {
        JsonNode json = JsonMapper.builder().build().valueToTree(Inspector.inspect(MODELS.resolve("packed-u8")));
        assertThat(json.at("/ternary/counts/zero").longValue()).isPositive();
        assertThat(json.at("/model/hiddenSize").intValue()).isEqualTo(512);
        assertThat(json.at("/tensors/0/name").stringValue()).isEqualTo("token_embd.weight");
    }

    @Test
    void signInsteadOfAbsmeanIsRecognised() {
        assertThat(inspect(Outtype.I2_S, x -> x % 2 * 2 - 1, 0.3f, 0.4f, 0.5f))
                .anyMatch(f -> f.severity() == Severity.ERROR && f.text().contains("3 of 3") && f.text().contains("sign()"));
    }

    @Test
    void absmaxInsteadOfAbsmeanIsRecognised() {
        assertThat(inspect(Outtype.TQ1_0, x -> x % 10 == 0 ? 1 : 0, 0.3f, 0.4f, 0.5f))
                .anyMatch(f -> f.severity() == Severity.ERROR && f.text().contains("75 %"));
    }

    @Test
    void matricesOfZerosAreRecognised() {
        assertThat(inspect(Outtype.I2_S, x -> 0, 0.3f)).anyMatch(f -> f.text().contains("nothing but zeros"));
    }

    @Test
    void lostScalesAreRecognised() {
        assertThat(inspect(Outtype.I2_S, x -> x % 3 - 1, 1f, 1f, 1f)).anyMatch(f -> f.text().contains("Every scale is 1"));
        assertThat(inspect(Outtype.I2_S, x -> x % 3 - 1, 0.6667f, 0.667f, 0.666f))
                .anyMatch(f -> f.text().contains("quantized a second time"));
        assertThat(inspect(Outtype.I2_S, x -> x % 3 - 1, 0.01f, 0.02f, 200f))
                .anyMatch(f -> f.severity() == Severity.WARNING && f.text().contains("inverted"));
        assertThat(inspect(Outtype.I2_S, x -> x % 3 - 1, -0.1f)).anyMatch(f -> f.text().contains("not positive"));
        assertThat(inspect(Outtype.I2_S, x -> x % 3 - 1, 0.3f, 0.4f, 0.5f))
                .noneMatch(f -> f.text().contains("scale"));
    }

    @Test
    void missingPreTokenizerAndActivationAreRecognised() {
        List<Finding> findings = inspect(
                Map.of("general.architecture", GgufValue.of("bitnet"), "tokenizer.ggml.model", GgufValue.of("gpt2")),
                Outtype.I2_S, x -> x % 3 - 1, 0.3f);
        assertThat(findings).anyMatch(f -> f.text().contains("tokenizer.ggml.pre is missing") && !f.cure().isEmpty());
        assertThat(findings).anyMatch(f -> f.text().contains("SiLU is assumed"));
    }

    @Test
    void aWrongFileTypeIsRecognised() {
        assertThat(inspect(Map.of("general.file_type", GgufValue.u32(36)), Outtype.I2_S, x -> x % 3 - 1, 0.3f))
                .anyMatch(f -> f.text().contains("general.file_type is 36 (tq1_0)") && f.text().contains("[I2_S]"));
    }

    @Test
    void floatsThatAreNotTernaryAndForeignTypesAreRecognised() {
        Random random = new Random(1);
        MemorySegment continuous = MemorySegment.ofArray(new byte[4 * ROWS * COLS]);
        for (int i = 0; i < ROWS * COLS; i++) {
            continuous.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i, (float) random.nextGaussian());
        }
        Path floats = write("floats.gguf", Map.of(), GgmlType.F32, continuous);
        assertThat(Inspector.inspect(floats).findings())
                .anyMatch(f -> f.severity() == Severity.ERROR && f.text().contains("ordinary floats"));
        Path q5 = write("q5.gguf", Map.of(), GgmlType.Q5_1, MemorySegment.ofArray(new byte[ROWS * COLS / 32 * 24]));
        assertThat(Inspector.inspect(q5).findings())
                .anyMatch(f -> f.severity() == Severity.ERROR && f.text().contains("[Q5_1]"));
        byte[] continuous8 = new byte[ROWS * COLS / 32 * 34];
        continuous8[1] = 0x3C; // d = 1
        continuous8[2] = 100;
        continuous8[3] = 37;
        Path q8 = write("q8.gguf", Map.of(), GgmlType.Q8_0, MemorySegment.ofArray(continuous8));
        assertThat(Inspector.inspect(q8).findings())
                .anyMatch(f -> f.severity() == Severity.ERROR && f.text().contains("ordinary weights as Q8_0"));
    }

    @Test
    void invalidCodesAreRecognised() {
        byte[] codes = new byte[ROWS * COLS / 4 + 32];
        codes[0] = (byte) 0xC0;
        Path damaged = write("damaged.gguf", Map.of(), GgmlType.I2_S, MemorySegment.ofArray(codes));
        assertThat(Inspector.inspect(damaged).findings())
                .anyMatch(f -> f.text().contains("'blk.0.attn_q.weight'") && f.text().contains("code 3"));
    }

    @Test
    void whatIsNoModelIsRefused() throws Exception {
        Path text = Files.writeString(folder.resolve("x.txt"), "hello");
        assertThatThrownBy(() -> Inspector.inspect(text)).isInstanceOf(InputException.class);
        assertThatThrownBy(() -> Inspector.inspect(folder)).isInstanceOf(InputException.class);
    }

    private List<Finding> inspect(Outtype outtype, IntUnaryOperator weight, float... scales) {
        return inspect(Map.of(), outtype, weight, scales);
    }

    /** One projection of these weights a block, each with its scale. */
    private List<Finding> inspect(
            Map<String, GgufValue> metadata, Outtype outtype, IntUnaryOperator weight, float... scales) {
        byte[] values = new byte[ROWS * COLS];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) weight.applyAsInt(i);
        }
        MemorySegment[] data = new MemorySegment[scales.length];
        for (int i = 0; i < scales.length; i++) {
            data[i] = MemorySegment.ofArray(new byte[(int) outtype.codec().byteSize(ROWS, COLS)]);
            outtype.codec().encode(new TernaryMatrix(ROWS, COLS, values, scales[i]), data[i]);
        }
        return Inspector.inspect(write("m.gguf", metadata, outtype.type(), data)).findings();
    }

    private Path write(String name, Map<String, GgufValue> metadata, GgmlType type, MemorySegment... projections) {
        SequencedMap<String, GgufValue> all = new LinkedHashMap<>(metadata);
        all.putIfAbsent("general.architecture", GgufValue.of("bitnet-b1.58"));
        GgufLayout.Builder layout = GgufLayout.builder();
        all.forEach(layout::metadata);
        for (int i = 0; i < projections.length; i++) {
            layout.tensor("blk." + i + ".attn_q.weight", type, COLS, ROWS);
        }
        Path path = folder.resolve(name);
        try (AtomicFile file = AtomicFile.create(path, true)) {
            GgufWriter writer = new GgufWriter(layout.build(), file);
            for (int i = 0; i < projections.length; i++) {
                writer.write("blk." + i + ".attn_q.weight", projections[i]);
            }
            writer.finish();
            file.commit();
        }
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.tensors()).hasSize(projections.length);
        }
        return path;
    }
}
