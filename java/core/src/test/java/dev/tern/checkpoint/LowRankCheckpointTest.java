package dev.tern.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Percentage.withPercentage;

import dev.tern.checkpoint.TestCheckpoints.Content;
import dev.tern.convert.Converter;
import dev.tern.convert.Validator;
import dev.tern.gguf.GgmlType;
import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.model.FfnActivation;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.LowRankRanks;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.probe.BlockwiseModel;
import dev.tern.probe.CheckpointBlocks;
import dev.tern.probe.Rewrite;
import dev.tern.probe.Rewrites;
import dev.tern.probe.Rounding;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints whose projections have low-rank corrections, as their trainer saves them and as they become GGUF. */
class LowRankCheckpointTest {
    private static final String Q = "model.layers.0.self_attn.q_proj.";

    @TempDir
    private Path folder;

    private SequencedMap<String, Content> tensors;

    @BeforeEach
    void write() {
        SyntheticCheckpoint.like("BitNet-2B-4T-LRC").small().layers(1).vocabulary(300).to(folder.resolve("checkpoint"));
        tensors = TestCheckpoints.tensors(weights());
    }

    private Path weights() {
        return folder.resolve("checkpoint/model.safetensors");
    }

    private Checkpoint open() {
        TestCheckpoints.write(weights(), tensors);
        return Checkpoint.open(folder.resolve("checkpoint"));
    }

    private static TernaryMatrix query(Checkpoint checkpoint) {
        return checkpoint.readTernary(checkpoint.tensors().stream()
                .filter(tensor -> tensor.name().equals("blk.0.attn_q.weight"))
                .findFirst()
                .orElseThrow());
    }

    /** T / (1/m) in bf16, which a layer keeps beside its weights, or instead of them. */
    private Content derived(TernaryMatrix matrix) {
        float[] values = new float[matrix.values().length];
        for (int i = 0; i < values.length; i++) {
            values[i] = matrix.values()[i] * matrix.scale();
        }
        return Content.bf16(List.of((long) matrix.rows(), (long) matrix.cols()), values);
    }

    @Test
    void ranksAreThoseOfTheTensors() {
        try (Checkpoint checkpoint = open()) {
            // A tenth of 256 for all but k and v, which have 64 rows.
            assertThat(checkpoint.hyperparameters().lowRank()).isEqualTo(new LowRankRanks(25, 6, 6, 25, 25, 25, 25));
            assertThat(checkpoint.tensors()).anyMatch(tensor -> tensor.name().equals("blk.0.ffn_down.lrc_v")
                    && tensor.source().equals("model.layers.0.mlp.down_proj.lrc_V")
                    && tensor.rows() == 768
                    && tensor.cols() == 25
                    && !tensor.ternary());
        }
    }

    @Test
    void whatWasDerivedFromTheWeightsIsIgnoredAndNoted() {
        TernaryMatrix before;
        try (Checkpoint checkpoint = open()) {
            before = query(checkpoint);
        }
        tensors.put(Q + "weight_quantized", derived(before));
        try (Checkpoint checkpoint = open()) {
            assertThat(query(checkpoint).values()).isEqualTo(before.values());
            assertThat(query(checkpoint).scale()).isEqualTo(before.scale());
            assertThat(checkpoint.notes()).anyMatch(note -> note.contains(Q + "weight_quantized"));
        }
    }

    @Test
    void itIsReadWhereTheWeightsWereThrownAway() {
        TernaryMatrix before;
        try (Checkpoint checkpoint = open()) {
            before = query(checkpoint);
        }
        tensors.put(Q + "weight_quantized", derived(before));
        tensors.put(Q + "weight", Content.bf16(List.of(0L)));
        try (Checkpoint checkpoint = open()) {
            assertThat(query(checkpoint).values()).isEqualTo(before.values());
            assertThat(query(checkpoint).scale()).isCloseTo(before.scale(), withPercentage(0.4));
        }
    }

    /** Rows of q, k and of their U in GGUF's order, read so, are the model as it was. */
    @Test
    void correctionsFollowTheOrderOfTheirRows() {
        SyntheticCheckpoint.like("BitNet-2B-4T-LRC").small().layers(1).vocabulary(300).format(WeightFormat.TERNARY_FLOATS)
                .overwrite(true).to(folder.resolve("checkpoint"));
        tensors = TestCheckpoints.tensors(weights());
        double[] expected;
        int headDim;
        try (Checkpoint checkpoint = open()) {
            headDim = checkpoint.hyperparameters().headDim();
            expected = negativeLog(checkpoint, Rewrite.NONE);
        }
        for (String name : List.of("q_proj.weight", "q_proj.lrc_U", "k_proj.weight", "k_proj.lrc_U")) {
            tensors.computeIfPresent("model.layers.0.self_attn." + name, (key, content) -> interleaved(content, headDim));
        }
        try (Checkpoint checkpoint = open()) {
            assertThat(negativeLog(checkpoint, Rewrite.NONE)).isNotEqualTo(expected);
            assertThat(negativeLog(checkpoint, Rewrites.interleavedRope(headDim))).isEqualTo(expected);
        }
    }

