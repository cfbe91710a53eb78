package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.TernaryMatrix;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class SyntheticCheckpointTest {
    /** Rows that are no multiple of four occur, in k and v (2 x 25) and in gate and up (331). */
    private static final ModelHyperparameters ODD = new ModelHyperparameters(
            "bitnet-b1.58", "odd", 1000, 128, 256, 331, 2, 4, 2, 50, 50, 10_000f, 1e-6f,
            FfnActivation.RELU_SQUARED, true, false);

    @TempDir
    private Path temp;

    @ParameterizedTest
    @EnumSource(names = {"ONLINE", "PACKED"})
    void isReadAsWhatItWasAskedToBe(WeightFormat format) {
        SyntheticCheckpoint.of(ODD).format(format).seed(7).to(temp.resolve("odd"));
        try (Checkpoint checkpoint = Checkpoint.open(temp.resolve("odd"))) {
            assertThat(checkpoint.hyperparameters()).isEqualTo(ODD);
            assertThat(checkpoint.format()).isEqualTo(format);
            assertThat(checkpoint.notes()).isEmpty();
            assertThat(checkpoint.bosTokenId()).hasValue(984);
            assertThat(checkpoint.eosTokenIds()).containsExactly(985, 993);
            Set<Float> scales = new HashSet<>();
            for (CheckpointTensor tensor : checkpoint.tensors()) {
                if (tensor.ternary()) {
                    assertTernaryOfGaussian(tensor, checkpoint.readTernary(tensor));
                    scales.add(checkpoint.readTernary(tensor).scale());
                }
            }
            assertThat(scales).as("no two matrices share a scale").hasSizeGreaterThan(10);
        }
    }

    /**
     * 31.03 % zeros and equal signs for a normal distribution; the smallest matrix has 100 x 256 weights: 5 sigma = 1.5
     * %.
     */
    private static void assertTernaryOfGaussian(CheckpointTensor tensor, TernaryMatrix matrix) {
        int[] counts = new int[3];
        for (byte t : matrix.values()) {
            counts[t + 1]++;
        }
        double n = matrix.values().length;
        assertThat(counts[1] / n).as(tensor.name()).isBetween(0.29, 0.326);
        assertThat((counts[2] - counts[0]) / n).as(tensor.name()).isBetween(-0.03, 0.03);
        assertThat(matrix.scale() * Math.sqrt(matrix.cols())).as(tensor.name()).isBetween(0.9, 1.5);
    }

    @ParameterizedTest
    @EnumSource(names = {"ONLINE", "PACKED"})
    void theSameSeedGivesTheSameBytesAndAnotherSeedOthers(WeightFormat format) throws IOException {
        SyntheticCheckpoint.of(ODD).format(format).seed(1).to(temp.resolve("a"));
        SyntheticCheckpoint.of(ODD).format(format).seed(1).to(temp.resolve("b"));
        SyntheticCheckpoint.of(ODD).format(format).seed(2).to(temp.resolve("c"));
        for (String name : new String[] {"model.safetensors", "config.json", "tokenizer.json"}) {
            assertThat(temp.resolve("a").resolve(name)).hasSameBinaryContentAs(temp.resolve("b").resolve(name));
        }
        assertThat(Files.mismatch(temp.resolve("a/model.safetensors"), temp.resolve("c/model.safetensors")))
                .isPositive();
    }

    @Test
    void knowsTheReferenceModel() {
        SyntheticCheckpoint reference = SyntheticCheckpoint.like("2b-4t");
        assertThat(reference.byteSize()).isEqualTo(2 * 2_412_820_480L);
        // a quarter of a byte for each ternary weight, two for every other, and 210 scales
        assertThat(reference.format(WeightFormat.PACKED).byteSize())
                .isEqualTo(2_084_044_800L / 4 + 2 * (328_335_360L + 440_320L) + 2 * 210);
        assertThatThrownBy(() -> SyntheticCheckpoint.like("70b"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("expected bitnet-b1.58-2B-4T, DLM-2B");
    }

    /**
     * Sums of the published dimensions: a wrong number of layers, heads or tokens changes them. Falcon-E-3B is known to
     * take 999 MB, Falcon-E-1B 665 MB, Falcon3-7B 3.27 GB.
     */
    @ParameterizedTest
    @CsvSource({
        "bitnet-b1.58-2B-4T, ONLINE, 4825640960",
        "DLM-2B, ONLINE, 4825646080",
        "bitnet_b1_58-large, ONLINE, 2915371008",
        "bitnet_b1_58-3B, ONLINE, 6648775680",
        "Llama3-8B-1.58-100B-tokens, PACKED, 3846709696",
        "Falcon3-1B, PACKED, 1357009148",
        "Falcon3-7B, PACKED, 3273480584",
        "Falcon3-10B, PACKED, 3986135600",
        "Falcon-E-1B, PACKED, 664998224",
        "Falcon-E-3B, PACKED, 998511040",
        "SmolLM2-135M, ONLINE, 269156736",
        "TriLM-3.9B, TERNARY_FLOATS, 7984232448"
    })
    void knowsPublishedModelsByTheirSize(String preset, WeightFormat format, long bytes) {
        assertThat(SyntheticCheckpoint.like(preset).format(format).byteSize()).isEqualTo(bytes);
    }

    /** Measurements refer to these bytes, and expected logits were computed from some of them. */
    @Test
    void theBytesOfASeedStayWhatTheyAre() throws Exception {
        SyntheticCheckpoint.like("2b-4t").layers(1).vocabulary(300).seed(7).to(temp.resolve("one"));
        assertThat(sha256(temp.resolve("one/model.safetensors")))
                .isEqualTo("7ef2c6c899367ed6f0387e752a3c524e995a87c08500cf76c78c5836b2abb16a");
        assertThat(sha256(temp.resolve("one/config.json")))
                .isEqualTo("e9af82ce8cbf43f573a40898123c6b1b7384fb10733b8aeec57edfe1049d50f7");
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }

    @Test
    void takesDimensionsFromAConfigFile() {
        SyntheticCheckpoint.ofConfig(TestCheckpoints.ONLINE.resolve("config.json"))
                .format(WeightFormat.PACKED)
                .to(temp.resolve("tiny"));
        try (Checkpoint synthetic = Checkpoint.open(temp.resolve("tiny"));
                Checkpoint trained = Checkpoint.open(TestCheckpoints.PACKED)) {
            assertThat(synthetic.tensors()).isEqualTo(trained.tensors());
            assertThat(synthetic.eosTokenIds()).isEqualTo(trained.eosTokenIds());
            assertThat(synthetic.bosTokenId()).isEqualTo(trained.bosTokenId());
        }
    }

    @Test
    void reportsProgressUpToTheWhole() {
        long[] last = new long[2];
        SyntheticCheckpoint synthetic = SyntheticCheckpoint.of(ODD).progress((bytes, total) -> {
            assertThat(bytes).isGreaterThan(last[0]);
            last[0] = bytes;
            last[1] = total;
        });
        synthetic.to(temp.resolve("odd"));
        assertThat(last).containsExactly(synthetic.byteSize(), synthetic.byteSize());
    }

    @Test
    void leavesAnExistingCheckpointAlone() throws IOException {
        Files.writeString(temp.resolve("config.json"), "mine");
        assertThatThrownBy(() -> SyntheticCheckpoint.of(ODD).to(temp))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("config.json")
                .hasMessageContaining("exists already");
        assertThat(temp.resolve("config.json")).hasContent("mine");
        assertThat(temp.toFile().list()).containsExactly("config.json");
        SyntheticCheckpoint.of(ODD).overwrite(true).to(temp);
        Checkpoint.open(temp).close();
    }

    /** A tokenizer of another kind that stayed would be read instead of the new one, or beside it. */
    @ParameterizedTest
    @ValueSource(strings = {"tokenizer.model", "added_tokens.json"})
    void filesOfAnotherTokenizerBelongToTheCheckpointToo(String name) throws IOException {
        Files.writeString(temp.resolve(name), "mine");
        assertThatThrownBy(() -> SyntheticCheckpoint.of(ODD).to(temp))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(name + ": exists already");
        assertThat(temp.resolve(name)).hasContent("mine");
        SyntheticCheckpoint.of(ODD).overwrite(true).to(temp);
        assertThat(temp.resolve(name)).doesNotExist();
        Checkpoint.open(temp).close();
    }

    @Test
    void leavesNothingWhenItIsInterrupted() throws IOException {
        SyntheticCheckpoint interrupted = SyntheticCheckpoint.of(ODD).progress((bytes, total) -> {
            throw new IllegalStateException("interrupted");
        });
        Path made = temp.resolve("made");
        assertThatThrownBy(() -> interrupted.to(made)).hasMessage("interrupted");
        assertThat(made).doesNotExist();

        Path existing = Files.createDirectory(temp.resolve("existing"));
        Files.writeString(existing.resolve("notes.txt"), "mine");
        assertThatThrownBy(() -> interrupted.to(existing)).hasMessage("interrupted");
        assertThat(existing.toFile().list()).containsExactly("notes.txt");
    }

    @Test
    void aFileInTheFoldersPlaceIsSaid() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "mine");
        assertThatThrownBy(() -> SyntheticCheckpoint.of(ODD).to(file))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("expected a folder, found a file");
    }

    @Test
    void refusesAVocabularyThatCannotHoldTheBytes() {
        ModelHyperparameters small = new ModelHyperparameters(
                "llama", "small", 271, 128, 64, 64, 1, 1, 1, 64, 64, 1e4f, 1e-5f, FfnActivation.SILU, false, true);
        assertThatThrownBy(() -> SyntheticCheckpoint.of(small).to(temp.resolve("small")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("expected at least 272, found 271");
    }

    /** Has the trained model's tokenizer's shape, ids without gaps, and merges of earlier tokens only. */
    @ParameterizedTest
    @ValueSource(ints = {272, 300, 4096, 30_000, 128_256})
    void writesAConsistentTokenizer(int vocabSize) {
        byte[] file = SyntheticTokenizer.of(SyntheticTokenizer.Kind.LLAMA3, vocabSize).files(64).get("tokenizer.json");
        ObjectNode tokenizer = JsonFile.parse(file, "tokenizer.json");
        ObjectNode trained = JsonFile.read(TestCheckpoints.ONLINE.resolve("tokenizer.json"));
        assertThat(tokenizer.propertyNames()).containsExactlyElementsOf(trained.propertyNames());
        assertThat(tokenizer.get("pre_tokenizer")).isEqualTo(trained.get("pre_tokenizer"));
        assertThat(tokenizer.get("decoder")).isEqualTo(trained.get("decoder"));
        JsonNode model = tokenizer.get("model");
        assertThat(model.propertyNames()).containsExactlyInAnyOrderElementsOf(trained.get("model").propertyNames());

        Map<String, Integer> ids = new HashMap<>();
        model.get("vocab").properties().forEach(entry -> ids.put(entry.getKey(), entry.getValue().intValue()));
        trained.get("model").get("vocab").properties().stream()
                .filter(entry -> entry.getValue().intValue() < 256)
                .forEach(entry -> assertThat(ids).containsEntry(entry.getKey(), entry.getValue().intValue()));
        int merged = 256;
        List<String> wrong = new ArrayList<>();
        for (JsonNode merge : model.get("merges")) {
            String left = merge.get(0).stringValue();
            String right = merge.get(1).stringValue();
            boolean ofEarlier = ids.getOrDefault(left, merged) < merged && ids.getOrDefault(right, merged) < merged;
            if (!ofEarlier || ids.getOrDefault(left + right, -1) != merged) {
                wrong.add(left + " " + right);
            }
            merged++;
        }
        assertThat(wrong).isEmpty();
        assertThat(ids).hasSize(merged);
        for (JsonNode special : tokenizer.get("added_tokens")) {
            assertThat(special.get("id").intValue()).isEqualTo(merged++);
        }
        assertThat(merged).isEqualTo(vocabSize);
    }

    @ParameterizedTest
    @ValueSource(ints = {272, 4096, 128_256})
    void tokenizesAndBack(int vocabSize) {
        ModelHyperparameters model = new ModelHyperparameters(
                "llama", "words", vocabSize, 128, 2, 2, 1, 1, 1, 2, 2, 1e4f, 1e-5f, FfnActivation.SILU, false, true);
        SyntheticCheckpoint.of(model).to(temp.resolve("words"));
        Tokenizer tokenizer = Tokenizer.of(Vocabulary.ofCheckpoint(temp.resolve("words"), vocabSize));
        String text = "bakelo tiru, 12 dünne Zwerge!";
        int[] ids = tokenizer.encode(text, true, true);
        assertThat(ids[0]).isEqualTo(tokenizer.find("<|begin_of_text|>").orElseThrow());
        assertThat(tokenizer.decode(ids, true)).isEqualTo(text);
        assertThat(tokenizer.encode(text, false, true)).hasSize(ids.length - 1);
        assertThat(tokenizer.isEnd(tokenizer.find("<|eot_id|>").orElseThrow())).isTrue();
        if (vocabSize == 128_256) {
            assertThat(tokenizer.encode("bakeba tiru", false, true)).as("whole words").hasSize(2);
        }
    }
}
