package dev.tern.model;

import java.lang.foreign.MemorySegment;

/** Sees the intermediate values of a forward pass, for tests. Called by one thread while all others wait. */
interface ForwardTrace {
    /**
     * A value has been computed.
     *
     * @param layer the block, or -1 before and after them
     * @param name as GGML names the node: {@code attn_norm}, {@code q}, {@code ffn_down}, {@code l_out}, ...
     * @param values float32 {@code [tokens][width]}
     */
    void computed(int layer, String name, MemorySegment values, int tokens, int width);
}