    /** llama.cpp's permute: reshape(heads, 2, dim / 2, cols).swapaxes(1, 2). */
    private static Content interleaved(Content content, int headDim) {
        int rows = content.shape().getFirst().intValue();
        int rowBytes = content.bytes().length / rows;
        byte[] bytes = new byte[content.bytes().length];
        for (int row = 0; row < rows; row++) {
            int in = row % headDim;
            int from = row - in + in % 2 * (headDim / 2) + in / 2;
            System.arraycopy(content.bytes(), from * rowBytes, bytes, row * rowBytes, rowBytes);
        }
        return new Content(content.type(), content.shape(), bytes);
    }

    private static double[] negativeLog(Checkpoint checkpoint, Rewrite rewrite) {
        int[] ids = IntStream.range(0, 30).map(i -> 11 * i % 300).toArray();
        CheckpointBlocks blocks =
                new CheckpointBlocks(checkpoint, checkpoint.hyperparameters(), Rounding.NONE, rewrite);
        try (ThreadTeam team = new ThreadTeam(2);
                BlockwiseModel model = new BlockwiseModel(blocks, KernelChoice.best().kernels(), team, ids.length)) {
            return model.negativeLog(ids);
        }
    }

    @Test
    void halvesAndOtherRanksAreRefused() {
        Content v = tensors.remove(Q + "lrc_V");
        assertThatThrownBy(this::open).isInstanceOf(InputException.class).hasMessageContaining(Q + "lrc_V");
        Content u = tensors.remove(Q + "lrc_U");
        tensors.put(Q + "lrc_V", v);
        assertThatThrownBy(this::open).isInstanceOf(InputException.class).hasMessageContaining(Q + "lrc_V");
        tensors.put(Q + "lrc_U", new Content(u.type(), List.of(u.shape().get(1), u.shape().get(0)), u.bytes()));
        assertThatThrownBy(this::open).isInstanceOf(InputException.class).hasMessageContaining("lrc_");
        tensors.put(Q + "lrc_U", u);
        tensors.put(Q + "lrc_U_linear.weight", u);
        assertThatThrownBy(this::open)
                .isInstanceOf(InputException.class)
                .hasMessageContaining("have no place")
                .hasMessageContaining("lrc_U_linear");
    }

    @Test
    void becomesFloat16TensorsAndTwoKeys() {
        Path gguf = folder.resolve("model.gguf");
        open().close();
        Converter.from(folder.resolve("checkpoint")).embeddingType(GgmlType.F16).to(gguf);
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(file.integer("bitnet-b1.58.lrc_rank")).contains(25);
            assertThat(file.require("blk.0.attn_k.lrc_u").type()).isEqualTo(GgmlType.F16);
            assertThat(file.require("blk.0.attn_k.lrc_u").dims()).containsExactly(6, 64);
            assertThat(file.require("blk.0.attn_k.lrc_v").dims()).containsExactly(6, 256);
        }
    }

    /** Rows of U follow those of q and k: [heads, 2, headDim/2] becomes [heads, headDim/2, 2], as in the formula. */
    @Test
    void isPermutedWithItsProjectionInLlamas() {
        ModelHyperparameters llama = new ModelHyperparameters(
                "llama", "l", 300, 64, 256, 256, 1, 4, 2, 32, 32, 1e4f, 1e-5f, FfnActivation.SILU, false, false,
                new LowRankRanks(5, 3, 2, 0, 0, 0, 4), 0);
        Path checkpoint = folder.resolve("llama");
        SyntheticCheckpoint.of(llama).to(checkpoint);
        Path gguf = folder.resolve("llama.gguf");
        assertThat(Converter.from(checkpoint).embeddingType(GgmlType.BF16).validate(true).to(gguf).validation().ok())
                .isTrue();
        assertThat(Validator.validate(gguf, checkpoint).problems()).isEmpty();
        SequencedMap<String, Content> original = TestCheckpoints.tensors(checkpoint.resolve("model.safetensors"));
        try (GgufFile file = GgufFile.open(gguf)) {
            assertThat(GgufHyperparameters.read(file).lowRank()).isEqualTo(llama.lowRank());
            for (String name : new String[] {"q", "k", "v"}) {
                float[] from = original.get("model.layers.0.self_attn." + name + "_proj.lrc_U").bf16Values();
                short[] to = file.data(file.require("blk.0.attn_" + name + ".lrc_u"))
                        .toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
                int heads = name.equals("q") ? 4 : 2;
                int rank = from.length / (heads * 32);
                for (int head = 0; head < heads; head++) {
                    for (int half = 0; half < 2; half++) {
                        for (int pair = 0; pair < 16; pair++) {
                            for (int j = 0; j < rank; j++) {
                                int hf = (head * 32 + half * 16 + pair) * rank + j;
                                int at = name.equals("v") ? hf : (head * 32 + 2 * pair + half) * rank + j;
                                assertThat(Float.intBitsToFloat(to[at] << 16)).isEqualTo(from[hf]);
                            }
                        }
                    }
                }
            }
        }
    }
}
