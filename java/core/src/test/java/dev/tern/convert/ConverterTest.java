package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.WeightFormat;
import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufValueType;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryCodec;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

class ConverterTest {
    private static final Path TESTDATA = Path.of(System.getProperty("tern.testdata"));
    private static final Path ONLINE = TESTDATA.resolve("tiny-bitnet/online-bf16");
    private static final Path PACKED = TESTDATA.resolve("tiny-bitnet/packed-u8");

    @TempDir
    Path folder;

    /**
     * T of every tensor of the file equals, by hash, what Hugging Face's code made of the checkpoint; s as well, once
     * rounded.
     */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void everyOuttypeHoldsTheGoldenMatrices(Outtype outtype) throws NoSuchAlgorithmException {
        for (Path checkpoint : List.of(ONLINE, PACKED)) {
            Path gguf = folder.resolve(checkpoint.getFileName() + ".gguf");
            ConversionReport report =
                    Converter.from(checkpoint).outtype(outtype).validate(true).to(gguf);
            assertThat(report.validation()).isNotNull();
            assertThat(report.validation().problems()).isEmpty();
            assertThat(report.validation().ternaryTensors()).isEqualTo(28);
            JsonNode golden = JsonFile.read(TESTDATA.resolve("golden/ternary_stats.json"))
                    .get(checkpoint.getFileName().toString());
            int checked = 0;
            try (GgufFile file = GgufFile.open(gguf)) {
                for (ConversionReport.Tensor tensor : report.tensors()) {
                    if (tensor.ternary() == null) {
                        continue;
                    }
                    JsonNode expected = golden.get(tensor.source());
                    GgufTensor stored = file.require(tensor.name());
                    TernaryCodec codec = TernaryCodec.of(stored, LutTiles.ofGguf(file)).orElseThrow();
                    TernaryMatrix matrix =
                            codec.decode(file.data(stored), tensor.rows(), tensor.cols(), tensor.name());
                    assertThat(stored.type()).isEqualTo(outtype.type());
                    assertThat(sha256(matrix.values()))
                            .isEqualTo(expected.get("ternary_sha256").stringValue())
                            .isEqualTo(tensor.ternary().sha256());
                    assertThat(tensor.ternary().counts().minus()).isEqualTo(expected.get("neg").longValue());
                    assertThat(tensor.ternary().counts().zero()).isEqualTo(expected.get("zero").longValue());
                    assertThat(tensor.ternary().counts().plus()).isEqualTo(expected.get("pos").longValue());
                    float scale = Float.parseFloat(expected.get("scale_hex").stringValue());
                    assertThat(tensor.ternary().scale()).isCloseTo(scale, within(scale * 1e-6f));
                    assertThat(matrix.scale()).isEqualTo(codec.storedScale(tensor.ternary().scale()));
                    checked++;
                }
            }
            assertThat(checked).isEqualTo(28);
        }
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static org.assertj.core.data.Offset<Float> within(float offset) {
        return org.assertj.core.data.Offset.offset(offset);
    }

    @Test
    void writesMetadataAndTensorsAsTheFormatNamesThem() {
        Path gguf = folder.resolve("m.gguf");
        ConversionReport report = Converter.from(ONLINE).outtype(Outtype.I2_S).to(gguf);
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(file.version()).isEqualTo(3);
            assertThat(file.requireString("general.architecture")).isEqualTo("bitnet-b1.58");
            assertThat(file.requireString("general.name")).isEqualTo("online-bf16");
            assertThat(file.requireInt("general.file_type")).isEqualTo(40);
            assertThat(file.requireInt("general.quantization_version")).isEqualTo(2);
            assertThat(file.metadata()).doesNotContainKey("general.alignment");
            assertThat(file.metadata()).doesNotContainKey("bitnet-b1.58.attention.key_length");
            assertThat(GgufHyperparameters.read(file)).isEqualTo(new ModelHyperparameters(
                    "bitnet-b1.58", "online-bf16", 4096, 512, 512, 1536, 4, 8, 2, 64, 64, 500000f, 1e-5f,
                    dev.tern.model.FfnActivation.RELU_SQUARED, true, true));
            assertThat(Vocabulary.ofGguf(file.metadata(), gguf)).isEqualTo(Vocabulary.ofCheckpoint(ONLINE, 4096));
            assertThat(file.tensors().stream().limit(4).map(GgufTensor::name))
                    .containsExactly("token_embd.weight", "output_norm.weight", "blk.0.attn_norm.weight", "blk.0.attn_q.weight");
            assertThat(file.tensors()).hasSize(2 + 4 * 11);
            assertThat(file.require("token_embd.weight").type()).isEqualTo(GgmlType.F16);
            assertThat(file.require("token_embd.weight").shape()).isEqualTo("[512, 4096]");
            assertThat(file.require("blk.3.ffn_down.weight").shape()).isEqualTo("[1536, 512]");
            assertThat(file.require("blk.3.ffn_sub_norm.weight").type()).isEqualTo(GgmlType.F32);
            assertThat(file.size()).isEqualTo(report.plan().fileBytes());
        }
    }

