package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.checkpoint.CheckpointTensor;
import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.model.FfnActivation;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.ternary.Bfloat16;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryMatrix;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Dimensions, graphs, values and disks at the edge of what can be converted. */
class ConverterLimitsTest {
    @TempDir
    Path folder;

    @Test
    void anEmbeddingThatBlocksDoNotFitIsTold() {
        Path narrow = synthetic("narrow-embedding", bitnet(192, 576, 3, 1, 64, true));
        assertThatThrownBy(() -> Converter.from(narrow).outtype(Outtype.F16).embeddingType(GgmlType.Q6_K).plan())
                .isInstanceOf(InputException.class)
                .hasMessageContaining("model.embed_tokens.weight")
                .hasMessageContaining("192 columns are no multiple")
                .hasMessageContaining("--embedding-type");
        ConversionPlan plan = Converter.from(narrow).outtype(Outtype.Q8_0).embeddingType(GgmlType.Q8_0).plan();
        assertThat(plan.tensors()).filteredOn(t -> t.name().equals("token_embd.weight")).singleElement()
                .satisfies(t -> assertThat(t.byteSize()).isEqualTo(t.rows() * 192 / 32 * 34));
    }

    @Test
    void columnsThatDoNotFitNameTheTensorAndTheOuttypesThatDo() {
        Path narrow = synthetic("narrow", bitnet(192, 576, 3, 1, 64, true));
        for (Outtype outtype : List.of(Outtype.I2_S, Outtype.TQ1_0, Outtype.TQ2_0)) {
            assertThatThrownBy(() -> Converter.from(narrow).outtype(outtype).to(folder.resolve("m.gguf")))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("model.layers.0.self_attn.q_proj.weight")
                    .hasMessageContaining("[192, 192]")
                    .hasMessageContaining("192 columns")
                    .hasMessageContaining(
                            "Outtypes that can hold all of this model: tl1, tl2, q4_0, q8_0, f16, bf16, f32.");
        }
        Path middle = synthetic("middle", bitnet(640, 256, 10, 5, 64, true));
        assertThatThrownBy(() -> Converter.from(middle).outtype(Outtype.TQ1_0).plan())
                .hasMessageContaining("640 columns")
                .hasMessageContaining("i2_s, tl1, tl2, q4_0, q8_0, f16, bf16, f32.");
        assertThat(folder.resolve("m.gguf")).doesNotExist();
    }

    @Test
    void autoTakesTheSmallestOuttypeTensorByTensor() {
        Path checkpoint = synthetic("mixed", bitnet(640, 256, 10, 5, 64, true));
        Path gguf = folder.resolve("mixed.gguf");
        ConversionReport report = Converter.from(checkpoint).validate(true).to(gguf);
        assertThat(report.validation().problems()).isEmpty();
        assertThat(report.plan().outtype()).isEqualTo(Outtype.I2_S);
        assertThat(report.notes())
                .anyMatch(note ->
                        note.contains("tq1_0 for 1, i2_s for 6 matrices") && note.contains("Tern and bitnet.cpp"))
                .contains("tq1_0 and i2_s together are read by Tern and bitnet.cpp; llama.cpp, Ollama and LM Studio do"
                        + " not know i2_s (type 36): for them choose q4_0 or q8_0 with --arch bitnet");
        for (Outtype advised : List.of(Outtype.Q4_0, Outtype.Q8_0)) { // can be followed
            assertThat(Converter.from(checkpoint).outtype(advised).architecture("bitnet").plan().notes())
                    .noneMatch(note -> note.contains("do not know"));
        }
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(file.requireInt("general.file_type")).isEqualTo(Outtype.I2_S.fileType());
            for (GgufTensor tensor : file.tensors()) {
                if (TensorShape.isProjection(tensor.name())) {
                    assertThat(tensor.type())
                            .as(tensor.name())
                            .isEqualTo(tensor.cols() == 256 ? GgmlType.TQ1_0 : GgmlType.I2_S);
                }
            }
        }
        assertThat(Validator.validate(gguf, null).problems()).isEmpty();

