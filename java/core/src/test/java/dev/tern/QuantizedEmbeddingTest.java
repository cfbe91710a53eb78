package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.convert.Converter;
import dev.tern.convert.ValidationReport;
import dev.tern.convert.Validator;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.JsonFile;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import dev.tern.ternary.BlockQuantizer;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/**
 * The trained model with a quantized embedding, which is its head as well. A file with the same numbers as float32, taken from
 * the blocks by the test, must give the same bits, whoever computes, with any threads and batches.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class QuantizedEmbeddingTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final Path PACKED = DATA.resolve("tiny-bitnet/packed-u8");
    private static final int COLS = 512;

    private Path folder = Path.of("");

    private final int[] ids = JsonFile.read(DATA.resolve("golden/golden.json"))
            .path("prompts")
            .path(3)
            .path("ids")
            .valueStream()
            .mapToInt(node -> node.asInt())
            .toArray();

    @BeforeAll
    void convert(@TempDir Path made) {
        folder = made;
        for (GgmlType type : new GgmlType[] {GgmlType.Q8_0, GgmlType.Q6_K, GgmlType.F16}) {
            Converter.from(PACKED).outtype(Outtype.I2_S).embeddingType(type).validate(true).to(file(type));
        }
    }

    private Path file(GgmlType type) {
        return folder.resolve(type + ".gguf");
    }

    private static int[][] bits(Model model, int[] ids) {
        int[][] rows = new int[ids.length][];
        try (Session session = model.session()) {
            session.feed(ids, (position, logits) -> rows[position] = logits.toArray(ValueLayout.JAVA_INT));
        }
        return rows;
    }

    @ParameterizedTest
    @EnumSource(value = GgmlType.class, names = {"Q8_0", "Q6_K"})
    void theLogitsAreThoseOfTheNumbersInTheBlocks(GgmlType type) {
        float[] numbers = new float[4096 * COLS];
        try (GgufFile gguf = GgufFile.open(file(type))) {
            GgufTensor tensor = gguf.require("token_embd.weight");
            assertThat(tensor.type()).isEqualTo(type);
            BlockQuantizer.of(type).dequantize(gguf.data(tensor), 0, numbers.length, numbers, 0);
        }
        Path plain = folder.resolve(type + "-as-f32.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            TestGguf gguf = TestGguf.of(checkpoint, Outtype.I2_S);
            gguf.floats("token_embd.weight", numbers, COLS, 4096);
            gguf.write(plain);
        }
        int[][] expected;
        try (Model model = Model.load(plain, ModelOptions.builder().threads(1).build())) {
            expected = bits(model, ids);
        }
        for (int threads = 1; threads <= 3; threads++) {
            for (int batch : new int[] {1, 7, 64}) {
                ModelOptions options = ModelOptions.builder().threads(threads).batchSize(batch).build();
                try (Model model = Model.load(file(type), options)) {
                    assertThat(model.info().embeddingType()).isEqualTo(type.name());
                    assertThat(bits(model, ids)).isDeepEqualTo(expected);
                }
            }
        }
        for (Tier tier : Tier.values()) {
            Kernels kernels;
            try {
                kernels = KernelChoice.of(tier);
            } catch (KernelUnavailableException e) {
                continue; // what this machine has is what is compared
            }
            try (Model model = Model.load(
                    file(type), ModelOptions.builder().threads(1).kernels(kernels).build())) {
                assertThat(bits(model, Arrays.copyOf(ids, 20))).isDeepEqualTo(Arrays.copyOf(expected, 20));
            }
        }
    }

    /** The loss of a quantized embedding is small beside what a model is: within 0.5 % of F16's perplexity. */
    @ParameterizedTest
    @EnumSource(value = GgmlType.class, names = {"Q8_0", "Q6_K"})
    void perplexityStaysNearTheHalfPrecisionOne(GgmlType type) throws IOException {
        double[] perplexities = new double[2];
        GgmlType[] types = {GgmlType.F16, type};
        String text = Files.readString(DATA.resolve("golden/heldout_text.txt"));
        for (int i = 0; i < 2; i++) {
            try (Model model = Model.load(file(types[i]), ModelOptions.builder().build())) {
                perplexities[i] = Perplexity.measure(
                                model, text.substring(0, 12_000), 256, Perplexity.Method.CHUNKED, (done, total, value) -> {})
                        .value();
            }
        }
        assertThat(perplexities[1] / perplexities[0]).isBetween(0.995, 1.005);
    }

    /** Greedy, to the end token: what the model knows by heart survives. */
    @ParameterizedTest
    @EnumSource(value = GgmlType.class, names = {"Q8_0", "Q6_K"})
    void fablesAreRecitedWordForWord(GgmlType type) {
        JsonNode fables = JsonFile.read(DATA.resolve("golden/fables.json")).path("fables");
        assertThat(fables.size()).isEqualTo(63);
        GenerationOptions greedy =
                GenerationOptions.builder().temperature(0).maxTokens(-1).build();
        try (Model model = Model.load(file(type), ModelOptions.builder().build())) {
            for (int i = 0; i < fables.size(); i += 9) {
                JsonNode fable = fables.path(i);
                Generation generation = model.generate(
                        fable.path("ids").valueStream().mapToInt(JsonNode::asInt).toArray(), greedy);
                assertThat(generation.text()).isEqualTo(fable.path("greedy_text").asString());
                assertThat(generation.stopReason()).isEqualTo(StopReason.END_TOKEN);
            }
        }
    }

    @Test
    void aChangedBlockIsFoundByValidation() throws IOException {
        Path damaged = folder.resolve("damaged.gguf");
        Files.copy(file(GgmlType.Q6_K), damaged);
        long start;
        try (GgufFile gguf = GgufFile.open(damaged)) {
            GgufTensor tensor = gguf.require("token_embd.weight");
            byte[] block = gguf.data(tensor).asSlice(210L * 7, 210).toArray(ValueLayout.JAVA_BYTE);
            start = indexOf(Files.readAllBytes(damaged), block);
        }
        try (RandomAccessFile raw = new RandomAccessFile(damaged.toFile(), "rw")) {
            raw.seek(start + 3);
            int old = raw.read();
            raw.seek(start + 3);
            raw.write(old ^ 1);
        }
        ValidationReport report = Validator.validate(damaged, PACKED);
        assertThat(report.problems()).singleElement().asString().contains("token_embd.weight", "row 3, column 256");
    }

    private static long indexOf(byte[] file, byte[] part) {
        for (int i = 0; ; i++) {
            if (Arrays.equals(file, i, i + part.length, part, 0, part.length)) {
                return i;
            }
        }
    }
}
