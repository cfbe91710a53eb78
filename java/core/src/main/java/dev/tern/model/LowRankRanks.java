package dev.tern.model;

import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Ranks r of the low-rank corrections beside the seven projections of every block: matrices U {@code [out][r]} and V
 * {@code [in][r]} of floats, which add U · (Vᵀ · x) to the projection of x ("Low-Rank Correction for Quantized LLMs",
 * arXiv 2412.07902). 0 where a projection has none. All blocks are alike.
 *
 * @param q of {@code attn_q}
 * @param k of {@code attn_k}
 * @param v of {@code attn_v}
 * @param attnOutput of {@code attn_output}
 * @param gate of {@code ffn_gate}
 * @param up of {@code ffn_up}
 * @param down of {@code ffn_down}
 */
public record LowRankRanks(int q, int k, int v, int attnOutput, int gate, int up, int down) {
    /** No corrections at all. */
    public static final LowRankRanks NONE = new LowRankRanks(0, 0, 0, 0, 0, 0, 0);

    /**
     * The ranks that a block's tensors show.
     *
     * @param rankOf the rank beside a projection, by its GGUF name within the block such as {@code attn_q}; 0 for none
     */
    public static LowRankRanks of(ToIntFunction<String> rankOf) {
        return new LowRankRanks(
                rankOf.applyAsInt("attn_q"),
                rankOf.applyAsInt("attn_k"),
                rankOf.applyAsInt("attn_v"),
                rankOf.applyAsInt("attn_output"),
                rankOf.applyAsInt("ffn_gate"),
                rankOf.applyAsInt("ffn_up"),
                rankOf.applyAsInt("ffn_down"));
    }

    /** The largest; 0 when there are no corrections. */
    public int largest() {
        return IntStream.of(q, k, v, attnOutput, gate, up, down).max().orElse(0);
    }
}
