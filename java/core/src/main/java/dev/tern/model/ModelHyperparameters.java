package dev.tern.model;

import dev.tern.codegen.ModelShape;

/**
 * The numbers that define a model's graph, whatever file they came from.
 *
 * @param architecture GGUF name: {@code bitnet-b1.58}, {@code bitnet-25}, {@code bitnet} or {@code llama}
 * @param name display name
 * @param vocabSize rows of the embedding
 * @param contextLength positions the model was trained for
 * @param hiddenSize width of the residual stream
 * @param intermediateSize width of the feed-forward network
 * @param layers number of blocks
 * @param heads query heads
 * @param kvHeads key and value heads; divides {@code heads}
 * @param headDim elements of a head, even
 * @param ropeDims leading elements of a head that are rotated, even
 * @param ropeTheta base of the rotation frequencies
 * @param normEps epsilon of every RMSNorm
 * @param activation gate of the feed-forward network
 * @param subNorms whether a norm stands before {@code o_proj} and before {@code down_proj}
 * @param tiedHead whether the embedding is also the head
 * @param lowRank ranks of the low-rank corrections beside the projections; {@link LowRankRanks#NONE} in most models
 * @param diffusionBlock tokens of a block ({@code bd_size}) that the model was fine-tuned to fill in by diffusion; 0 for
 *     an ordinary model. Tern decodes both one token after the other
 */
public record ModelHyperparameters(
        String architecture,
        String name,
        int vocabSize,
        int contextLength,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int ropeDims,
        float ropeTheta,
        float normEps,
        FfnActivation activation,
        boolean subNorms,
        boolean tiedHead,
        LowRankRanks lowRank,
        int diffusionBlock) {

    /** A model without low-rank corrections that is no diffusion model. */
    public ModelHyperparameters(
            String architecture,
            String name,
            int vocabSize,
            int contextLength,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int kvHeads,
            int headDim,
            int ropeDims,
            float ropeTheta,
            float normEps,
            FfnActivation activation,
            boolean subNorms,
            boolean tiedHead) {
        this(
                architecture,
                name,
                vocabSize,
                contextLength,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                headDim,
                ropeDims,
                ropeTheta,
                normEps,
                activation,
                subNorms,
                tiedHead,
                LowRankRanks.NONE,
                0);
    }

    /** The same model with these extensions. */
    public ModelHyperparameters with(LowRankRanks ranks, int block) {
        return with(architecture, activation, ranks, block);
    }

    /** The dimensions that decide the shapes of the ternary matrices. */
    public ModelShape shape() {
        return new ModelShape(hiddenSize, intermediateSize, heads, kvHeads, headDim);
    }

    /** The same model under another architecture's name; its graph stays as {@link #subNorms} says. */
    public ModelHyperparameters withArchitecture(String name) {
        return with(name, activation, lowRank, diffusionBlock);
    }

    /** The same model with another gate of the feed-forward network. */
    public ModelHyperparameters withActivation(FfnActivation other) {
        return with(architecture, other, lowRank, diffusionBlock);
    }

    private ModelHyperparameters with(
            String otherArchitecture, FfnActivation otherActivation, LowRankRanks ranks, int block) {
        return new ModelHyperparameters(
                otherArchitecture,
                name,
                vocabSize,
                contextLength,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                headDim,
                ropeDims,
                ropeTheta,
                normEps,
                otherActivation,
                subNorms,
                tiedHead,
                ranks,
                block);
    }
}
