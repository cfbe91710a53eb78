package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.TestGguf;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.model.FfnActivation;
import dev.tern.model.GgufHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/** GGUF to GGUF. */
class RequantizeTest {
    private static final Path TESTDATA = Path.of(System.getProperty("tern.testdata"));
    private static final Path PACKED = TESTDATA.resolve("tiny-bitnet/packed-u8");

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    @BeforeAll
    static void convert() {
        for (Outtype outtype : Outtype.values()) {
            Converter.from(PACKED).outtype(outtype).to(file(outtype));
        }
    }

    private static Path file(Outtype outtype) {
        return shared.resolve(outtype.label() + ".gguf");
    }

    /** From every type into every other: T by the golden hashes, s as the source stores it, and no other byte lost. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void anyTypeBecomesAnyOther(Outtype from) throws Exception {
        JsonNode golden = JsonFile.read(TESTDATA.resolve("golden/ternary_stats.json")).get("packed-u8");
        for (Outtype to : Outtype.values()) {
            Path gguf = folder.resolve(to.label());
            ConversionReport report = Converter.from(file(from)).outtype(to).validate(true).to(gguf);
            assertThat(report.validation().problems()).as(from + " to " + to).isEmpty();
            try (GgufFile source = GgufFile.open(file(from)); GgufFile made = GgufFile.open(gguf)) {
                int compared = 0;
                for (GgufTensor tensor : source.tensors()) {
                    GgufTensor found = made.require(tensor.name());
                    JsonNode expected = golden.get(huggingFaceName(tensor.name()));
                    if (expected == null) {
                        assertThat(bytes(made, found)).isEqualTo(bytes(source, tensor));
                        continue;
                    }
                    TernaryMatrix before = decode(source, tensor);
                    TernaryMatrix after = decode(made, found);
                    assertThat(HexFormat.of()
                                    .formatHex(MessageDigest.getInstance("SHA-256").digest(after.values())))
                            .isEqualTo(expected.get("ternary_sha256").stringValue());
                    float rounded = codec(made, found).storedScale(before.scale());
                    assertThat(after.scale()).isEqualTo(rounded);
                    compared++;
                }
                assertThat(compared).isEqualTo(28);
                assertThat(made.requireInt("general.file_type")).isEqualTo(to.fileType());
            }
        }
    }

    private static String huggingFaceName(String name) {
        return name.replace("blk.", "model.layers.")
                .replace("attn_output", "self_attn.o_proj")
                .replaceAll("attn_([qkv])\\.", "self_attn.$1_proj.")
                .replaceAll("ffn_(gate|up|down)\\.", "mlp.$1_proj.");
    }

    private static byte[] bytes(GgufFile file, GgufTensor tensor) {
        return file.data(tensor).toArray(ValueLayout.JAVA_BYTE);
    }

    private static TernaryCodec codec(GgufFile file, GgufTensor tensor) {
        return TernaryCodec.of(tensor, LutTiles.ofGguf(file)).orElseThrow();
    }

    private static TernaryMatrix decode(GgufFile file, GgufTensor tensor) {
        return codec(file, tensor)
                .decode(file.data(tensor), (int) tensor.rows(), (int) tensor.cols(), tensor.name());
    }

    /** What was rounded to fp16 once is not rounded again; a type that keeps float32 gets it exactly. */
    @Test
    void thereAndBackGivesTheSameFile() throws Exception {
        Path there = folder.resolve("there.gguf");
        Path back = folder.resolve("back.gguf");
        for (Outtype outtype : Outtype.values()) {
            if (outtype != Outtype.TQ1_0) {
                Converter.from(file(Outtype.TQ1_0)).outtype(outtype).overwrite(true).to(there);
                Converter.from(there).outtype(Outtype.TQ1_0).overwrite(true).to(back);
                if (outtype != Outtype.BF16) { // whose scales have fewer digits than fp16's
                    assertThat(Files.mismatch(back, file(Outtype.TQ1_0))).as(outtype.label()).isEqualTo(-1);
                }
            }
        }
    }

    /** Also where the source has two types, and auto. */
    @Test
    void autoTakesTheSmallest() {
        ConversionPlan plan = Converter.from(file(Outtype.F32)).plan();
        assertThat(plan.outtype()).isEqualTo(Outtype.TQ1_0);
        assertThat(plan.format()).isNull();
        assertThat(plan.embeddingType()).isEqualTo(GgmlType.F16);
        assertThat(plan.notes()).anyMatch(note -> note.contains("outtype auto: tq1_0"));
    }