        Path even = synthetic("even", bitnet(256, 512, 4, 4, 64, true));
        ConversionPlan plan = Converter.from(even).plan();
        assertThat(plan.outtype()).isEqualTo(Outtype.TQ1_0);
        assertThat(plan.totals()).doesNotContainKey(GgmlType.I2_S);
        assertThat(plan.notes()).anyMatch(note -> note.startsWith("outtype auto: tq1_0; read by Tern, llama.cpp"));

        Path odd = synthetic("odd", bitnet(192, 576, 3, 1, 64, true));
        ConversionReport floats = Converter.from(odd).validate(true).to(folder.resolve("odd.gguf"));
        assertThat(floats.plan().outtype()).isEqualTo(Outtype.Q4_0);
        assertThat(floats.validation().ok()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(value = WeightFormat.class, names = {"ONLINE", "PACKED"})
    void llamaRowsOfQAndKAreInterleaved(WeightFormat format) {
        ModelHyperparameters llama = new ModelHyperparameters(
                "llama", "l", 512, 64, 256, 512, 1, 8, 2, 32, 32, 10_000f, 1e-5f, FfnActivation.SILU, false, true);
        Path checkpoint = folder.resolve("llama");
        SyntheticCheckpoint.of(llama).format(format).to(checkpoint);
        Path gguf = folder.resolve("llama.gguf");
        assertThat(Converter.from(checkpoint).outtype(Outtype.TQ2_0).validate(true).to(gguf).validation().problems())
                .isEmpty();
        try (GgufFile file = GgufFile.open(gguf);
                Checkpoint open = Checkpoint.open(checkpoint)) {
            assertThat(file.requireString("general.architecture")).isEqualTo("llama");
            for (CheckpointTensor tensor : open.tensors()) {
                if (!tensor.ternary()) {
                    continue;
                }
                byte[] source = open.readTernary(tensor).values();
                byte[] stored = decode(file, tensor.name()).values();
                boolean rotated = tensor.name().matches("blk.0.attn_[qk].weight");
                int cols = tensor.cols();
                for (int row = 0; row < tensor.rows(); row++) {
                    // Pair j of a head: rows j and j + 16 there, rows 2j and 2j + 1 here.
                    int from = !rotated ? row : row / 32 * 32 + row % 32 / 2 + (row % 2 == 0 ? 0 : 16);
                    assertThat(Arrays.mismatch(
                                    stored, row * cols, (row + 1) * cols, source, from * cols, (from + 1) * cols))
                            .as("%s row %d", tensor.name(), row)
                            .isEqualTo(-1);
                }
            }
        }
    }

    @Test
    void headsOfAnotherWidthAndAnUntiedHeadAreWritten() {
        Path checkpoint = synthetic("wide", bitnet(128, 256, 4, 2, 64, false));
        Path gguf = folder.resolve("wide.gguf");
        ConversionReport report =
                Converter.from(checkpoint).embeddingType(GgmlType.BF16).validate(true).to(gguf);
        assertThat(report.notes()).anyMatch(note -> note.contains("head of its own"));
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(file.requireInt("bitnet-b1.58.attention.key_length")).isEqualTo(64);
            assertThat(file.requireInt("bitnet-b1.58.attention.value_length")).isEqualTo(64);
            assertThat(file.require("output.weight").type()).isEqualTo(GgmlType.BF16);
            assertThat(file.require("blk.0.attn_q.weight").shape()).isEqualTo("[128, 256]");
            assertThat(GgufHyperparameters.read(file).tiedHead()).isFalse();
        }
        assertThat(Validator.validate(gguf, null).problems()).isEmpty();
    }

