package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tern.checkpoint.TestCheckpoints.Content;
import dev.tern.io.JsonFile;
import dev.tern.ternary.TernaryMatrix;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * (T, s) of every projection against what transformers computed: T by SHA-256, s to the precision named in each test.
 */
class GoldenTernaryTest {
    private static final Predicate<String> FIRST_SHARD =
            name -> name.equals("model.embed_tokens.weight") || name.startsWith("model.layers.0.");

    @TempDir
    private Path folder;

    @Test
    void onlineBf16() throws Exception {
        try (Checkpoint checkpoint = Checkpoint.open(TestCheckpoints.ONLINE)) {
            assertThat(checkpoint.format()).isEqualTo(WeightFormat.ONLINE);
            assertThat(checkpoint.notes()).isEmpty();
            assertGolden(checkpoint, "online-bf16", 1e-6);
        }
    }

    /** The same weights widened to f32, which are not counted by their bits but computed with. */
    @Test
    void onlineF32() throws Exception {
        TestCheckpoints.config(TestCheckpoints.ONLINE, folder, config -> {});
        SequencedMap<String, Content> tensors =
                TestCheckpoints.tensors(TestCheckpoints.ONLINE.resolve("model.safetensors"));
        tensors.replaceAll((name, content) -> Content.f32(content.shape(), content.bf16Values()));
        TestCheckpoints.write(folder.resolve("model.safetensors"), tensors);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.format()).isEqualTo(WeightFormat.ONLINE);
            assertGolden(checkpoint, "online-bf16", 1e-6);
        }
    }

    @Test
    void packedWithDirectScale() throws Exception {
        try (Checkpoint checkpoint = Checkpoint.open(TestCheckpoints.PACKED)) {
            assertThat(checkpoint.format()).isEqualTo(WeightFormat.PACKED);
            assertThat(checkpoint.scaleDirection()).isEqualTo(ScaleDirection.DIRECT);
            assertGolden(checkpoint, "packed-u8", 0);
        }
    }

    /**
     * weight_scale := bf16(1 / mean|W|), the mean as our online reader finds it; then s must equal the golden one
     * exactly.
     */
    @Test
    void packedWithInverseScale() throws Exception {
        TestCheckpoints.writeInverse(folder);
        for (String linearClass : new String[] {"bitlinear", null}) {
            TestCheckpoints.config(TestCheckpoints.PACKED, folder, config -> {
                ObjectNode quantization = (ObjectNode) config.get("quantization_config");
                quantization.remove("linear_class");
                if (linearClass != null) {
                    quantization.put("linear_class", linearClass);
                }
            });
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                assertThat(checkpoint.scaleDirection()).isEqualTo(ScaleDirection.INVERSE);
                assertGolden(checkpoint, "packed-u8-bitlinear", 0);
            }
        }
    }

    @Test
    void packedInShards() throws Exception {
        TestCheckpoints.config(TestCheckpoints.PACKED, folder, config -> {});
        TestCheckpoints.writeSharded(
                folder, TestCheckpoints.tensors(TestCheckpoints.PACKED.resolve("model.safetensors")), FIRST_SHARD);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.weightFiles()).hasSize(2);
            assertThat(checkpoint.notes()).isEmpty();
            assertGolden(checkpoint, "packed-u8-sharded", 0);
        }
    }

    @Test
    void onlineInShards() throws Exception {
        TestCheckpoints.config(TestCheckpoints.ONLINE, folder, config -> {});
        TestCheckpoints.writeSharded(
                folder, TestCheckpoints.tensors(TestCheckpoints.ONLINE.resolve("model.safetensors")), FIRST_SHARD);
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertGolden(checkpoint, "online-bf16", 1e-6);
        }
    }

    /**
     * s*T written as floats, the configuration still saying "online": T must come back, not be ternarised a second
     * time, and s exactly as written (absmean would give s times the share of nonzero weights, about 0.69 s).
     */
    @Test
    void floatsThatAreTernaryAlready() throws Exception {
        SequencedMap<String, Content> source =
                TestCheckpoints.tensors(TestCheckpoints.PACKED.resolve("model.safetensors"));
        for (String type : List.of("bf16", "f16", "f32")) {
            SequencedMap<String, Content> tensors = new LinkedHashMap<>(source);
            try (Checkpoint packed = Checkpoint.open(TestCheckpoints.PACKED)) {
                for (CheckpointTensor tensor : packed.tensors()) {
                    if (tensor.ternary()) {
                        tensors.put(tensor.source(), floats(packed.readTernary(tensor), type));
                        tensors.remove(tensor.source() + "_scale");
                    }
                }
            }
            TestCheckpoints.write(folder.resolve("model.safetensors"), tensors);
            TestCheckpoints.config(TestCheckpoints.ONLINE, folder, config -> {});
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                assertThat(checkpoint.format()).isEqualTo(WeightFormat.TERNARY_FLOATS);
                assertGolden(checkpoint, "packed-u8", 0);
            }
        }
    }

    private static Content floats(TernaryMatrix matrix, String type) {
        float[] values = new float[matrix.values().length];
        for (int i = 0; i < values.length; i++) {
            byte t = matrix.values()[i];
            values[i] = t == 0 && (i & 1) == 1 ? -0f : matrix.scale() * t; // exporters leave negative zeros behind
        }
        List<Long> shape = List.of((long) matrix.rows(), (long) matrix.cols());
        return switch (type) {
            case "bf16" -> Content.bf16(shape, values);
            case "f16" -> Content.f16(shape, values);
            default -> Content.f32(shape, values);
        };
    }

    private static void assertGolden(Checkpoint checkpoint, String variant, double tolerance) throws Exception {
        JsonNode golden = JsonFile.read(Path.of(System.getProperty("tern.testdata"), "golden", "ternary_stats.json"))
                .get(variant);
        int seen = 0;
        for (CheckpointTensor tensor : checkpoint.tensors()) {
            if (!tensor.ternary()) {
                continue;
            }
            JsonNode expected = golden.get(tensor.source());
            TernaryMatrix matrix = checkpoint.readTernary(tensor);
            String sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(matrix.values()));
            assertThat(Map.of("rows", matrix.rows(), "cols", matrix.cols(), "sha256", sha256))
                    .as(tensor.source())
                    .isEqualTo(Map.of(
                            "rows", expected.get("shape").get(0).intValue(),
                            "cols", expected.get("shape").get(1).intValue(),
                            "sha256", expected.get("ternary_sha256").stringValue()));
            double scale = Double.parseDouble(
                    expected.get("scale_hex").stringValue()); // a hexadecimal float such as 0x1.60da9cp-5
            assertThat((double) matrix.scale()).as(tensor.source()).isCloseTo(scale, within(tolerance * scale));
            seen++;
        }
        assertThat(seen).isEqualTo(28).isEqualTo(golden.size());
    }
}
