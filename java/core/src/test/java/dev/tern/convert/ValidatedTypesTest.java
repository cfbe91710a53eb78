package dev.tern.convert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.gguf.GgmlType;
import dev.tern.inspect.FindingKind;
import dev.tern.inspect.Inspection.Finding;
import dev.tern.inspect.Inspection.Severity;
import dev.tern.inspect.Inspector;
import dev.tern.model.FfnActivation;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import dev.tern.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tensors of types that Tern does not compute with make a file invalid, whatever they hold. */
class ValidatedTypesTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");
    private static final ModelHyperparameters LLAMA = new ModelHyperparameters(
            "llama", "f", 4096, 256, 256, 256, 1, 4, 2, 64, 64, 10_000f, 1e-5f, FfnActivation.SILU, false, true);
    private static final ModelHyperparameters CORRECTED = new ModelHyperparameters(
                    "bitnet-b1.58", "f", 4096, 256, 256, 256, 1, 4, 2, 64, 64, 10_000f, 1e-5f,
                    FfnActivation.RELU_SQUARED, true, true)
            .with(new LowRankRanks(8, 8, 8, 8, 8, 8, 8), 0);

    @TempDir
    Path folder;

    private static TestGguf small(ModelHyperparameters model) {
        TestGguf gguf = TestGguf.random(model, Outtype.I2_S, 5);
        gguf.metadata.putAll(Vocabulary.ofCheckpoint(PACKED, 4096).toGguf());
        return gguf;
    }

    private static void retype(TestGguf gguf, String name, GgmlType type) {
        long[] dims = gguf.tensors.get(name).dims();
        int rows = dims.length > 1 ? (int) dims[1] : 1;
        gguf.tensors.put(name, new TestGguf.Entry(type, dims, new byte[(int) type.bytes(dims[0], rows)]));
    }

    /** What llama.cpp's users have most of. */
    @ParameterizedTest
    @EnumSource(names = {"Q4_K", "Q5_K", "Q6_K", "Q3_K", "IQ4_XS", "Q5_0"})
    void anOrdinaryModelIsNotValid(GgmlType type) {
        TestGguf gguf = small(LLAMA);
        gguf.tensors.keySet().stream().filter(name -> name.matches("blk.*(attn_[qkv]|output|gate|up|down).weight")).toList()
                .forEach(name -> retype(gguf, name, type));
        ValidationReport report = Validator.validate(gguf.write(folder.resolve("m.gguf")), null);
        assertThat(report.problems()).hasSize(7).allMatch(problem -> problem.contains("of type " + type + ", which Tern"));
    }

    @ParameterizedTest
    @CsvSource({
        "token_embd.weight, Q4_0, embedding and head",
        "token_embd.weight, TQ1_0, embedding and head",
        "output_norm.weight, F16, norms",
        "blk.0.attn_norm.weight, BF16, norms",
        "blk.0.ffn_up.lrc_u, I8, low-rank corrections",
        "blk.0.ffn_up.lrc_v, F16, but its U is F32",
        "blk.0.ffn_up.lrc_u, F16, but its U is F16",
    })
    void floatsOfOtherTypesAreProblemsAndErrors(String tensor, GgmlType type, String words) {
        TestGguf gguf = small(CORRECTED);
        Path file = gguf.write(folder.resolve("m.gguf"));
        assertThat(Validator.validate(file, null).problems()).isEmpty();
        assertThat(errors(file)).isEmpty();
        retype(gguf, tensor, type);
        gguf.write(file);
        assertThat(Validator.validate(file, null).problems()).singleElement().asString().contains(words);
        assertThat(errors(file)).extracting(Finding::kind).containsExactly(FindingKind.UNREADABLE_TYPE);
    }

    /** Types that blocks compute embeddings in are no ternary type, and are looked through nevertheless. */
    @Test
    void scalesOfAnEmbeddingsBlocksAreLookedAt() {
        TestGguf gguf = small(CORRECTED);
        retype(gguf, "token_embd.weight", GgmlType.Q8_0);
        byte[] bytes = gguf.tensors.get("token_embd.weight").bytes();
        bytes[(3 * 8 + 2) * 34 + 1] = 0x7C;
        assertThat(Validator.validate(gguf.write(folder.resolve("m.gguf")), null).problems())
                .singleElement().asString().contains("block at row 3, column 64");
        assertThat(errors(folder.resolve("m.gguf"))).extracting(Finding::kind).containsExactly(FindingKind.NOT_FINITE);
    }

    private static List<Finding> errors(Path file) {
        return Inspector.inspect(file, new Inspector.Options(null, true, text -> {})).findings().stream()
                .filter(finding -> finding.severity() == Severity.ERROR)
                .toList();
    }
}