    @Test
    void anEmbeddingBeyondFp16IsRefusedWithAnotherTypeAsTheCure() throws IOException {
        Path checkpoint = synthetic("large", bitnet(128, 128, 2, 2, 64, true));
        patchBf16(checkpoint, "model.embed_tokens.weight", 70_000f);
        assertThatThrownBy(() -> Converter.from(checkpoint).to(folder.resolve("m.gguf")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("model.embed_tokens.weight")
                .hasMessageContaining("--embedding-type bf16");
        assertThat(folder.resolve("m.gguf")).doesNotExist();
        Converter.from(checkpoint).embeddingType(GgmlType.BF16).to(folder.resolve("m.gguf"));
    }

    @Test
    void scalesBeyondFp16AreRefusedOrNoted() throws IOException {
        Path checkpoint = folder.resolve("packed");
        SyntheticCheckpoint.of(bitnet(256, 256, 4, 4, 64, true)).format(WeightFormat.PACKED).to(checkpoint);
        String scale = "model.layers.0.mlp.up_proj.weight_scale";
        for (float extreme : new float[] {1e6f, 1e-9f}) {
            patchBf16(checkpoint, scale, extreme);
            for (Outtype outtype : List.of(Outtype.TQ1_0, Outtype.TQ2_0, Outtype.F16)) {
                assertThatThrownBy(() -> Converter.from(checkpoint).outtype(outtype).to(folder.resolve("m.gguf")))
                        .isInstanceOf(InputException.class)
                        .hasMessageContaining("model.layers.0.mlp.up_proj.weight")
                        .hasMessageContaining("the scale")
                        .hasMessageContaining("with its scale: i2_s, tl1, tl2, bf16, f32.");
            }
            Converter.from(checkpoint).outtype(Outtype.I2_S).validate(true).overwrite(true).to(folder.resolve("i2s.gguf"));
        }
        patchBf16(checkpoint, scale, 2.2e-7f);
        ConversionReport report = Converter.from(checkpoint)
                .outtype(Outtype.TQ1_0)
                .validate(true)
                .to(folder.resolve("coarse.gguf"));
        assertThat(report.notes()).anyMatch(note -> note.contains("blk.0.ffn_up.weight") && note.contains("off by"));
        assertThat(report.validation().ok()).isTrue();
    }

    /** A real file system of 64 KiB, where one may be mounted; AtomicFileTest has the same without. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsToldBeforeAndLeavesNothing() throws Exception {
        Path small = Files.createDirectory(folder.resolve("small"));
        Assumptions.assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small.toString()) == 0);
        try {
            Path checkpoint = synthetic("c", bitnet(256, 256, 4, 4, 64, true));
            assertThatThrownBy(() -> Converter.from(checkpoint).to(small.resolve("m.gguf")))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("too full")
                    .hasMessageContaining("bytes of room")
                    .hasMessageContaining("65536 bytes available");
            try (Stream<Path> files = Files.list(small)) {
                assertThat(files).isEmpty();
            }
        } finally {
            run("umount", small.toString());
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
    }

    private static ModelHyperparameters bitnet(int hidden, int inner, int heads, int kvHeads, int headDim, boolean tied) {
        return new ModelHyperparameters("bitnet-b1.58", "s", 512, 64, hidden, inner, 1, heads, kvHeads, headDim, headDim,
                500_000f, 1e-5f, FfnActivation.RELU_SQUARED, true, tied);
    }

    private Path synthetic(String name, ModelHyperparameters model) {
        Path checkpoint = folder.resolve(name);
        SyntheticCheckpoint.of(model).to(checkpoint);
        return checkpoint;
    }

    private static TernaryMatrix decode(GgufFile file, String name) {
        GgufTensor tensor = file.require(name);
        return Outtype.TQ2_0.codec().decode(file.data(tensor), (int) tensor.rows(), (int) tensor.cols(), name);
    }

    /** Replaces the first bf16 value of a tensor in the checkpoint's file. */
    private static void patchBf16(Path checkpoint, String tensor, float value) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(checkpoint.resolve("model.safetensors").toFile(), "rw")) {
            byte[] header = new byte[(int) Long.reverseBytes(file.readLong())];
            file.readFully(header);
            JsonNode json = JsonMapper.shared().readTree(new String(header, StandardCharsets.UTF_8));
            file.seek(8 + header.length + json.get(tensor).get("data_offsets").get(0).longValue());
            file.writeShort(Short.reverseBytes(Bfloat16.of(value)));
        }
    }
}
