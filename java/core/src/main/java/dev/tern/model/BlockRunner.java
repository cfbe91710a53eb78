package dev.tern.model;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.FloatWeights;
import dev.tern.kernels.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs one sequence through a model block by block, so that of its weights one block at a time need be in memory. The
 * states between blocks and the logits are those of {@link Engine} to the bit, whatever batches the sequence is cut
 * into. Not thread-safe; {@link #close} frees the keys and values, not the team.
 */
public final class BlockRunner implements AutoCloseable {
    /** Rows of the head that members take at a time. */
    private static final int HEAD_ROWS = 512;

    private final ModelHyperparameters model;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final int positions;
    private final int[] rows;
    private final @Nullable KvCache[] caches;
    private final MemorySegment stream; // [positions][hidden]: what the block at hand reads
    private final MemorySegment normed;
    private @Nullable Forward forward; // of a model of one block, whose embedding is the stream

    /**
     * A runner for one sequence.
     *
     * @param team who computes; stays open
     * @param positions most tokens of the sequence
     */
    public BlockRunner(ModelHyperparameters model, Kernels kernels, ThreadTeam team, int positions) {
        this.model = model;
        this.kernels = kernels;
        this.team = team;
        this.positions = positions;
        this.rows = IntStream.range(0, positions).toArray();
        this.caches = new KvCache[model.layers()];
        this.stream = states(Arena.ofAuto(), positions);
        this.normed = states(Arena.ofAuto(), positions);
    }

    /** The graph that is run. */
    public ModelHyperparameters model() {
        return model;
    }

    /** Room for the residual stream of {@code tokens} tokens: float32 {@code [tokens][hidden]}. */
    public MemorySegment states(Arena arena, int tokens) {
        return arena.allocate(4L * tokens * model.hiddenSize(), 64);
    }

    /**
     * Sends tokens through a block.
     *
     * @param layer index of the block; its keys and values of earlier positions are remembered
     * @param weights of the block; not used after the call
     * @param states the residual stream, float32 {@code [tokens][hidden]}; replaced by what the block makes of it
     * @param position of the first token
     */
    public void block(int layer, LayerWeights weights, MemorySegment states, int position, int tokens) {
        if (tokens < 1 || position < 0 || position > positions - tokens) {
            throw new IllegalArgumentException(tokens + " tokens at position " + position + " of " + positions);
        }
        KvCache cache = caches[layer];
        if (cache == null) {
            cache = new KvCache(1, model.kvHeads(), model.headDim(), positions, FloatType.F32);
            caches[layer] = cache;
        }
        cache.reserve(position + tokens, position);
        MemorySegment.copy(states, 0, stream, 0, 4L * tokens * model.hiddenSize());
        Forward block = forward;
        if (block == null) {
            block = forward(weights);
            forward = block;
        }
        block.replace(0, weights);
        ForwardTrace last = (at, name, values, count, width) -> {
            if (name.equals("l_out")) {
                MemorySegment.copy(values, 0, states, 0, 4L * count * width);
            }
        };
        TokenSpan span = new TokenSpan(cache, position, rows, 0, tokens, tokens, MemorySegment.NULL, 0);
        block.evaluate(List.of(span), null, last);
    }

    /** Of a model of one block, the residual stream behind it is what is computed last. */
    private Forward forward(LayerWeights weights) {
        FloatWeights embedding = FloatWeights.of(Arena.ofAuto(), stream, positions, model.hiddenSize(), FloatType.F32);
        ModelWeights block = new ModelWeights(embedding, List.of(weights), weights.attnNorm(), embedding);
        return new Forward(model, block, kernels, team, positions);
    }

    /**
     * The last norm, in front of the head.
     *
     * @param states after the last block
     * @param outputNorm {@code [hidden]}
     * @return float32 {@code [tokens][hidden]}, valid until the next call
     */
    public MemorySegment outputNorm(MemorySegment states, int tokens, MemorySegment outputNorm) {
        int hidden = model.hiddenSize();
        kernels.rmsNorm(states, hidden, outputNorm, model.normEps(), hidden, 0, tokens, normed, hidden);
        return normed;
    }

    /**
     * Logits of some rows of the head.
     *
     * @param input what {@link #outputNorm} gave
     * @param piece consecutive rows of the head
     * @param logits float32 {@code [tokens][stride]}; columns {@code [firstRow, firstRow + piece.rows())} are written
     * @param stride logits of a token, the vocabulary's size
     */
    public void head(
            MemorySegment input, int tokens, FloatWeights piece, int firstRow, MemorySegment logits, long stride) {
        MemorySegment out = logits.asSlice(4L * firstRow);
        int shares = Math.ceilDiv(piece.rows(), HEAD_ROWS);
        team.run(member -> {
            for (int i; (i = team.claim(member, shares)) >= 0; team.complete(shares)) {
                int end = Math.min(piece.rows(), (i + 1) * HEAD_ROWS);
                kernels.floatMatmul(piece, input, model.hiddenSize(), tokens, i * HEAD_ROWS, end, out, stride);
            }
            team.endStage(member);
        });
    }

    @Override
    public void close() {
        for (KvCache cache : caches) {
            if (cache != null) {
                cache.close();
            }
        }
    }
}
