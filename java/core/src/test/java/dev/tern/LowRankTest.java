package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.convert.Validator;
import dev.tern.gguf.GgufValue;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Kernels;
import dev.tern.kernels.Tier;
import dev.tern.model.FfnActivation;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Models with low-rank corrections: the same bits whoever computes, and what is wrong with a file is said. */
class LowRankTest {
    private static final LowRankRanks RANKS = new LowRankRanks(40, 6, 6, 33, 70, 25, 25);
    private static final ModelHyperparameters GRAPH = new ModelHyperparameters(
            "bitnet-b1.58", "", 90, 64, 256, 384, 2, 4, 1, 64, 64, 500000, 1e-5f, FfnActivation.RELU_SQUARED, true, true,
            RANKS, 0);
    private static final int[] IDS = {7, 3, 79, 0, 12, 12, 44, 61, 5, 30, 2, 78, 9, 9, 1, 80, 33};

    private @TempDir Path folder;
    private TestGguf gguf = TestGguf.random(GRAPH, Outtype.I2_S, 5);
    private int[][] expected = {};

    @BeforeEach
    void computeOnce() {
        gguf = TestGguf.random(GRAPH, Outtype.I2_S, 5);
        expected = bits(gguf.write(folder.resolve("model.gguf")), options().threads(1).batchSize(64).build());
    }

    private static ModelOptions.Builder options() {
        return ModelOptions.builder();
    }

    private static int[][] bits(Path file, ModelOptions options) {
        int[][] rows = new int[IDS.length][];
        try (Model model = Model.load(file, options);
                Session session = model.session()) {
            session.feed(IDS, (position, logits) -> rows[position] = logits.toArray(ValueLayout.JAVA_INT));
        }
        return rows;
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void everyTierGivesTheSameBits(Tier tier) {
        Kernels kernels;
        try {
            kernels = KernelChoice.of(tier);
        } catch (KernelUnavailableException e) {
            assumeThat(false).as(e.getMessage()).isTrue();
            return;
        }
        assertThat(bits(folder.resolve("model.gguf"), options().threads(2).kernels(kernels).build()))
                .isDeepEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 5", "2, 1", "2, 5", "2, 64", "3, 7"})
    void anyNumberOfThreadsAndAnyBatchGiveTheSameBits(int threads, int batch) {
        assertThat(bits(folder.resolve("model.gguf"), options().threads(threads).batchSize(batch).build()))
                .isDeepEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource(names = {"TL1", "TL2", "F32"})
    void lookedUpOrMultipliedItIsTheSame(Outtype outtype) {
        Path file = TestGguf.random(GRAPH, outtype, 5).write(folder.resolve("other.gguf"));
        assertThat(bits(file, options().threads(2).build())).isDeepEqualTo(expected);
    }

    @Test
    void theCorrectionsCount() {
        for (String name : new String[] {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
            TestGguf without = TestGguf.random(GRAPH, Outtype.I2_S, 5);
            TestGguf.Entry u = without.tensors.get("blk.1." + name + ".lrc_u");
            without.tensors.put("blk.1." + name + ".lrc_u", new TestGguf.Entry(u.type(), u.dims(), new byte[u.bytes().length]));
            int[][] bits = bits(without.write(folder.resolve("without.gguf")), options().build());
            assertThat(bits[IDS.length - 1]).as(name).isNotEqualTo(expected[IDS.length - 1]);
        }
    }

    @Test
    void aRankThatIsNotTheTensorsIsRefused() {
        gguf.metadata.put("bitnet-b1.58.lrc_rank", GgufValue.u32(64));
        Path file = gguf.write(folder.resolve("rank.gguf"));
        assertThatThrownBy(() -> Model.load(file))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("lrc_rank")
                .hasMessageContaining("70")
                .hasMessageContaining("found 64");
    }

    @Test
    void halfACorrectionIsRefused() {
        gguf.tensors.remove("blk.1.ffn_up.lrc_v");
        Path file = gguf.write(folder.resolve("half.gguf"));
        assertThatThrownBy(() -> Model.load(file))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("blk.1.ffn_up.lrc_v");
        assertThat(Validator.validate(file, null).problems()).anyMatch(problem -> problem.contains("blk.1.ffn_up.lrc_v"));
    }

    @Test
    void anotherRankInALaterBlockIsRefused() {
        TestGguf.Entry u = gguf.tensors.get("blk.1.attn_q.lrc_u");
        gguf.tensors.put("blk.1.attn_q.lrc_u", new TestGguf.Entry(u.type(), new long[] {20, 512}, u.bytes()));
        Path file = gguf.write(folder.resolve("uneven.gguf"));
        assertThatThrownBy(() -> Model.load(file))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("blk.1.attn_q.lrc_u")
                .hasMessageContaining("[40, 256]");
    }
}
