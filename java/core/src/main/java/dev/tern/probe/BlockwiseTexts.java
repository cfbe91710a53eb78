package dev.tern.probe;

import dev.tern.kernels.Kernels;
import dev.tern.model.BlockRunner;
import dev.tern.model.LayerWeights;
import dev.tern.model.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Several texts, each from the first position on, through {@link Blocks} together: each block and each piece of the
 * head is read once, whatever their number. Of a text the residual stream is kept, {@code [tokens][hidden]} float32;
 * never all logits. They are those of {@link BlockwiseModel} to the bit.
 */
public final class BlockwiseTexts {
    /** All blocks use one cache of keys and values, one after the other: each begins anew and overwrites it. */
    private static final int CACHE = 0;

    private final Blocks blocks;
    private final Kernels kernels;
    private final ThreadTeam team;

    /** @param team who computes; stays open */
    public BlockwiseTexts(Blocks blocks, Kernels kernels, ThreadTeam team) {
        this.blocks = blocks;
        this.kernels = kernels;
        this.team = team;
    }

    /** Receives logits, a piece of the vocabulary at a time; and hears how far the work is. */
    public interface Sink {
        /** Told before each of {@code all} blocks, then of {@code all} pieces of the head: {@code done} lie behind. */
        void progress(int done, int all);

        /**
         * Takes the logits of a text.
         *
         * @param text its index
         * @param firstId the lowest id of the piece
         * @param count ids of the piece
         * @param logits float32 {@code [tokens][count]}, valid during the call
         */
        void accept(int text, int firstId, int count, MemorySegment logits);
    }

    /**
     * Computes the logits of every position.
     *
     * @param texts ids of each text, at least one
     */
    public void evaluate(List<int[]> texts, Sink sink) {
        int longest = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
        int layers = blocks.model().layers();
        int pieces = Math.ceilDiv(blocks.model().vocabSize(), Blocks.HEAD_PIECE);
        BlockRunner runner = new BlockRunner(blocks.model(), kernels, team, longest);
        try (runner;
                Arena arena = Arena.ofShared()) {
            List<MemorySegment> states = texts.stream()
                    .map(text -> {
                        MemorySegment stream = runner.states(arena, text.length);
                        blocks.embed(text, stream);
                        return stream;
                    })
                    .toList();
            for (int layer = 0; layer < layers; layer++) {
                sink.progress(layer, layers + pieces);
                try (Arena weights = Arena.ofShared()) {
                    LayerWeights block = blocks.layer(layer, weights);
                    for (int i = 0; i < texts.size(); i++) {
                        runner.block(CACHE, block, states.get(i), 0, texts.get(i).length);
                    }
                }
            }
            MemorySegment norm = blocks.outputNorm(Arena.ofAuto());
            for (int i = 0; i < texts.size(); i++) { // in place: nothing needs the stream any more
                MemorySegment stream = states.get(i);
                MemorySegment normed = runner.outputNorm(stream, texts.get(i).length, norm);
                MemorySegment.copy(normed, 0, stream, 0, stream.byteSize());
            }
            int most = Math.min(Blocks.HEAD_PIECE, blocks.model().vocabSize());
            MemorySegment logits = arena.allocate(4L * longest * most, 64);
            blocks.head((piece, firstRow) -> {
                sink.progress(layers + firstRow / Blocks.HEAD_PIECE, layers + pieces);
                for (int i = 0; i < texts.size(); i++) {
                    runner.head(states.get(i), texts.get(i).length, piece, 0, logits, piece.rows());
                    sink.accept(i, firstRow, piece.rows(), logits);
                }
            });
        }
    }
}
