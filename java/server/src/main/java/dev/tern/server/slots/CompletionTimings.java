package dev.tern.server.slots;

/**
 * What a completion has cost so far.
 *
 * @param cachedTokens tokens of the prompt that were in a slot already
 * @param promptTokens those that were computed
 * @param promptNanos from the slot's taking the request to the first token
 * @param generatedTokens tokens generated
 * @param generationNanos from the first token to the last
 * @param draftedTokens tokens guessed, and verified in the pass of a token before them
 * @param acceptedTokens those of them that were chosen
 */
public record CompletionTimings(
        int cachedTokens,
        int promptTokens,
        long promptNanos,
        int generatedTokens,
        long generationNanos,
        long draftedTokens,
        long acceptedTokens) {}