    @Test
    void metadataIsCarriedOverInOrderAndRenamedWithTheArchitecture() {
        TestGguf source = source(Outtype.I2_S);
        source.metadata.put("general.source.url", GgufValue.of("https://example.org"));
        source.metadata.put("someone.array", GgufValue.float32s(new float[] {1, 2}));
        source.metadata.put("general.alignment", GgufValue.u32(64));
        source.metadata.put("bitnet-b1.58.unheard_of", GgufValue.u32(7));
        Path gguf = source.write(folder.resolve("source.gguf"));
        Path made = folder.resolve("made.gguf");
        ConversionReport report =
                Converter.from(gguf).outtype(Outtype.TQ2_0).architecture("bitnet").validate(true).to(made);
        assertThat(report.validation().problems()).isEmpty();
        try (GgufFile file = GgufFile.open(made)) {
            List<String> expected = new ArrayList<>(source.metadata.keySet().stream()
                    .map(key -> key.replace("bitnet-b1.58.", "bitnet."))
                    .toList());
            expected.add("general.quantization_version");
            expected.add("bitnet.hidden_activation");
            assertThat(file.metadata().keySet()).containsExactlyElementsOf(expected);
            assertThat(file.requireString("general.architecture")).isEqualTo("bitnet");
            assertThat(file.requireInt("bitnet.unheard_of")).isEqualTo(7);
            assertThat(file.requireInt("general.file_type")).isEqualTo(Outtype.TQ2_0.fileType());
            assertThat(file.alignment()).isEqualTo(64);
            assertThat(file.float32s("someone.array")).hasValueSatisfying(a -> assertThat(a).containsExactly(1, 2));
            // bitnet-b1.58 means ReLU² by its name; the new name would mean SiLU.
            assertThat(GgufHyperparameters.read(file).activation()).isEqualTo(FfnActivation.RELU_SQUARED);
        }
        assertThatThrownBy(() -> Converter.from(gguf).architecture("llama").plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("sub-norms");
    }

    @Test
    void aKeyThatWasLostIsFound() {
        Path gguf = source(Outtype.I2_S).write(folder.resolve("source.gguf"));
        TestGguf other = source(Outtype.I2_S);
        other.metadata.remove("tokenizer.ggml.pre");
        other.metadata.put("tokenizer.ggml.eos_token_id", GgufValue.u32(3));
        Path changed = other.write(folder.resolve("changed.gguf"));
        assertThat(Validator.validate(changed, gguf).problems())
                .containsExactlyInAnyOrder(
                        "metadata: 'tokenizer.ggml.pre' is missing",
                        "metadata: 'tokenizer.ggml.eos_token_id': expected 4081, found 3");
    }

    private static TestGguf source(Outtype outtype) {
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            return TestGguf.of(checkpoint, outtype);
        }
    }

    @Test
    void tensorsThatTernDoesNotKnowAreCopied() throws Exception {
        TestGguf source = source(Outtype.I2_S);
        byte[] bytes = new byte[3 * 84];
        new Random(1).nextBytes(bytes);
        source.tensors.put("blk.0.extra.weight", new TestGguf.Entry(GgmlType.Q2_K, new long[] {256, 3}, bytes));
        source.tensors.put("cube", new TestGguf.Entry(GgmlType.I8, new long[] {4, 3, 7}, new byte[84]));
        Path gguf = source.write(folder.resolve("source.gguf"));
        Path made = folder.resolve("made.gguf");
        assertThat(Converter.from(gguf).outtype(Outtype.TQ1_0).validate(true).to(made).validation().ok()).isTrue();
        try (GgufFile file = GgufFile.open(made)) {
            assertThat(bytes(file, file.require("blk.0.extra.weight"))).isEqualTo(bytes);
            assertThat(file.require("cube").dims()).containsExactly(4, 3, 7);
        }
    }

