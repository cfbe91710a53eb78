package dev.tern.model;

import dev.tern.kernels.Projection;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One block of the graph: its weights, and what is done to the tokens in front of its products.
 *
 * @param entry in front of q, k and v
 * @param output the projection behind the attention
 * @param middle in front of gate and up
 * @param down the projection behind the gate
 */
record Block(LayerWeights weights, TokenStep entry, Output output, TokenStep middle, Output down) {

    /**
     * A projection whose result is added to the residual stream.
     *
     * @param input what is done to the tokens in front of it
     * @param side its low-rank correction
     * @param name of its result
     */
    record Output(PassStage kind, TokenStep input, Projection w, @Nullable LowRank side, String name) {

        /** Its input before it is quantized. */
        MemorySegment x(Scratch scratch) {
            return input.norm() == null ? input.in() : scratch.normed;
        }
    }

    static Block of(int layer, LayerWeights w, Scratch s) {
        LowRankWeights side = w.lowRank();
        TokenStep attended =
                new TokenStep(layer, null, s.mixed, s.queries, w.attnSubNorm(), "attn_sub_norm", w.attnOutput());
        TokenStep gated = new TokenStep(layer, null, s.gate, s.intermediate, w.ffnSubNorm(), "ffn_sub_norm", w.down());
        return new Block(
                w,
                new TokenStep(layer, layer == 0 ? null : "l_out", s.x, s.hidden, w.attnNorm(), "attn_norm", w.q()),
                new Output(PassStage.OUTPUT, attended, w.attnOutput(), side.attnOutput(), "attn_out"),
                new TokenStep(layer, "ffn_inp", s.x, s.hidden, w.ffnNorm(), "ffn_norm", w.gate()),
                new Output(PassStage.DOWN, gated, w.down(), side.down(), "ffn_down"));
    }

    /** What follows the embedding in a graph without blocks: the norm in front of the head. */
    static TokenStep entryWithoutBlocks(MemorySegment outputNorm, Scratch s) {
        return new TokenStep(0, null, s.x, s.hidden, outputNorm, "result_norm", null);
    }

    /** What follows the last block: the norm in front of the head, or none where no logits are wanted. */
    static TokenStep exit(int layers, @Nullable MemorySegment outputNorm, Scratch s) {
        return new TokenStep(layers, "l_out", s.x, s.hidden, outputNorm, "result_norm", null);
    }
}
