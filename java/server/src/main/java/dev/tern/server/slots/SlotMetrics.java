package dev.tern.server.slots;

/**
 * What the slots have done since they were made. Counters but for the last two; times are those of single requests,
 * which overlap.
 *
 * @param promptTokens tokens of prompts that were computed
 * @param cachedTokens tokens of prompts that some slot had computed before
 * @param promptNanos from a slot's taking a request to its first token, summed up
 * @param generatedTokens tokens generated
 * @param generationNanos from a request's first token to its last, summed up
 * @param draftedTokens tokens guessed and verified in the pass of a token before them
 * @param acceptedTokens those of them that were chosen
 * @param passes passes over the weights
 * @param slotsInPasses slots that had tokens in a pass, summed up over the passes
 * @param maxTokens most tokens that a slot has held
 * @param completed requests that came to their end
 * @param cancelled requests that nobody read to the end
 * @param failed requests that an error ended
 * @param refused requests that found the queue full
 * @param processing requests in slots, now
 * @param waiting requests that wait for a slot, now
 */
public record SlotMetrics(
        long promptTokens,
        long cachedTokens,
        long promptNanos,
        long generatedTokens,
        long generationNanos,
        long draftedTokens,
        long acceptedTokens,
        long passes,
        long slotsInPasses,
        int maxTokens,
        long completed,
        long cancelled,
        long failed,
        long refused,
        int processing,
        int waiting) {

    /** Slots that had tokens in a pass, on average; 0 when there was none. */
    public double busySlotsPerPass() {
        return passes == 0 ? 0 : (double) slotsInPasses / passes;
    }
}
