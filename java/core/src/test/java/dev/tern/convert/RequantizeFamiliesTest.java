package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.Session;
import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.gguf.GgufLayout;
import dev.tern.gguf.GgufTensor;
import dev.tern.gguf.GgufValue;
import dev.tern.gguf.GgufWriter;
import dev.tern.io.AtomicFile;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.TensorShape;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** GGUF to GGUF with all that families have beside seven ternary matrices a block: nothing of it is lost or changed. */
class RequantizeFamiliesTest {
    private static final int[] IDS = {300, 17, 942, 5, 5, 611};
    private static final String ZEROS = "blk.0.attn_k.weight";
    private static final String SCALED = "blk.1.ffn_down";

    @TempDir
    Path folder;

    /**
     * The source has a matrix of zeros in F16 among its types, a factor beside a projection, and its embedding (and
     * head) in Q8_0. It becomes what auto chooses, then floats throughout, then what auto chooses again.
     */
    @ParameterizedTest
    @CsvSource({
        "DLM-2B, bitnet-b1.58.bd_size, tokenizer.ggml.mask_token_id",
        "BitNet-2B-4T-LRC, bitnet-b1.58.lrc_rank, ",
        "bitnet_b1_58-3B, bitnet.context_length, ", // no columns of a multiple of 128
        "SmolLM2-135M, bitnet.hidden_activation, ", // tq1_0 for down, q4_0 for the others
        "Falcon3-1B, llama.vocab_size, tokenizer.ggml.eos_token_id", // a head of its own
    })
    void everythingIsCarriedOver(String preset, String key, String tokenKey) throws Exception {
        Path checkpoint = folder.resolve("checkpoint");
        SyntheticCheckpoint.like(preset).small().format(WeightFormat.PACKED).seed(5).to(checkpoint);
        Path made = folder.resolve("made.gguf");
        Converter.from(checkpoint).embeddingType(GgmlType.Q8_0).to(made);
        Path source = change(made, folder.resolve("source.gguf"));
        try (GgufFile file = GgufFile.open(source)) {
            assertThat(file.metadata()).containsKey(key);
            assertThat(tokenKey == null || file.metadata().containsKey(tokenKey)).isTrue();
            assertThat(file.tensors().stream().anyMatch(tensor -> TensorShape.isLowRank(tensor.name())))
                    .isEqualTo(preset.contains("LRC"));
        }
        int[] expected = logits(source);

        Path kept = convert(Converter.from(source), source, "kept");
        Path floats = convert(
                Converter.from(kept).outtype(Outtype.F32).embeddingType(GgmlType.F32), kept, "floats");
        Path back = convert(Converter.from(floats).embeddingType(GgmlType.Q8_0), floats, "back");
        for (Path each : new Path[] {kept, floats, back}) {
            requireSameRest(source, each);
            assertThat(logits(each)).as(each.toString()).isEqualTo(expected);
        }
        assertThat(type(kept, "token_embd.weight")).isEqualTo(GgmlType.Q8_0);
        assertThat(type(floats, "token_embd.weight")).isEqualTo(GgmlType.F32);
        // Q8_0 of what Q8_0 holds is the same, as is a ternary matrix whose s was rounded before.
        assertThat(Files.mismatch(back, kept)).isEqualTo(-1);
    }

    /** Where the columns allow it; the kernels compute with the stored numbers, and so with their bits in float32. */
    @ParameterizedTest
    @CsvSource({"BitNet-2B-4T-LRC", "Falcon3-1B"})
    void embeddingsInQ6KAreReadAndWritten(String preset) {
        Path checkpoint = folder.resolve("checkpoint");
        SyntheticCheckpoint.like(preset).small().format(WeightFormat.PACKED).seed(6).to(checkpoint);
        Path source = folder.resolve("source.gguf");
        Converter.from(checkpoint).to(source);
        Path sixBits = convert(Converter.from(source).embeddingType(GgmlType.Q6_K), source, "q6_k");
        Path again = convert(Converter.from(sixBits).outtype(Outtype.Q8_0), sixBits, "again");
        Path floats = convert(Converter.from(sixBits).embeddingType(GgmlType.F32), sixBits, "f32");
        Path eightBits = convert(Converter.from(sixBits).embeddingType(GgmlType.Q8_0), sixBits, "q8_0");
        assertThat(type(again, "token_embd.weight")).isEqualTo(GgmlType.Q6_K);
        assertThat(logits(again)).isEqualTo(logits(sixBits));
        assertThat(logits(floats)).isEqualTo(logits(sixBits));
        assertThat(logits(eightBits)).isNotEqualTo(logits(sixBits));
        requireSameRest(source, eightBits);
    }