    /** llama.cpp and bitnet.cpp refuse a key of the right name and another type. */
    @ParameterizedTest
    @EnumSource(Outtype.class)
    void keysHaveTheTypesThatOtherProgramsInsistOn(Outtype outtype) {
        Path gguf = folder.resolve("m.gguf");
        Converter.from(PACKED).outtype(outtype).to(gguf);
        try (GgufFile file = GgufFile.open(gguf)) {
            for (String key : new String[] {
                "vocab_size", "context_length", "embedding_length", "block_count", "feed_forward_length",
                "rope.dimension_count", "attention.head_count", "attention.head_count_kv"
            }) {
                assertThat(file.metadata().get("bitnet-b1.58." + key).type()).as(key).isEqualTo(GgufValueType.UINT32);
            }
            for (String key : new String[] {"attention.layer_norm_rms_epsilon", "rope.freq_base"}) {
                assertThat(file.metadata().get("bitnet-b1.58." + key).type()).as(key).isEqualTo(GgufValueType.FLOAT32);
            }
            assertThat(file.metadata().get("bitnet-b1.58.hidden_activation")).isEqualTo(GgufValue.of("relu2"));
            assertThat(file.metadata().get("general.file_type")).isEqualTo(GgufValue.u32(outtype.fileType()));
            assertThat(file.metadata().get("general.quantization_version")).isEqualTo(GgufValue.u32(2));
            assertThat(file.metadata().get("tokenizer.ggml.add_bos_token")).isEqualTo(GgufValue.of(true));
            assertThat(file.metadata().get("tokenizer.ggml.eos_token_id")).isEqualTo(GgufValue.u32(4081));
            assertThat(file.metadata().get("tokenizer.ggml.eot_token_id")).isEqualTo(GgufValue.u32(4089));
            assertThat(file.metadata().get("tokenizer.chat_template").type()).isEqualTo(GgufValueType.STRING);
        }
    }

    /** The size formula of the formats' facts, section D. */
    @ParameterizedTest
    @CsvSource({
        "I2_S, 0.25, 32", "TL1, 0.25, 32", "TQ1_0, 0.2109375, 0", "TQ2_0, 0.2578125, 0",
        "F16, 2, 0", "BF16, 2, 0", "F32, 4, 0"
    })
    void thePlanTellsSizesWithoutWriting(Outtype outtype, double bytesPerWeight, int tail) throws IOException {
        ConversionPlan plan = Converter.from(PACKED).outtype(outtype).embeddingType(GgmlType.F32).plan();
        long weights = 4L * (2 * 512 * 512 + 2 * 128 * 512 + 3 * 512 * 1536);
        long ternary = (long) (weights * bytesPerWeight) + 28 * tail;
        long norms = 4L * (4 * (3 * 512 + 1536) + 512);
        long data = plan.tensors().stream().mapToLong(GgufTensor::byteSize).sum();
        assertThat(data).isEqualTo(ternary + norms + 4L * 4096 * 512);
        assertThat(plan.format()).isEqualTo(WeightFormat.PACKED);
        assertThat(plan.totals().values().stream().mapToInt(ConversionPlan.TypeTotal::tensors).sum()).isEqualTo(46);
        assertThat(names()).isEmpty();
    }

