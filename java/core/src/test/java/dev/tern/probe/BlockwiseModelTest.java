package dev.tern.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.Model;
import dev.tern.ModelOptions;
import dev.tern.Session;
import dev.tern.TestGguf;
import dev.tern.checkpoint.Checkpoint;
import dev.tern.gguf.GgufFile;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.KernelChoice;
import dev.tern.model.FfnActivation;
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ModelHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BlockwiseModelTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");
    private static final int[] IDS = IntStream.range(0, 40).map(i -> i == 0 ? 4080 : 37 * i % 4000).toArray();

    @TempDir
    Path folder;

    /** Block by block, in two batches of other lengths than the engine's, the logits are the engine's. */
    @ParameterizedTest
    @EnumSource(names = {"I2_S", "TQ1_0", "F16"})
    void logitsAreTheEnginesToTheBit(Outtype outtype) {
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            requireEqual(TestGguf.of(checkpoint, outtype).write(folder.resolve("m.gguf")), IDS);
        }
    }

    @Test
    void graphsWithoutSubNormsAndWithAHeadOfTheirOwnToo() {
        ModelHyperparameters llama = new ModelHyperparameters(
                "llama", "m", 300, 64, 256, 384, 3, 4, 2, 64, 64, 10_000f, 1e-5f, FfnActivation.SILU, false, false);
        requireEqual(
                TestGguf.random(llama, Outtype.I2_S, 7).write(folder.resolve("l.gguf")),
                IntStream.range(0, 30).map(i -> 11 * i % 300).toArray());
    }

    private static void requireEqual(Path gguf, int[] ids) {
        ModelOptions options = ModelOptions.builder().cacheType(FloatType.F32).build();
        try (Model model = Model.load(gguf, options);
                Session session = model.session();
                GgufFile file = GgufFile.open(gguf);
                ThreadTeam team = new ThreadTeam(2);
                Arena arena = Arena.ofShared()) {
            ModelHyperparameters graph = GgufHyperparameters.read(file);
            int vocab = graph.vocabSize();
            MemorySegment logits = arena.allocate(4L * vocab * ids.length, 64);
            int[] first = Arrays.copyOf(ids, 17);
            int[] rest = Arrays.copyOfRange(ids, 17, ids.length);
            try (BlockwiseModel blockwise = new BlockwiseModel(
                    new GgufBlocks(file, graph, LutTiles.none(), Rewrite.NONE),
                    KernelChoice.best().kernels(),
                    team,
                    ids.length)) {
                blockwise.evaluate(first, logits, (layer, states) -> {});
                blockwise.evaluate(rest, logits.asSlice(4L * vocab * first.length), (layer, states) -> {});
            }
            session.feed(ids, (position, row) -> {
                MemorySegment own = logits.asSlice(4L * vocab * position, 4L * vocab);
                assertThat(own.mismatch(row)).as("position %d", position).isEqualTo(-1);
            });
        }
    }
}
