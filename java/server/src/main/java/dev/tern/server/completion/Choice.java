package dev.tern.server.completion;

import dev.tern.StopReason;
import dev.tern.sampling.TokenProbability;
import dev.tern.server.slots.CompletionEvent;
import dev.tern.server.slots.CompletionTimings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One of the completions that a request asks for, and what has come of it. For one thread. */
public final class Choice {
    private final int index;
    private final int[] prompt;
    private final StringBuilder text = new StringBuilder();
    private final List<List<TokenProbability>> probabilities = new ArrayList<>();
    private int[] ids = new int[64];
    private int count;
    private int slot = -1;
    private int cachedTokens;
    private long startNanos;
    private long firstNanos;
    private long lastNanos;
    private CompletionEvent.@Nullable Ended end;

    Choice(int index, int[] prompt) {
        this.index = index;
        this.prompt = prompt;
    }

    void take(CompletionEvent event) {
        long now = System.nanoTime();
        switch (event) {
            case CompletionEvent.Started started -> {
                slot = started.slot();
                cachedTokens = started.cachedTokens();
                startNanos = now;
            }
            case CompletionEvent.Prefilled prefilled -> {}
            case CompletionEvent.Generated generated -> {
                if (count == 0) {
                    firstNanos = now;
                }
                lastNanos = now;
                append(generated.id());
                text.append(generated.text());
                if (!generated.probabilities().isEmpty()) {
                    probabilities.add(generated.probabilities());
                }
            }
            case CompletionEvent.Ended ended -> {
                text.append(ended.text());
                end = ended;
            }
            case CompletionEvent.Failed failed -> {}
        }
    }

    private void append(int id) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = id;
    }

    public int index() {
        return index;
    }

    /** The prompt's tokens, not to be changed. */
    public int[] prompt() {
        return prompt;
    }

    /** Its slot; -1 while it waits for one. */
    public int slot() {
        return slot;
    }

    /** All text so far. */
    public String text() {
        return text.toString();
    }

    /** Number of tokens generated. */
    public int count() {
        return count;
    }

    /** Tokens generated; a copy. */
    public int[] ids() {
        return Arrays.copyOf(ids, count);
    }

    /** Of each token, where they were asked for. */
    public List<List<TokenProbability>> probabilities() {
        return probabilities;
    }

    boolean ended() {
        return end != null;
    }

    /** Why it ended. */
    public StopReason reason() {
        if (end == null) {
            throw new IllegalStateException("the completion has not ended");
        }
        return end.reason();
    }

    /** Why it ended, as OpenAI says it. */
    public String finishReason() {
        return switch (reason()) {
            case END_TOKEN, STOP_STRING, CANCELLED -> "stop";
            case MAX_TOKENS, CONTEXT_FULL -> "length";
        };
    }

    /** The stop string that was met; empty for none. */
    public String stoppingWord() {
        return end == null ? "" : end.stoppingWord();
    }

    /** What it has cost so far: as it was measured at the end, and seen from here before. */
    public CompletionTimings timings() {
        if (end != null) {
            return end.timings();
        }
        long untilFirst = count == 0 ? 0 : firstNanos - startNanos;
        return new CompletionTimings(
                cachedTokens, prompt.length - cachedTokens, untilFirst, count, lastNanos - firstNanos, 0, 0);
    }
}