    /** The tiles stand in the plan and in the file, one for each of the model's shapes; a size follows no tile. */
    @ParameterizedTest
    @EnumSource(names = {"TL1", "TL2"})
    void tilesAreChosenForEveryShapeAndStored(Outtype outtype) {
        Path gguf = folder.resolve("m.gguf");
        ConversionPlan plan = Converter.from(PACKED).outtype(outtype).plan();
        assertThat(plan.tiles().kernels().stream().map(kernel -> kernel.shape().toString()))
                .containsExactly("512x512", "128x512", "1536x512", "512x1536");
        ConversionReport report = Converter.from(PACKED).outtype(outtype).to(gguf);
        assertThat(report.plan().tiles().kernels()).isEqualTo(plan.tiles().kernels());
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(LutTiles.ofGguf(file).kernels()).isEqualTo(plan.tiles().kernels());
            assertThat(file.require("blk.0.ffn_up.weight").byteSize())
                    .isEqualTo(outtype == Outtype.TL1 ? 1536 * 512 / 4 + 32 : 256 * 1536 / 3 * 5 / 8 + 64 * 1536 + 32);
        }
        assertThat(Converter.from(PACKED).outtype(Outtype.I2_S).plan().tiles().kernels()).isEmpty();
    }

    @Test
    void tilesAreThoseOfTheKernelConfig() {
        Path gguf = folder.resolve("m.gguf");
        Tile tile = new Tile(32, 96, 32);
        List<PlannedKernel> kernels =
                kernels(LutFormat.TL2, tile, "512x1536", "2560x6912", "512x512", "128x512", "1536x512");
        Converter converter = Converter.from(PACKED)
                .outtype(Outtype.TL2)
                .kernelConfig(new KernelConfig(LutFormat.TL2, new KernelPlan(kernels)))
                .validate(true);
        assertThat(converter.to(gguf).validation().problems()).isEmpty();
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(LutTiles.ofGguf(file).kernels())
                    .isEqualTo(kernels(LutFormat.TL2, tile, "512x512", "128x512", "1536x512", "512x1536"));
        }
    }

    @Test
    void aKernelConfigMustFitTheOuttypeAndCoverTheModel() {
        List<PlannedKernel> kernels = kernels(LutFormat.TL2, new Tile(32, 96, 32), "512x512", "1536x512", "512x1536");
        Converter converter =
                Converter.from(PACKED).kernelConfig(new KernelConfig(LutFormat.TL2, new KernelPlan(kernels)));
        assertThatThrownBy(() -> converter.outtype(Outtype.TL2).plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("model.layers.0.self_attn.k_proj.weight")
                .hasMessageContaining("m = 128 and k = 512, found 512x512, 1536x512, 512x1536");
        assertThatThrownBy(() -> converter.outtype(Outtype.TL1).plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("expected tl1, found tl2");
        assertThatThrownBy(() -> converter.outtype(Outtype.I2_S).plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("found outtype i2_s");
    }

    private static List<PlannedKernel> kernels(LutFormat format, Tile tile, String... shapes) {
        return Stream.of(shapes)
                .map(shape -> shape.split("x"))
                .map(mk -> new MatrixShape(Integer.parseInt(mk[0]), Integer.parseInt(mk[1])))
                .map(shape -> new PlannedKernel(format, shape, tile))
                .toList();
    }

    @Test
    void theSameCheckpointGivesTheSameBytes() throws Exception {
        ConversionReport a = Converter.from(ONLINE).outtype(Outtype.TQ1_0).to(folder.resolve("a.gguf"));
        ConversionReport b = Converter.from(ONLINE).outtype(Outtype.TQ1_0).to(folder.resolve("b.gguf"));
        assertThat(Files.mismatch(folder.resolve("a.gguf"), folder.resolve("b.gguf"))).isEqualTo(-1);
        assertThat(a.sha256()).isEqualTo(b.sha256());
        assertThat(a.sha256()).isEqualTo(sha256(Files.readAllBytes(folder.resolve("a.gguf"))));
    }

    @Test
    void embeddingsAreRoundedToTheTypeAskedFor() {
        for (GgmlType type : List.of(GgmlType.F16, GgmlType.BF16, GgmlType.F32)) {
            Path gguf = folder.resolve(type + ".gguf");
            ConversionReport report =
                    Converter.from(PACKED).embeddingType(type).validate(true).to(gguf);
            try (GgufFile file = GgufFile.open(gguf)) {
                assertThat(file.require("token_embd.weight").type()).isEqualTo(type);
            }
            assertThat(report.validation().ok()).isTrue();
        }
        assertThatThrownBy(() -> Converter.from(PACKED).embeddingType(GgmlType.Q4_0)).isInstanceOf(InputException.class);
    }

    @Test
    void anExistingFileIsKeptUnlessToldToReplaceIt() throws IOException {
        Path gguf = Files.writeString(folder.resolve("m.gguf"), "precious");
        assertThatThrownBy(() -> Converter.from(PACKED).to(gguf))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("--overwrite");
        assertThat(gguf).hasContent("precious");
        Converter.from(PACKED).overwrite(true).to(gguf);
        assertThat(Validator.validate(gguf, PACKED).problems()).isEmpty();
        assertThat(names()).containsExactly("m.gguf");
    }

    @Test
    void aFailureLeavesNoFile() throws IOException {
        assertThatThrownBy(() -> Converter.from(folder.resolve("nothing")).to(folder.resolve("m.gguf")))
                .isInstanceOf(InputException.class);
        RuntimeException stop = new RuntimeException("stop");
        assertThatThrownBy(() -> Converter.from(PACKED)
                        .progress((phase, tensor, done, total) -> {
                            if (tensor.startsWith("blk.2")) {
                                throw stop;
                            }
                        })
                        .to(folder.resolve("m.gguf")))
                .isSameAs(stop);
        assertThat(names()).isEmpty();
    }

    @Test
    void progressRunsFromTheFirstTensorToTheLast() {
        List<Long> written = new ArrayList<>();
        List<Long> validated = new ArrayList<>();
        long[] total = {0};
        Converter.from(PACKED).validate(true).progress((phase, tensor, done, all) -> {
            total[0] = all;
            (phase == ConversionProgress.Phase.WRITE ? written : validated).add(done);
        }).to(folder.resolve("m.gguf"));
        assertThat(written).hasSize(46).isSorted().endsWith(total[0]);
        assertThat(validated).hasSize(46).isSorted().endsWith(total[0]);
    }

    @Test
    void architecturesThatLackTheGraphAreRefused() {
        assertThatThrownBy(() -> Converter.from(PACKED).architecture("llama").plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("sub-norms");
        ConversionPlan plan = Converter.from(PACKED).architecture("bitnet").outtype(Outtype.TQ1_0).plan();
        assertThat(plan.architecture()).isEqualTo("bitnet");
        assertThat(plan.notes()).anyMatch(note -> note.contains("SiLU"));
        Path gguf = folder.resolve("m.gguf");
        Converter.from(PACKED).architecture("bitnet").validate(true).to(gguf);
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(file.requireString("bitnet.hidden_activation")).isEqualTo("relu2");
            assertThat(file.requireInt("bitnet.block_count")).isEqualTo(4);
        }
    }

    @Test
    void notesSayWhoCanReadTheFile() {
        assertThat(Converter.from(PACKED).outtype(Outtype.I2_S).plan().notes())
                .anyMatch(note -> note.contains("i2_s") && note.contains("LM Studio"));
        assertThat(Converter.from(PACKED).outtype(Outtype.TL2).plan().notes())
                .anyMatch(note -> note.contains("bitnet.cpp") && note.contains("the same tiles"))
                .contains("llama.cpp, Ollama and LM Studio take tl2 (type 39) for MXFP4: for them choose tq1_0 or tq2_0"
                        + " with --arch bitnet")
                .noneMatch(note -> note.contains("unknown model architecture"));
        assertThat(Converter.from(PACKED).outtype(Outtype.TQ2_0).plan().notes())
                .anyMatch(note -> note.contains("unknown model architecture"));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