    private Path convert(Converter converter, Path source, String name) {
        Path target = folder.resolve(name + ".gguf");
        ConversionReport report = converter.validate(true).to(target);
        assertThat(report.validation().problems()).isEmpty();
        assertThat(Validator.validate(target, source).problems()).isEmpty();
        return target;
    }

    private static GgmlType type(Path gguf, String tensor) {
        try (GgufFile file = GgufFile.open(gguf)) {
            return file.require(tensor).type();
        }
    }

    /** Copies a file with one matrix replaced by zeros in F16, and a factor added that multiplies another's output. */
    private static Path change(Path gguf, Path target) {
        try (GgufFile file = GgufFile.open(gguf); AtomicFile out = AtomicFile.create(target, false)) {
            GgufLayout.Builder layout = GgufLayout.builder();
            file.metadata().forEach(layout::metadata);
            for (GgufTensor tensor : file.tensors()) {
                layout.tensor(tensor.name(), tensor.name().equals(ZEROS) ? GgmlType.F16 : tensor.type(), tensor.dims());
            }
            layout.tensor(SCALED + ".scale", GgmlType.F32, 1);
            GgufWriter writer = new GgufWriter(layout.build(), out);
            for (GgufTensor tensor : file.tensors()) {
                boolean zeros = tensor.name().equals(ZEROS);
                writer.write(
                        tensor.name(),
                        zeros ? MemorySegment.ofArray(new byte[2 * (int) tensor.elements()]) : file.data(tensor));
            }
            writer.write(SCALED + ".scale", MemorySegment.ofArray(new byte[] {0, 0, 0x40, 0x3F})); // 0.75
            writer.finish();
            out.commit();
        }
        return target;
    }

    /** Names, order, dimensions, metadata, and the bytes of what is neither projection nor embedding. */
    private static void requireSameRest(Path source, Path made) {
        try (GgufFile a = GgufFile.open(source); GgufFile b = GgufFile.open(made)) {
            assertThat(b.tensors()).extracting(GgufTensor::name)
                    .containsExactlyElementsOf(a.tensors().stream().map(GgufTensor::name).toList());
            for (GgufTensor tensor : a.tensors()) {
                GgufTensor found = b.require(tensor.name());
                assertThat(found.dims()).isEqualTo(tensor.dims());
                boolean changes = TensorShape.isProjection(tensor.name())
                        || Set.of("token_embd.weight", "output.weight").contains(tensor.name());
                if (!changes) {
                    assertThat(found.type()).isEqualTo(tensor.type());
                    assertThat(b.data(found).mismatch(a.data(tensor))).as(tensor.name()).isEqualTo(-1);
                }
            }
            for (Map.Entry<String, GgufValue> pair : a.metadata().entrySet()) {
                GgufValue found = b.metadata().get(pair.getKey());
                assertThat(found).as(pair.getKey()).isNotNull();
                assertThat(pair.getKey().equals("general.file_type")
                                || Objects.deepEquals(found.value(), pair.getValue().value()))
                        .as(pair.getKey())
                        .isTrue();
            }
            assertThat(GgufHyperparameters.read(b)).isEqualTo(GgufHyperparameters.read(a));
            assertThat(Vocabulary.ofGguf(b)).isEqualTo(Vocabulary.ofGguf(a));
        }
    }

    private static int[] logits(Path gguf) {
        try (Model model = Model.load(gguf, ModelOptions.builder().threads(2).batchSize(8).build());
                Session session = model.session()) {
            session.feed(IDS);
            return session.logits().toArray(ValueLayout.JAVA_INT);
        }
    }
}
