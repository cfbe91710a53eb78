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
import dev.tern.model.GgufHyperparameters;
import dev.tern.model.ThreadTeam;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockwiseTextsTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");
    private static final int VOCAB = 4096;

    @TempDir
    Path folder;

    private static int[] text(int tokens, int step) {
        return IntStream.range(0, tokens).map(i -> i == 0 ? 4080 : step * i % 4000).toArray();
    }

    /** A short text behind a long one, which is longer than a cache is at first, and one as long again. */
    @Test
    void eachTextsLogitsAreTheEnginesToTheBit() {
        List<int[]> texts = List.of(text(300, 37), text(20, 11), text(300, 91));
        Path gguf = folder.resolve("m.gguf");
        try (Checkpoint checkpoint = Checkpoint.open(PACKED)) {
            TestGguf.of(checkpoint, Outtype.I2_S).write(gguf);
        }
        try (Model model = Model.load(
                        gguf, ModelOptions.builder().cacheType(FloatType.F32).build());
                Session session = model.session();
                GgufFile file = GgufFile.open(gguf);
                ThreadTeam team = new ThreadTeam(2);
                Arena arena = Arena.ofShared()) {
            List<MemorySegment> logits = texts.stream()
                    .map(ids -> arena.allocate(4L * VOCAB * ids.length, 64))
                    .toList();
            List<Integer> heard = new ArrayList<>();
            Blocks blocks = new GgufBlocks(file, GgufHyperparameters.read(file), LutTiles.none(), Rewrite.NONE);
            new BlockwiseTexts(blocks, KernelChoice.best().kernels(), team).evaluate(texts, new BlockwiseTexts.Sink() {
                @Override
                public void progress(int done, int all) {
                    heard.add(done);
                    assertThat(all).isEqualTo(5); // four blocks and a head of one piece
                }

                @Override
                public void accept(int text, int firstId, int count, MemorySegment piece) {
                    for (int t = 0; t < texts.get(text).length; t++) {
                        long to = 4L * ((long) t * VOCAB + firstId);
                        MemorySegment.copy(piece, 4L * t * count, logits.get(text), to, 4L * count);
                    }
                }
            });
            assertThat(heard).containsExactly(0, 1, 2, 3, 4);
            for (int i = 0; i < texts.size(); i++) {
                MemorySegment own = logits.get(i);
                session.rewind(0);
                session.feed(texts.get(i), (position, row) -> assertThat(
                                own.asSlice(4L * VOCAB * position, 4L * VOCAB).mismatch(row))
                        .as("position %d", position)
                        .isEqualTo(-1));
            }
        }
    }
}
