package dev.tern.model;

import dev.tern.kernels.Kernels;
import dev.tern.kernels.Projection;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What is done to each token by itself between two products: what the sub-layer computed is added to the residual
 * stream, the input of the next product normed, quantized, and tabulated where that product looks sums up. All of it in
 * one pass over a token, which stays in the first-level cache meanwhile.
 *
 * @param layer the block of the norm
 * @param sum name of the residual stream once delta has been added to it; null where nothing is added
 * @param in what is normed, {@code [tokens][width]}
 * @param norm its weights; null where the graph has none
 * @param name of the normed values
 * @param consumer the product that they are quantized for; null where they are not
 */
record TokenStep(
        int layer,
        @Nullable String sum,
        MemorySegment in,
        int width,
        @Nullable MemorySegment norm,
        String name,
        @Nullable Projection consumer) {

    /** Executes steps; any number of threads, each with its own tokens. */
    record Executor(Kernels kernels, float eps, Scratch scratch, @Nullable LutMultiplier lut) {

        /** Of tokens [begin, end) of a batch of {@code tokens}. */
        void run(TokenStep step, int tokens, int begin, int end) {
            for (int t = begin; t < end; t++) {
                if (step.sum != null) {
                    kernels.add(scratch.x, scratch.delta, (long) t * scratch.hidden, scratch.hidden);
                }
                MemorySegment source = step.in;
                int width = step.width;
                if (step.norm != null) {
                    kernels.rmsNorm(step.in, width, step.norm, eps, width, t, t + 1, scratch.normed, width);
                    source = scratch.normed;
                }
                if (step.consumer != null) {
                    kernels.quantize(source, width, width, t, t + 1, scratch.quantized);
                    if (lut != null) {
                        lut.buildTables(step.consumer, scratch.quantized, tokens, t, t + 1);
                    }
                }
            }
        }
    }
}
