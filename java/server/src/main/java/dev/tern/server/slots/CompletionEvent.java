package dev.tern.server.slots;

import dev.tern.StopReason;
import dev.tern.sampling.TokenProbability;
import java.util.List;

/** What happens to a completion, in this order: started, prefilled, generated any number of times, ended or failed. */
public sealed interface CompletionEvent {
    /**
     * A slot has taken it.
     *
     * @param slot its number
     * @param cachedTokens tokens of the prompt that need not be computed; the timings at the end also count those that
     *     other slots computed meanwhile
     */
    record Started(int slot, int cachedTokens) implements CompletionEvent {}

    /**
     * Part of the prompt is computed; only where {@link CompletionRequest#progress} asks for it.
     *
     * @param tokens tokens of the prompt that are in the cache now, of {@code total}
     * @param nanos time since the slot took it
     */
    record Prefilled(int tokens, int total, long nanos) implements CompletionEvent {}

    /**
     * A token.
     *
     * @param id token id
     * @param text what it adds to the text: may be empty while a character, or what may become a stop string, is
     *     incomplete
     * @param probabilities of the token and of the likeliest others, where the request asks for them; else empty. The
     *     first is the token itself
     */
    record Generated(int id, String text, List<TokenProbability> probabilities) implements CompletionEvent {}

    /**
     * The end.
     *
     * @param reason why
     * @param text what had been held back, to be added to the text
     * @param stoppingWord the stop string that was met; empty otherwise
     * @param timings what it has cost
     */
    record Ended(StopReason reason, String text, String stoppingWord, CompletionTimings timings)
            implements CompletionEvent {}

    /** It cannot go on. */
    record Failed(RuntimeException cause) implements CompletionEvent {}
}
