package dev.tern.server;

import dev.tern.server.slots.CompletionTimings;

/** What all completions together have cost. Thread-safe. */
final class Counters {
    private long promptTokens;
    private long promptNanos;
    private long generatedTokens;
    private long generationNanos;
    private long draftedTokens;
    private long acceptedTokens;
    private long longest;

    /**
     * All at one moment.
     *
     * @param longest most tokens that one context has held
     */
    record Values(
            long promptTokens,
            long promptNanos,
            long generatedTokens,
            long generationNanos,
            long draftedTokens,
            long acceptedTokens,
            long longest) {}

    synchronized void add(CompletionTimings timings) {
        promptTokens += timings.promptTokens();
        promptNanos += timings.promptNanos();
        generatedTokens += timings.generatedTokens();
        generationNanos += timings.generationNanos();
        draftedTokens += timings.draftedTokens();
        acceptedTokens += timings.acceptedTokens();
        longest = Math.max(
                longest, (long) timings.cachedTokens() + timings.promptTokens() + timings.generatedTokens());
    }

    synchronized Values values() {
        return new Values(
                promptTokens, promptNanos, generatedTokens, generationNanos, draftedTokens, acceptedTokens, longest);
    }
}
