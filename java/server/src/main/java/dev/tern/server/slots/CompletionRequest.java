package dev.tern.server.slots;

import dev.tern.GenerationOptions;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A completion asked for.
 *
 * @param prompt token ids, at least one; {@link Completions#submit} checks them
 * @param options how to go on from there
 * @param slot the slot that must take it; empty for any
 * @param cachePrompt whether positions that some slot has computed for the same first tokens may be taken over
 * @param timeLimit ends the answer at the first token after this time since its first token; empty for no limit
 * @param progress whether {@link CompletionEvent.Prefilled} is wanted
 */
public record CompletionRequest(
        int[] prompt,
        GenerationOptions options,
        OptionalInt slot,
        boolean cachePrompt,
        Optional<Duration> timeLimit,
        boolean progress) {

    /** A request for any slot, with cached prefixes and without limits. */
    public static CompletionRequest of(int[] prompt, GenerationOptions options) {
        return new CompletionRequest(prompt, options, OptionalInt.empty(), true, Optional.empty(), false);
    }
}