    @Test
    void embeddingsKeepTheirTypeUnlessAskedAndAreRoundedWithANote() {
        Path gguf = source(Outtype.I2_S).write(folder.resolve("source.gguf")); // embeddings in F32
        Path kept = folder.resolve("kept.gguf");
        Converter.from(gguf).to(kept);
        Path rounded = folder.resolve("rounded.gguf");
        ConversionReport report = Converter.from(gguf).embeddingType(GgmlType.F16).validate(true).to(rounded);
        assertThat(report.validation().ok()).isTrue();
        assertThat(report.notes()).anyMatch(note -> note.contains("token_embd.weight") && note.contains("F32 to F16"));
        try (GgufFile a = GgufFile.open(kept);
                GgufFile b = GgufFile.open(rounded);
                GgufFile direct = GgufFile.open(file(Outtype.I2_S))) {
            assertThat(a.require("token_embd.weight").type()).isEqualTo(GgmlType.F32);
            assertThat(bytes(a, a.require("token_embd.weight"))) // 8 MiB, which threads share
                    .isEqualTo(source(Outtype.I2_S).tensors.get("token_embd.weight").bytes());
            assertThat(bytes(b, b.require("token_embd.weight")))
                    .isEqualTo(bytes(direct, direct.require("token_embd.weight")));
        }
        assertThat(Converter.from(rounded).embeddingType(GgmlType.F32).plan().notes())
                .noneMatch(note -> note.contains("token_embd"));
    }

    /** Floats of zeros have no scale, and no type needs one for them. */
    @Test
    void aMatrixOfZerosGoesThroughAllTypes() {
        String name = "blk.1.attn_v.weight";
        TestGguf source = source(Outtype.I2_S);
        long[] dims = source.tensors.get(name).dims();
        int rows = (int) dims[1];
        int cols = (int) dims[0];
        source.ternary(name, Outtype.I2_S, new TernaryMatrix(rows, cols, new byte[rows * cols], 1e-5f));
        Path last = source.write(folder.resolve("zeros.gguf"));
        for (Outtype outtype : Outtype.values()) {
            Path floats = folder.resolve(outtype.label() + ".f16.gguf");
            assertThat(Converter.from(last).outtype(Outtype.F16).validate(true).to(floats).validation().ok()).isTrue();
            last = folder.resolve(outtype.label() + ".gguf");
            ConversionReport report = Converter.from(floats).outtype(outtype).validate(true).to(last);
            assertThat(report.validation().problems()).isEmpty();
            assertThat(report.notes()).contains(name + ": all weights are zero");
            try (GgufFile file = GgufFile.open(last)) {
                assertThat(decode(file, file.require(name)).values()).containsOnly(0);
            }
        }
    }

    /**
     * As bitnet.cpp's converter writes it: the source's tiles come from its kernel_config.ini, the target's are others.
     */
    @ParameterizedTest
    @EnumSource(names = {"TL1", "TL2"})
    void aSourceWithoutTilesNeedsItsKernelConfig(Outtype outtype) throws Exception {
        TestGguf source;
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            source = TestGguf.of(checkpoint, outtype, tiles(outtype));
        }
        source.metadata.keySet().removeIf(key -> key.startsWith("ternary."));
        Path gguf = source.write(folder.resolve("source.gguf"));
        Path made = folder.resolve("made.gguf");
        assertThatThrownBy(() -> Converter.from(gguf).outtype(Outtype.I2_S).to(made))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("blk.0.attn_q.weight")
                .hasMessageContaining("--source-kernel-config");
        Path ini = folder.resolve("kernel_config.ini");
        Files.writeString(ini, KernelConfig.text(new KernelPlan(tiles(outtype).kernels())));
        Outtype other = outtype == Outtype.TL1 ? Outtype.TL2 : Outtype.TL1;
        ConversionReport report =
                Converter.from(gguf).sourceKernelConfig(ini).outtype(other).validate(true).to(made);
        assertThat(report.validation().problems()).isEmpty();
        try (GgufFile file = GgufFile.open(made)) {
            assertThat(LutTiles.ofGguf(file).kernels()).isEqualTo(report.plan().tiles().kernels()).hasSize(4);
        }
        assertThat(Validator.validate(made, PACKED).problems()).isEmpty();

        ConversionProgress silent = (phase, tensor, done, total) -> {};
        assertThatThrownBy(() -> Validator.validate(made, gguf, null, silent))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("--source-kernel-config");
        ValidationReport against = Validator.validate(made, gguf, null, ini, silent);
        assertThat(against.problems()).isEmpty();
        assertThat(against.proof().matrices()).hasSize(28);
    }

    private static LutTiles tiles(Outtype outtype) {
        try (GgufFile file = GgufFile.open(file(outtype))) {
            return LutTiles.ofGguf(file);
        }
    }
}
