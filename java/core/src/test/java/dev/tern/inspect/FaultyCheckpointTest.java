package dev.tern.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.safetensors.SafetensorsFile;
import dev.tern.safetensors.SafetensorsTensor;
import dev.tern.safetensors.SafetensorsType;
import dev.tern.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/** The trained model's checkpoints, spoilt as exports, merges and downloads spoil them. */
class FaultyCheckpointTest {
    private static final Path MODELS = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet");

    @TempDir
    Path temporary;

    private Path folder = Path.of("");

    @BeforeEach
    void fresh() throws IOException {
        folder = Files.createDirectory(temporary.resolve("model"));
    }

    private record Content(SafetensorsType type, List<Long> shape, byte[] bytes) {}

    @ParameterizedTest
    @ValueSource(strings = {"packed-u8", "online-bf16"})
    void goodOnesRaiseNoAlarm(String name) throws IOException {
        copy(name, tensors -> {});
        Inspection found = Inspector.inspect(folder);
        assertThat(alarms(found)).isEmpty();
        assertThat(found.probe().negativeLogLikelihood()).isLessThan(0.6 * found.probe().chance());
        assertThat(found.outtypes()).contains("i2_s", "tq1_0", "tl2", "f16");
    }

    /** Byte row j gets rows 4j to 4j+3, which is what the documentation once said. */
    @Test
    void packedAsFourConsecutiveRows() throws IOException {
        copy("packed-u8", tensors -> tensors.replaceAll((name, content) -> {
            if (content.type() != SafetensorsType.U8) {
                return content;
            }
            int quarter = content.shape().get(0).intValue();
            int cols = content.shape().get(1).intValue();
            byte[] bytes = new byte[content.bytes().length];
            for (int row = 0; row < 4 * quarter; row++) {
                for (int k = 0; k < cols; k++) {
                    int code = content.bytes()[row % quarter * cols + k] >> 2 * (row / quarter) & 3;
                    bytes[row / 4 * cols + k] |= (byte) (code << 2 * (row % 4));
                }
            }
            return new Content(content.type(), content.shape(), bytes);
        }));
        assertOnly(FindingKind.PACKED_INTERLEAVE);
    }

    /** The class says 1/s, the tensors hold s. */
    @Test
    void scalesOfTheOtherClass() throws IOException {
        copy("packed-u8", tensors -> {});
        config(config -> ((ObjectNode) config.get("quantization_config")).put("linear_class", "bitlinear"));
        assertOnly(FindingKind.SCALE_INVERTED);
    }

    @Test
    void anActivationThatWasNotTrained() throws IOException {
        copy("packed-u8", tensors -> {});
        config(config -> config.put("hidden_act", "silu"));
        assertOnly(FindingKind.ACTIVATION_MISMATCH);
    }

    @Test
    void randomWeightsAreUntrained() {
        ModelHyperparameters random = new ModelHyperparameters(
                "bitnet-b1.58", "r", 2048, 512, 256, 512, 2, 4, 2, 64, 64, 10_000f, 1e-5f, FfnActivation.RELU_SQUARED,
                true, true);
        SyntheticCheckpoint.of(random).format(WeightFormat.ONLINE).overwrite(true).to(folder);
        List<Finding> found = alarms(Inspector.inspect(folder));
        assertThat(found).as("%s", found).extracting(Finding::kind).contains(FindingKind.UNTRAINED);
        assertThat(found).noneMatch(finding -> finding.severity() == Severity.ERROR);
    }

    @Test
    void signsInPlaceOfWeights() throws IOException {
        copy("online-bf16", tensors -> tensors.replaceAll((name, content) -> {
            if (!name.endsWith("_proj.weight")) {
                return content;
            }
            byte[] bytes = content.bytes().clone();
            for (int i = 0; i < bytes.length; i += 2) { // bf16 1.0 is 0x3F80
                bytes[i] = (byte) 0x80;
                bytes[i + 1] = (byte) (bytes[i + 1] & 0x80 | 0x3F);
            }
            return new Content(content.type(), content.shape(), bytes);
        }));
        assertThat(alarms(Inspector.inspect(folder))).extracting(Finding::kind).contains(FindingKind.SIGN_QUANTIZED);
    }

    @Test
    void whatConfigurationsLose() throws IOException {
        copy("packed-u8", tensors -> {});
        config(config -> config.putArray("architectures").add("BitNetB158ForCausalLM"));
        assertOnly(FindingKind.ARCHITECTURE_SPELLING);
        config(config -> config.putArray("architectures").add("Qwen2ForCausalLM"));
        assertOnly(FindingKind.ARCHITECTURE_UNKNOWN);
        config(config -> {
            config.putArray("architectures").add("BitNetForCausalLM");
            config.put("tie_word_embeddings", false);
        });
        assertOnly(FindingKind.HEAD_LOST);
        config(config -> {
            config.put("tie_word_embeddings", true);
            config.put("hidden_size", 640);
        });
        assertOnly(FindingKind.METADATA);
        Files.delete(folder.resolve("config.json"));
        assertOnly(FindingKind.METADATA);
    }

    @Test
    void whatMergesStrip() throws IOException {
        copy("online-bf16", tensors -> tensors.keySet().removeIf(name -> name.contains("sub_norm")));
        assertOnly(FindingKind.SUB_NORMS_MISSING);
        config(config -> {
            config.remove("quantization_config");
            config.putArray("architectures").add("LlamaForCausalLM");
            config.put("hidden_act", "silu");
        });
        assertOnly(FindingKind.QUANTIZATION_CONFIG_MISSING);
    }

