package dev.tern.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.TestGguf;
import dev.tern.gguf.GgufFile;
import dev.tern.kernels.KernelChoice;
import dev.tern.model.FfnActivation;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import dev.tern.ternary.TernaryMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file as a faulty converter writes it, read with the fault in mind, is the good file to the bit. */
class RewritesTest {
    private static final int HEAD_DIM = 64;
    private static final ModelHyperparameters LLAMA = new ModelHyperparameters(
            "llama", "m", 5000, 64, 256, 512, 2, 4, 2, HEAD_DIM, HEAD_DIM, 10_000f, 1e-5f, FfnActivation.SILU, false, false);
    private static final List<String> PROJECTIONS =
            List.of("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down");

    @TempDir
    Path folder;

    private static List<byte[]> rows(TernaryMatrix m) {
        List<byte[]> rows = new ArrayList<>();
        for (int r = 0; r < m.rows(); r++) {
            rows.add(Arrays.copyOfRange(m.values(), r * m.cols(), (r + 1) * m.cols()));
        }
        return rows;
    }

    private static TernaryMatrix of(List<byte[]> rows, float scale) {
        int cols = rows.getFirst().length;
        byte[] values = new byte[rows.size() * cols];
        for (int r = 0; r < rows.size(); r++) {
            System.arraycopy(rows.get(r), 0, values, r * cols, cols);
        }
        return new TernaryMatrix(rows.size(), cols, values, scale);
    }

    /** Packs rows j, j+N/4, j+2N/4, j+3N/4 together, unpacks them as rows 4j to 4j+3. */
    private static List<byte[]> misread(List<byte[]> rows) {
        int quarter = rows.size() / 4;
        List<byte[]> result = new ArrayList<>();
        for (int j = 0; j < quarter; j++) {
            for (int i = 0; i < 4; i++) {
                result.add(rows.get(j + i * quarter));
            }
        }
        return result;
    }

    /** llama.cpp's permute: reshape(heads, 2, dim / 2, cols).swapaxes(1, 2). */
    private static List<byte[]> interleaved(List<byte[]> rows) {
        List<byte[]> result = new ArrayList<>();
        for (int head = 0; head < rows.size(); head += HEAD_DIM) {
            for (int p = 0; p < HEAD_DIM / 2; p++) {
                result.add(rows.get(head + p));
                result.add(rows.get(head + HEAD_DIM / 2 + p));
            }
        }
        return result;
    }

    /** q and k were interleaved for llama after they had been unpacked wrongly. */
    @Test
    void aLlamaUnpackedAsConsecutiveRows() {
        Random random = new Random(8);
        TestGguf good = TestGguf.random(LLAMA, Outtype.TQ2_0, 7);
        TestGguf faulty = TestGguf.random(LLAMA, Outtype.TQ2_0, 7);
        for (int layer = 0; layer < LLAMA.layers(); layer++) {
            for (String projection : PROJECTIONS) {
                String name = "blk." + layer + "." + projection + ".weight";
                long[] dims = good.tensors.get(name).dims();
                byte[] values = new byte[(int) (dims[0] * dims[1])];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (byte) (random.nextInt(3) - 1);
                }
                List<byte[]> model = rows(new TernaryMatrix((int) dims[1], (int) dims[0], values, 1));
                boolean rotated = projection.equals("attn_q") || projection.equals("attn_k");
                UnaryOperator<List<byte[]>> order = rotated ? RewritesTest::interleaved : rows -> rows;
                good.ternary(name, Outtype.TQ2_0, of(order.apply(model), 0.0625f));
                faulty.ternary(name, Outtype.TQ2_0, of(order.apply(misread(model)), 0.0625f));
            }
        }
        double[] expected = negativeLog(good, Rewrite.NONE);
        assertThat(negativeLog(faulty, Rewrite.NONE)).isNotEqualTo(expected);
        assertThat(negativeLog(faulty, Rewrites.unpackedAsConsecutiveRows())).isNotEqualTo(expected);
        assertThat(negativeLog(faulty, Rewrites.unpackedAsConsecutiveRowsThenInterleaved(HEAD_DIM))).isEqualTo(expected);
    }

    /** Softmax over all logits at once, in double, is what the pieces of the head add up to. */
    @Test
    void likelihoodsOfPiecesAreThoseOfTheWhole() {
        int[] ids = ids();
        Path file = TestGguf.random(LLAMA, Outtype.TQ2_0, 7).write(folder.resolve("m.gguf"));
        double[] found = negativeLog(file, Rewrite.NONE);
        int vocab = LLAMA.vocabSize();
        assertThat(vocab).isGreaterThan(Blocks.HEAD_PIECE);
        try (GgufFile open = GgufFile.open(file);
                ThreadTeam team = new ThreadTeam(2);
                Arena arena = Arena.ofShared();
                BlockwiseModel model = model(open, Rewrite.NONE, team)) {
            MemorySegment logits = arena.allocate(4L * vocab * ids.length, 64);
            model.evaluate(ids, logits, (layer, states) -> {});
            float[] all = logits.toArray(ValueLayout.JAVA_FLOAT);
            for (int t = 0; t + 1 < ids.length; t++) {
                int row = t * vocab;
                double sum = IntStream.range(0, vocab).mapToDouble(i -> Math.exp(all[row + i])).sum();
                assertThat(found[t]).isCloseTo(Math.log(sum) - all[row + ids[t + 1]], Offset.offset(1e-9));
            }
        }
    }

    private static int[] ids() {
        return IntStream.range(0, 30).map(i -> 317 * i % LLAMA.vocabSize()).toArray();
    }

    private static BlockwiseModel model(GgufFile file, Rewrite rewrite, ThreadTeam team) {
        return new BlockwiseModel(
                new GgufBlocks(file, GgufHyperparameters.read(file), LutTiles.none(), rewrite),
                KernelChoice.best().kernels(),
                team,
                ids().length);
    }

    private double[] negativeLog(TestGguf gguf, Rewrite rewrite) {
        return negativeLog(gguf.write(folder.resolve("m.gguf")), rewrite);
    }

    private static double[] negativeLog(Path path, Rewrite rewrite) {
        try (GgufFile file = GgufFile.open(path);
                ThreadTeam team = new ThreadTeam(2);
                BlockwiseModel model = model(file, rewrite, team)) {
            return model.negativeLog(ids());
        }
    }
}
