package dev.tern;

/**
 * What a generation has cost so far. Only Tern's own time counts, not what the caller does between tokens.
 *
 * @param promptTokens tokens of the prompt
 * @param generatedTokens tokens generated
 * @param prefillSeconds evaluating the prompt
 * @param firstTokenSeconds from the first call to the first token: prefill and choosing it
 * @param decodeSeconds all later tokens
 * @param draftedTokens tokens guessed, and verified in the pass of a token before them ({@link DraftOptions})
 * @param acceptedTokens those of them that were chosen and so needed no pass of their own
 */
public record GenerationStats(
        int promptTokens,
        int generatedTokens,
        double prefillSeconds,
        double firstTokenSeconds,
        double decodeSeconds,
        long draftedTokens,
        long acceptedTokens) {

    /** Prompt tokens a second; 0 when nothing was measured. */
    public double prefillTokensPerSecond() {
        return prefillSeconds > 0 ? promptTokens / prefillSeconds : 0;
    }

    /** Tokens a second after the first one; 0 when there was none. */
    public double decodeTokensPerSecond() {
        return decodeSeconds > 0 && generatedTokens > 1 ? (generatedTokens - 1) / decodeSeconds : 0;
    }
}
