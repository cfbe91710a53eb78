package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.convert.Converter;
import dev.tern.io.JsonFile;
import dev.tern.kernels.FloatType;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Models of several families, from the checkpoint to the logits, against transformers' graphs: what is permuted, inverted,
 * renamed or added on the way shows here. testdata/README.md says how the logits were computed.
 */
class FamilyLogitsTest {
    private static final Path GOLDEN = Path.of(System.getProperty("tern.testdata"), "golden", "families");

    private @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {
        "Llama3-8B-1.58-100B-tokens", "wide-heads", "bitnet_b1_58-3B", "BitNet-2B-4T-LRC", "TriLM-3.9B"
    })
    void equalTransformers(String name) throws Exception {
        JsonNode expected = JsonFile.read(GOLDEN.resolve("families.json")).path(name);
        synthetic(name).seed(21).to(folder.resolve(name));
        assertThat(sha256(folder.resolve(name).resolve("model.safetensors")))
                .as("the weights that the logits were computed from")
                .isEqualTo(expected.path("sha256").asString());
        Path gguf = folder.resolve("model.gguf");
        Converter.from(folder.resolve(name)).outtype(Outtype.F32).to(gguf);
        int[] ids = expected.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray();
        FloatBuffer logits = npy(GOLDEN.resolve(name + ".npy"));
        ModelOptions options = ModelOptions.builder().cacheType(FloatType.F32).build();
        try (Model model = Model.load(gguf, options);
                Session session = model.session()) {
            session.feed(ids, (position, row) -> {
                float largest = 0;
                for (int i = 0; i < 512; i++) {
                    float difference = row.getAtIndex(ValueLayout.JAVA_FLOAT, i) - logits.get(512 * position + i);
                    largest = Math.max(largest, Math.abs(difference));
                }
                assertThat(largest).as("position %d", position).isLessThan(1e-4f);
            });
        }
        assertThat(logits.capacity()).isEqualTo(512 * ids.length);
    }

    private static SyntheticCheckpoint synthetic(String name) {
        if (name.equals("wide-heads")) {
            return SyntheticCheckpoint.of(new ModelHyperparameters(
                            "llama", name, 512, 512, 256, 512, 2, 4, 2, 96, 96, 10_000f, 1e-5f, FfnActivation.SILU, false,
                            false))
                    .format(WeightFormat.PACKED);
        }
        return SyntheticCheckpoint.like(name).small().vocabulary(512);
    }

    private static String sha256(Path file) throws IOException, NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    /** The numbers of a version-1 file of little-endian floats. */
    private static FloatBuffer npy(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int header = 10 + bytes.getShort(8);
        return bytes.position(header).slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }
}
