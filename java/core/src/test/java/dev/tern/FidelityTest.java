package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.tern.checkpoint.Checkpoint;
import dev.tern.convert.Converter;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufTensor;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.kernels.FloatType;
import dev.tern.model.Npy;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/** Files against the checkpoint they were made from, and the checkpoint's own predictions against Hugging Face's. */
class FidelityTest {
    private static final Path DATA = Path.of(System.getProperty("tern.testdata"));
    private static final Path GOLDEN = DATA.resolve("golden");
    private static final int VOCAB = 4096;

    @TempDir
    Path folder;

    private static Path checkpoint(String variant) {
        return DATA.resolve("tiny-bitnet").resolve(variant);
    }

    private static String heldOut() throws IOException {
        return Files.readString(GOLDEN.resolve("heldout_text.txt"));
    }

    private static TextWindows windows(Path checkpoint, int most, int context) throws IOException {
        return TextWindows.of(Tokenizer.of(Vocabulary.ofCheckpoint(checkpoint, VOCAB)), heldOut(), most, context);
    }

    private ReferenceLogits reference(Path checkpoint, TextWindows text) {
        try (Checkpoint open = Checkpoint.open(checkpoint)) {
            return ReferenceLogits.of(open, text, folder, (done, all) -> {});
        }
    }

    private static Model model(Path file) {
        return Model.load(file, ModelOptions.builder().threads(2).cacheType(FloatType.F32).build());
    }

