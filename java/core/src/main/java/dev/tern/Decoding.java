package dev.tern;

import dev.tern.sampling.Sampler;
import dev.tern.sampling.StopStrings;
import dev.tern.tokenizer.TokenStream;
import dev.tern.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * A generation without its passes over the weights: chooses each token from logits that somebody computed, turns tokens
 * into text, sees where the text ends, and guesses what may come next. {@link Generation} is this and a session of its
 * own; who evaluates many texts in passes of a {@link Batch} has one of these for each. What it gives depends on the
 * options, the tokens in front and the logits alone, so it is the same either way. Not thread-safe.
 *
 * <pre>
 * decoding.addPrompt(ids);                                  // and feed them to a session
 * while (decoding.stopReason() == null) {
 *     Token token = decoding.next(session.largestLogits(), session.position() == session.contextLength());
 *     ...                                                   // and feed decoding.last(), unless it has ended
 * }
 * </pre>
 */
public final class Decoding {
    private final @Nullable Tokenizer tokenizer;
    private final GenerationOptions options;
    private final @Nullable TokenStream stream;
    private final StopStrings stops;
    private final Sampler sampler;
    private final Speculation speculation;
    private int[] ids = new int[64];
    private int count;
    private OptionalInt endId = OptionalInt.empty();
    private @Nullable StopReason stopReason;
    private String tail = "";

    /** @param tokenizer null when the model has none: then there is no text and no end token */
    Decoding(Model model, @Nullable Tokenizer tokenizer, GenerationOptions options) {
        this.tokenizer = tokenizer;
        this.options = options;
        this.stream = tokenizer == null ? null : tokenizer.continuation(options.shown());
        this.stops = new StopStrings(options.stop());
        this.sampler = model.sampler(options);
        this.speculation = new Speculation(options.draft(), model.passTimes(top() > 0), this::ends);
        if (options.maxTokens() == 0) {
            stopReason = StopReason.MAX_TOKENS;
        }
    }

    /** How many of the largest logits decide, as {@link Session#feedLargest} takes it; 0 for all. */
    public int top() {
        return sampler.decisiveLogits();
    }

    /** The seed in use, given or drawn; empty when nothing is random. */
    public OptionalLong seed() {
        return options.sampling().isRandom() ? OptionalLong.of(sampler.seed()) : OptionalLong.empty();
    }

    /** Tokens that stand in front of the text, in order; all of them before the first {@link #next}. */
    public void addPrompt(int[] prompt) {
        for (int id : prompt) {
            sampler.acceptPrompt(id);
            speculation.addPrompt(id);
        }
    }

    /**
     * Chooses the next token.
     *
     * @param logits of the last token, prompt included: float32 {@code [vocab]}, of which the {@link #top} largest
     *     matter; not changed
     * @param full whether the session has no room for another token
     * @return the token, or {@link Token#NO_ID} without text where it is an end token
     * @throws dev.tern.io.InputException when the logits are no numbers to choose from
     * @throws IllegalStateException when the text has ended
     */
    public Token next(MemorySegment logits, boolean full) {
        if (stopReason != null) {
            throw new IllegalStateException("the text has ended");
        }
        int id = sampler.sample(logits);
        if (ends(id)) {
            endId = OptionalInt.of(id);
            end(StopReason.END_TOKEN);
            return new Token(Token.NO_ID, "");
        }
        append(id);
        String piece = stops.push(stream == null ? "" : stream.push(id));
        if (stops.matched()) {
            end(StopReason.STOP_STRING);
        } else if (count == options.maxTokens()) {
            end(StopReason.MAX_TOKENS);
        } else if (full) {
            end(StopReason.CONTEXT_FULL);
        }
        return new Token(id, piece, sampler.probabilities());
    }

    /**
     * Ends the text where it is; nothing where it has ended. A stop string in what had been held back is the reason.
     */
    public void end(StopReason reason) {
        if (stopReason == null) {
            tail = stops.push(stream == null ? "" : stream.finish()) + stops.finish();
            stopReason = stops.matched() ? StopReason.STOP_STRING : reason;
        }
    }

    /** Why the text ended; null when it has not. */
    public @Nullable StopReason stopReason() {
        return stopReason;
    }

    /** What had been held back when the text ended, to be added to it: mostly nothing. */
    public String tail() {
        return tail;
    }

    /** The stop string at which the text ended; empty where it did not end at one. */
    public String stopString() {
        return stops.match();
    }

    /** The end token, when the text ended with one. */
    public OptionalInt endId() {
        return endId;
    }

    /** Tokens generated so far, without the end token. */
    public int count() {
        return count;
    }

    /** The tokens generated so far, without the end token; a copy. */
    public int[] ids() {
        return Arrays.copyOf(ids, count);
    }

    /**
     * The last token generated.
     *
     * @throws IllegalStateException when there is none
     */
    public int last() {
        if (count == 0) {
            throw new IllegalStateException("no token has been generated");
        }
        return ids[count - 1];
    }

    /** Feeds the last token to the session of this text, alone, and with it what is drafted. */
    void feed(Session session) {
        if (!feedKnown(session)) {
            int ahead = speculation.draft(useful(), 0, null);
            speculation.evaluated(session.feedAhead(top(), last(), speculation.draft(), ahead));
        }
    }

    /**
     * Feeds the last token to the session of this text where the session has evaluated it ahead and no pass is needed.
     *
     * @return whether that was so; else the token is to be fed, as by {@link Batch#addAhead}
     */
    public boolean feedKnown(Session session) {
        return speculation.feedKnown(session, top(), last());
    }

    /**
     * Guesses what follows the last token: as many tokens as promise the most for the time of a pass. Once they are
     * evaluated ahead, {@link #evaluated} is to be told.
     *
     * @param others texts that get a token from the same pass
     * @param cost time of the pass with so many of these tokens more, 0 or more, in units of that without
     * @param most tokens that the pass and the session have room for
     * @return how many, of {@link #drafted()}
     */
    public int draft(int others, IntToDoubleFunction cost, int most) {
        return speculation.draft(Math.min(useful(), most), others, cost);
    }

    /**
     * A pass over the last token has been made.
     *
     * @param ahead how many of the tokens guessed last it has evaluated ahead: {@link Session#ahead} after
     *     {@link Batch#addAhead} and the pass, or what {@link Session#feedAhead} returns
     */
    public void evaluated(int ahead) {
        speculation.evaluated(ahead);
    }

    /** The tokens guessed last; overwritten by {@link #draft}. */
    public int[] drafted() {
        return speculation.draft();
    }

    /** Tokens that were guessed and evaluated ahead so far. */
    public long draftedTokens() {
        return speculation.drafted();
    }

    /** Those of them that were chosen, and needed no pass of their own. */
    public long acceptedTokens() {
        return speculation.accepted();
    }

    /** Drafted tokens that can be of use: none after the last that may be generated. */
    private int useful() {
        return options.maxTokens() < 0 ? Integer.MAX_VALUE : options.maxTokens() - count - 1;
    }

    private void append(int id) {
        if (count == ids.length) {
            ids = Arrays.copyOf(ids, 2 * count);
        }
        ids[count++] = id;
        sampler.accept(id);
        speculation.add(id);
    }

    private boolean ends(int id) {
        return options.endTokens() == EndTokens.STOP && tokenizer != null && tokenizer.isEnd(id);
    }
}
