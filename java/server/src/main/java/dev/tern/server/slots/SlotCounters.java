package dev.tern.server.slots;

import dev.tern.StopReason;

/** Counts for {@link SlotMetrics}. Thread-safe. */
final class SlotCounters {
    private static final double FIRST_SERVICE = 1e9; // nanoseconds a request is taken to need as long as none is known

    private long promptTokens;
    private long cachedTokens;
    private long promptNanos;
    private long generatedTokens;
    private long generationNanos;
    private long draftedTokens;
    private long acceptedTokens;
    private long passes;
    private long slotsInPasses;
    private int maxTokens;
    private long completed;
    private long cancelled;
    private long failed;
    private long refused;
    private double service = FIRST_SERVICE; // of recent requests, the later ones weighing more

    /** A pass with tokens of so many slots. */
    synchronized void passed(int slots) {
        passes++;
        slotsInPasses += slots;
    }

    /** A request has left its slot, which held so many tokens. */
    synchronized void finished(Slot.Outcome outcome, int tokens) {
        CompletionTimings cost = outcome.timings();
        promptTokens += cost.promptTokens();
        cachedTokens += cost.cachedTokens();
        promptNanos += cost.promptNanos();
        generatedTokens += cost.generatedTokens();
        generationNanos += cost.generationNanos();
        draftedTokens += cost.draftedTokens();
        acceptedTokens += cost.acceptedTokens();
        maxTokens = Math.max(maxTokens, tokens);
        switch (outcome.last()) {
            case CompletionEvent.Failed failure -> failed++;
            case CompletionEvent.Ended end when end.reason() == StopReason.CANCELLED -> cancelled++;
            default -> completed++;
        }
        service += (cost.promptNanos() + cost.generationNanos() - service) / 8;
    }

    /** A request was cancelled before a slot took it. */
    synchronized void cancelledWaiting() {
        cancelled++;
    }

    /** A request found the queue full. */
    synchronized void refused() {
        refused++;
    }

    /** Nanoseconds that a request has needed lately. */
    synchronized double service() {
        return service;
    }

    synchronized SlotMetrics metrics(int processing, int waiting) {
        return new SlotMetrics(
                promptTokens,
                cachedTokens,
                promptNanos,
                generatedTokens,
                generationNanos,
                draftedTokens,
                acceptedTokens,
                passes,
                slotsInPasses,
                maxTokens,
                completed,
                cancelled,
                failed,
                refused,
                processing,
                waiting);
    }
}