    @Test
    void theReferenceComputesHuggingFacesLogits() {
        float[] expected = Npy.floats(GOLDEN.resolve("prompt0_all_logits.npy"));
        int[] ids = JsonFile.read(GOLDEN.resolve("golden.json"))
                .path("prompts")
                .path(0)
                .path("ids")
                .valueStream()
                .mapToInt(JsonNode::asInt)
                .toArray();
        int[] two = Arrays.copyOf(ids, 4); // another window before it: each begins anew
        try (ReferenceLogits reference = reference(checkpoint("online-bf16"), new TextWindows(List.of(two, ids)))) {
            assertThat(reference.text().positions()).isEqualTo(3 + ids.length - 1);
            for (int t = 0; t < ids.length - 1; t++) {
                float[] row = reference.row(3 + t).toArray(ValueLayout.JAVA_FLOAT);
                assertThat(row)
                        .usingComparatorWithPrecision(1e-4f)
                        .containsExactly(Arrays.copyOfRange(expected, t * VOCAB, (t + 1) * VOCAB));
                if (t < 3) {
                    assertThat(reference.row(t).toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(row);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"online-bf16, online-bf16 float32", "packed-u8, packed-u8 float32"})
    void theReferencesPerplexityIsHuggingFaces(String variant, String golden) throws IOException {
        JsonNode results = JsonFile.read(GOLDEN.resolve("perplexity.json")).path("results");
        JsonNode expected = results.path(golden).path("chunked");
        TextWindows text = windows(checkpoint(variant), Integer.MAX_VALUE, 256);
        assertThat(text.positions()).isEqualTo(expected.path("n_scored").asInt());
        try (ReferenceLogits reference = reference(checkpoint(variant), text)) {
            assertThat(reference.perplexity()).isCloseTo(expected.path("ppl").asDouble(), withinPercentage(0.5));
        }
        assertThat(folder).isEmptyDirectory();
    }

    /** Every outtype holds T and, here, s exactly; BF16 holds the embedding. The engine reads the file as users do. */
    @ParameterizedTest
    @EnumSource(names = {"I2_S", "TQ1_0", "TL2", "Q8_0", "F32"})
    void aFileOfTheSameNumbersIsTheCheckpointToTheBit(Outtype outtype) throws IOException {
        Path gguf = folder.resolve("m.gguf");
        Converter.from(checkpoint("packed-u8")).outtype(outtype).embeddingType(GgmlType.BF16).to(gguf);
        TextWindows text = windows(checkpoint("packed-u8"), 70, 32);
        try (ReferenceLogits reference = reference(checkpoint("packed-u8"), text);
                Model model = model(gguf)) {
            Fidelity fidelity = Fidelity.measure(model, reference, (done, all) -> {});
            assertThat(fidelity).isEqualTo(
                    new Fidelity(reference.perplexity(), reference.perplexity(), 0, 0, 1, text.positions(), true));
            assertThat(text.positions()).isEqualTo(70); // BOS stands before each window
        }
    }

    @Test
    void aRoundedEmbeddingIsNearAndItsNumbersAreThoseOfTheDefinition() throws IOException {
        Path gguf = folder.resolve("m.gguf");
        Converter.from(checkpoint("packed-u8")).outtype(Outtype.I2_S).embeddingType(GgmlType.Q6_K).to(gguf);
        TextWindows text = windows(checkpoint("packed-u8"), 6, 4);
        try (ReferenceLogits reference = reference(checkpoint("packed-u8"), text);
                Model model = model(gguf)) {
            int[] heard = {0};
            Fidelity fidelity = Fidelity.measure(model, reference, (done, all) -> {
                assertThat(done).isEqualTo(++heard[0]);
                assertThat(all).isEqualTo(6);
            });
            assertThat(heard[0]).isEqualTo(6);
            assertThat(fidelity.identical()).isFalse();
            Definition definition = new Definition();
            try (Session session = model.session()) {
                int position = 0;
                for (int[] window : text.windows()) {
                    session.rewind(0);
                    for (int t = 0; t + 1 < window.length; t++) {
                        session.feed(window[t]);
                        definition.add(
                                reference.row(position++).toArray(ValueLayout.JAVA_FLOAT),
                                session.logits().toArray(ValueLayout.JAVA_FLOAT),
                                window[t + 1]);
                    }
                }
            }
            assertThat(fidelity.meanKl()).isBetween(1e-6, 0.05).isCloseTo(definition.kl / 6, within(1e-12));
            assertThat(fidelity.mostKl()).isCloseTo(definition.mostKl, within(1e-12));
            assertThat(fidelity.greedyAgreement()).isEqualTo(definition.agreeing / 6.0);
            assertThat(fidelity.perplexity()).isCloseTo(Math.exp(definition.nll / 6), withinPercentage(1e-9));
        }
    }

    /** The formulas as they stand in books, on decimal numbers of 40 digits where they are sums. */
    private static final class Definition {
        private static final MathContext DIGITS = new MathContext(40);
        double kl;
        double mostKl;
        double nll;
        int agreeing;

        void add(float[] expected, float[] found, int next) {
            BigDecimal[] p = softmax(expected);
            BigDecimal[] q = softmax(found);
            BigDecimal sum = BigDecimal.ZERO;
            for (int i = 0; i < p.length; i++) {
                double logOfRatio = Math.log(p[i].divide(q[i], DIGITS).doubleValue());
                sum = sum.add(p[i].multiply(BigDecimal.valueOf(logOfRatio), DIGITS));
            }
            kl += sum.doubleValue();
            mostKl = Math.max(mostKl, sum.doubleValue());
            nll -= Math.log(q[next].doubleValue());
            agreeing += largest(p) == largest(q) ? 1 : 0;
        }

        private static BigDecimal[] softmax(float[] logits) {
            BigDecimal[] e = new BigDecimal[logits.length];
            BigDecimal sum = BigDecimal.ZERO;
            for (int i = 0; i < logits.length; i++) {
                e[i] = BigDecimal.valueOf(Math.exp(logits[i]));
                sum = sum.add(e[i]);
            }
            for (int i = 0; i < e.length; i++) {
                e[i] = e[i].divide(sum, DIGITS);
            }
            return e;
        }

        private static int largest(BigDecimal[] values) {
            int best = 0;
            for (int i = 1; i < values.length; i++) {
                best = values[i].compareTo(values[best]) > 0 ? i : best;
            }
            return best;
        }
    }

    /** What the guide calls garbage: here a matrix that has become zero. */
    @Test
    void aDamagedFileIsFarAway() throws IOException {
        Path gguf = folder.resolve("m.gguf");
        Converter.from(checkpoint("packed-u8")).outtype(Outtype.I2_S).embeddingType(GgmlType.BF16).to(gguf);
        long offset;
        int bytes;
        try (GgufFile file = GgufFile.open(gguf)) {
            GgufTensor tensor = file.require("blk.1.ffn_down.weight");
            offset = file.data(tensor).address() - file.bytes().address();
            bytes = Math.toIntExact(tensor.rows() * tensor.cols() / 4);
        }
        try (RandomAccessFile raw = new RandomAccessFile(gguf.toFile(), "rw")) {
            byte[] zeros = new byte[bytes];
            Arrays.fill(zeros, (byte) 0b01010101); // code 1 is 0
            raw.seek(offset);
            raw.write(zeros);
        }
        try (ReferenceLogits reference = reference(checkpoint("packed-u8"), windows(checkpoint("packed-u8"), 100, 64));
                Model model = model(gguf)) {
            Fidelity fidelity = Fidelity.measure(model, reference, (done, all) -> {});
            assertThat(fidelity.meanKl()).isGreaterThan(0.2);
            assertThat(fidelity.mostKl()).isGreaterThan(1);
            assertThat(fidelity.greedyAgreement()).isLessThan(0.8);
            assertThat(fidelity.identical()).isFalse();
        }
    }

    @Test
    void aTextOfOneTokenIsTooShortAndAnInterruptedRunLeavesNothing() throws IOException {
        Tokenizer tokenizer = Tokenizer.of(Vocabulary.ofCheckpoint(checkpoint("packed-u8"), VOCAB));
        assertThatThrownBy(() -> TextWindows.of(tokenizer, "", 10, 16))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("too short");
        TextWindows text = windows(checkpoint("packed-u8"), 10, 16);
        assertThat(ReferenceLogits.bytes(text, VOCAB)).isEqualTo(10L * 4 * VOCAB);
        try (Checkpoint open = Checkpoint.open(checkpoint("packed-u8"))) {
            assertThatThrownBy(() -> ReferenceLogits.of(open, text, folder, (done, all) -> {
                        if (done > 2) {
                            throw new IllegalStateException("stop");
                        }
                    }))
                    .hasMessage("stop");
        }
        assertThat(folder).isEmptyDirectory();
    }
}