    @Test
    void packedMatricesInPieces() throws IOException {
        copy("packed-u8", tensors -> tensors.keySet().removeIf(name -> name.endsWith("weight_scale")));
        assertOnly(FindingKind.SCALE_LOST);
        copy("packed-u8", tensors -> tensors.replaceAll((name, content) -> {
            if (content.type() != SafetensorsType.U8) {
                return content;
            }
            ByteBuffer floats = ByteBuffer.allocate(4 * content.bytes().length).order(ByteOrder.LITTLE_ENDIAN);
            for (byte b : content.bytes()) {
                floats.putFloat(b & 0xFF);
            }
            return new Content(SafetensorsType.F32, content.shape(), floats.array());
        }));
        assertOnly(FindingKind.PACKED_NOT_UNPACKED);
    }

    @Test
    void downloadsThatWentWrong() throws IOException {
        copy("packed-u8", tensors -> {});
        Path weights = folder.resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(whole, whole.length / 2));
        assertOnly(FindingKind.TRUNCATED);
        Files.writeString(weights, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123\n");
        assertOnly(FindingKind.LFS_POINTER);
        Files.writeString(weights, "<html><body>401</body></html>");
        assertOnly(FindingKind.WEB_PAGE);
        Files.delete(weights);
        Files.writeString(folder.resolve("pytorch_model.bin"), "PK");
        assertOnly(FindingKind.PICKLE);
        Files.delete(folder.resolve("pytorch_model.bin"));
        Files.delete(folder.resolve("config.json"));
        assertThatThrownBy(() -> Inspector.inspect(folder)).isInstanceOf(InputException.class);
    }

    /** 1bitLLM's models never had one, and need none; packed matrices do, for the direction of their scales. */
    @Test
    void whatAMissingQuantizationConfigMeans() throws IOException {
        copy("online-bf16", tensors -> {});
        config(config -> config.remove("quantization_config"));
        assertThat(Inspector.inspect(folder).findings()).extracting(Finding::kind).containsExactly(FindingKind.ASSUMPTION);
        copy("packed-u8", tensors -> {});
        config(config -> config.remove("quantization_config"));
        assertThat(Inspector.inspect(folder).findings())
                .filteredOn(finding -> finding.severity() == Severity.NOTE)
                .extracting(Finding::kind)
                .containsExactly(FindingKind.QUANTIZATION_CONFIG_MISSING);
    }

    /** A matrix of two slices, each ternary by itself: no damage. */
    @Test
    void aMatrixOfSeveralScales() throws IOException {
        copy("online-bf16", tensors -> {
            Content up = tensors.get("model.layers.2.mlp.up_proj.weight");
            assertThat(up.type()).isEqualTo(SafetensorsType.BF16);
            ByteBuffer values = ByteBuffer.wrap(up.bytes()).order(ByteOrder.LITTLE_ENDIAN);
            int count = up.bytes().length / 2;
            for (int i = 0; i < count; i++) {
                float s = i < count / 2 ? 0.5f : 0.25f;
                values.putShort(2 * i, (short) (Float.floatToIntBits((i * 31 % 7 % 3 - 1) * s) >> 16));
            }
        });
        assertOnly(FindingKind.NOT_TERNARY);
        assertThat(Inspector.inspect(folder).findings().getFirst().text()).contains("up_proj", "is ternary, but with 2 scales");
    }

    @Test
    void aTokenizerThatIsMissing() throws IOException {
        copy("packed-u8", tensors -> {});
        Files.delete(folder.resolve("tokenizer.json"));
        assertOnly(FindingKind.TOKENIZER_MISSING);
    }

    private void copy(String name, Consumer<Map<String, Content>> change) throws IOException {
        try (var files = Files.list(MODELS.resolve(name))) {
            for (Path file : files.toList()) {
                if (!file.toString().endsWith(".safetensors")) {
                    Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
        Map<String, Content> tensors = new LinkedHashMap<>();
        try (SafetensorsFile open = SafetensorsFile.open(MODELS.resolve(name).resolve("model.safetensors"))) {
            for (SafetensorsTensor tensor : open.tensors().values()) {
                tensors.put(tensor.name(), new Content(
                        tensor.type(), tensor.shape(), open.data(tensor).toArray(ValueLayout.JAVA_BYTE)));
            }
        }
        change.accept(tensors);
        List<SafetensorsWriter.Declaration> declarations = tensors.entrySet().stream()
                .map(e -> new SafetensorsWriter.Declaration(e.getKey(), e.getValue().type(), e.getValue().shape()))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                folder.resolve("model.safetensors"), true, Map.of("format", "pt"), declarations)) {
            tensors.forEach((tensor, content) -> writer.write(tensor, MemorySegment.ofArray(content.bytes())));
            writer.commit();
        }
    }

    private void config(Consumer<ObjectNode> change) throws IOException {
        ObjectNode config = JsonFile.read(folder.resolve("config.json"));
        change.accept(config);
        Files.writeString(folder.resolve("config.json"), config.toString());
    }

    private static List<Finding> alarms(Inspection inspection) {
        return inspection.findings().stream().filter(f -> f.severity() != Severity.NOTE).toList();
    }

    private void assertOnly(FindingKind kind) {
        List<Finding> found = alarms(Inspector.inspect(folder));
        assertThat(found).as("%s", found).extracting(Finding::kind).containsExactly(kind);
    }
}
