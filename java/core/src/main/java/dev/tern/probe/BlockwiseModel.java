package dev.tern.probe;

import dev.tern.kernels.Kernels;
import dev.tern.model.BlockRunner;
import dev.tern.model.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** One sequence on its way through {@link Blocks}, of which one is in memory at a time. Not thread-safe. */
public final class BlockwiseModel implements AutoCloseable {
    private final Blocks blocks;
    private final BlockRunner runner;
    private int position;

    /** @param positions most tokens of the sequence */
    public BlockwiseModel(Blocks blocks, Kernels kernels, ThreadTeam team, int positions) {
        this.blocks = blocks;
        this.runner = new BlockRunner(blocks.model(), kernels, team, positions);
    }

    /** Sees the residual stream behind each block. */
    @FunctionalInterface
    public interface StateSink {
        /** Float32 {@code [tokens][hidden]} after block {@code layer}. */
        void after(int layer, MemorySegment states);
    }

    /**
     * Appends tokens to the sequence.
     *
     * @param logits float32 {@code [ids.length][vocab]}
     */
    public void evaluate(int[] ids, MemorySegment logits, StateSink sink) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment states = states(ids, arena, sink);
            logits(blocks, runner, states, ids.length, logits);
        }
    }

    /**
     * Appends tokens to the sequence and says how likely each but the first was. The head passes in pieces, so that
     * never all logits are in memory.
     *
     * @return negative log-likelihoods in nats, {@code ids.length - 1} values; NaN where logits are not finite
     */
    public double[] negativeLog(int[] ids) {
        Likelihood likelihood = new Likelihood(ids);
        try (Arena arena = Arena.ofShared()) {
            MemorySegment states = states(ids, arena, (layer, after) -> {});
            MemorySegment input = runner.outputNorm(states, ids.length, blocks.outputNorm(Arena.ofAuto()));
            int most = Math.min(Blocks.HEAD_PIECE, blocks.model().vocabSize());
            MemorySegment logits = arena.allocate(4L * ids.length * most, 64);
            blocks.head((piece, firstRow) -> {
                runner.head(input, ids.length, piece, 0, logits, piece.rows());
                likelihood.add(logits, firstRow, piece.rows());
            });
        }
        return likelihood.negativeLog();
    }

    /** The residual stream behind the last block. */
    private MemorySegment states(int[] ids, Arena arena, StateSink sink) {
        MemorySegment states = runner.states(arena, ids.length);
        blocks.embed(ids, states);
        for (int layer = 0; layer < blocks.model().layers(); layer++) {
            try (Arena weights = Arena.ofShared()) {
                runner.block(layer, blocks.layer(layer, weights), states, position, ids.length);
            }
            sink.after(layer, states);
        }
        position += ids.length;
        return states;
    }

    /** The last norm and the head of {@code blocks}. */
    public static void logits(Blocks blocks, BlockRunner runner, MemorySegment states, int tokens, MemorySegment logits) {
        MemorySegment input = runner.outputNorm(states, tokens, blocks.outputNorm(Arena.ofAuto()));
        int vocab = blocks.model().vocabSize();
        blocks.head((piece, firstRow) -> runner.head(input, tokens, piece, firstRow, logits, vocab));
    }

    @Override
    public void close() {
        runner.close();
    }
}
