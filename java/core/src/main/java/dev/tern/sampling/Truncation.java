package dev.tern.sampling;

/**
 * Which tokens are dropped because they are unlikely. Each filter looks at what the ones before it have left.
 *
 * @param topK keep the k most likely tokens; 0 keeps all
 * @param topP keep the most likely tokens until their probabilities reach this sum; 1 keeps all
 * @param minP drop tokens less likely than this share of the most likely one; 0 drops none
 * @param typicalP keep the tokens whose surprise is nearest to the entropy until their probabilities exceed this sum
 *     (Meister et al., "Locally Typical Sampling", 2022), which may drop the most likely; 1 keeps all
 * @param topNSigma drop tokens whose logit is more than this many standard deviations of the logits below the largest
 *     (Tang et al., "Top-nσ", 2024); 0 or less drops none
 * @param minKeep top-p, min-p, typical-p and XTC leave at least so many tokens, where there are as many; 0 asks for
 *     none
 */
public record Truncation(int topK, float topP, float minP, float typicalP, float topNSigma, int minKeep) {

    /** @throws IllegalArgumentException when a number is outside its range */
    public Truncation {
        SamplingOptions.require(topK >= 0, "top-k", "0 (off) or more", topK);
        SamplingOptions.require(topP > 0 && topP <= 1, "top-p", "more than 0, up to 1 (off)", topP);
        SamplingOptions.require(minP >= 0 && minP <= 1, "min-p", "from 0 (off) to 1", minP);
        SamplingOptions.require(typicalP > 0 && typicalP <= 1, "typical-p", "more than 0, up to 1 (off)", typicalP);
        SamplingOptions.require(Float.isFinite(topNSigma), "top-n-sigma", "a number; 0 or less is off", topNSigma);
        SamplingOptions.require(minKeep >= 0, "min-keep", "0 or more", minKeep);
    }
}
