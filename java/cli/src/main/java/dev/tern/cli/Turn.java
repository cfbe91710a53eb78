package dev.tern.cli;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.GenerationStats;
import dev.tern.Model;
import dev.tern.Session;
import dev.tern.StopReason;
import dev.tern.Token;
import dev.tern.template.ChatMessage;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One answer: what of the prompt the session does not hold is read, then the answer is generated. For one thread, except
 * that any may {@link #cancel}.
 */
final class Turn {
    /** Tokens of the prompt between two looks at whether it was called off; the tokens do not depend on it. */
    private static final int PREFILL_STEP = 128;

    private final Model model;
    private final Session session;
    private final List<ChatMessage> messages;
    private final String promptText;
    private final int[] prompt;
    private final int forgotten;
    private final GenerationOptions options;
    private int known;
    private double prefillSeconds;
    private volatile boolean cancelled;
    private volatile @Nullable Generation generation;

    /**
     * @param messages the conversation up to the question
     * @param promptText as the template writes it
     * @param prompt its tokens
     * @param forgotten how many of the oldest exchanges are missing in it
     */
    Turn(
            Model model,
            Session session,
            List<ChatMessage> messages,
            String promptText,
            int[] prompt,
            int forgotten,
            GenerationOptions options) {
        this.model = model;
        this.session = session;
        this.messages = messages;
        this.promptText = promptText;
        this.prompt = prompt;
        this.forgotten = forgotten;
        this.options = options;
    }

    /** Makes the answer, handing over its text as it comes. */
    void run(Consumer<String> show) {
        int mismatch = Arrays.mismatch(session.ids(), prompt);
        int position = Math.min(mismatch < 0 ? prompt.length : mismatch, prompt.length - 1);
        known = position;
        session.rewind(position);
        long start = System.nanoTime();
        while (prompt.length - position > PREFILL_STEP && !cancelled) {
            int[] step = Arrays.copyOfRange(prompt, position, position + PREFILL_STEP);
            session.feed(step, step.length, (at, logits) -> {}); // nobody wants logits yet
            position += PREFILL_STEP;
        }
        prefillSeconds = (System.nanoTime() - start) * 1e-9;
        if (cancelled) {
            return;
        }
        Generation begun = model.generate(session, Arrays.copyOfRange(prompt, position, prompt.length), options);
        generation = begun;
        if (cancelled) { // between the last look and now
            begun.cancel();
        }
        for (Token token : begun) {
            show.accept(token.text());
        }
    }

    /** Ends the answer where it is; from any thread. */
    void cancel() {
        cancelled = true;
        Generation running = generation;
        if (running != null) {
            running.cancel();
        }
    }

    /** The conversation up to the question. */
    List<ChatMessage> messages() {
        return messages;
    }

    /** Exchanges that had to be forgotten to make room. */
    int forgotten() {
        return forgotten;
    }

    /** The answer. */
    String text() {
        Generation ended = generation;
        return ended == null ? "" : ended.text();
    }

    /** The prompt and the answer. */
    String spokenText() {
        return promptText + text();
    }

    /** Their tokens, without the one that ended the answer. */
    int[] spokenIds() {
        Generation ended = generation;
        int[] answer = ended == null ? new int[0] : ended.ids();
        return IntStream.concat(Arrays.stream(prompt), Arrays.stream(answer)).toArray();
    }

    /** Why it ended. */
    StopReason stopReason() {
        Generation ended = generation;
        return ended == null ? StopReason.CANCELLED : ended.stopReason();
    }

    /** Whether it was called off before there was any of it. */
    boolean cameToNothing() {
        return stopReason() == StopReason.CANCELLED && text().isEmpty();
    }

    /** Tokens of the prompt. */
    int promptTokens() {
        return prompt.length;
    }

    /** How many of them had been computed in an earlier turn. */
    int knownTokens() {
        return known;
    }

    /** Tokens of the prompt computed a second. */
    double prefillTokensPerSecond() {
        Generation ended = generation;
        double seconds = prefillSeconds + (ended == null ? 0 : ended.stats().prefillSeconds());
        return seconds > 0 ? (prompt.length - known) / seconds : 0;
    }

    /** What generating has cost; of the prompt it may have but the last part. */
    GenerationStats stats() {
        Generation ended = generation;
        return ended == null ? new GenerationStats(0, 0, 0, 0, 0, 0, 0) : ended.stats();
    }
}
