package dev.tern;

import dev.tern.io.InputException;
import dev.tern.tokenizer.Tokenizer;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Text in the making. Nothing is computed before the first token is asked for, and each token when it is asked for.
 * Iterate once, with {@code for} or {@link #forEach}; or call {@link #text}, which generates what is missing. Text
 * never splits a character. For one thread at a time, except that any may {@link #cancel} and {@link #close}; several
 * generations of one model take turns token by token.
 */
public final class Generation implements Iterable<Token>, AutoCloseable {
    private final Model model;
    private final @Nullable Session continued;
    private final int[] promptIds;
    private final Decoding decoding;
    private final StringBuilder text = new StringBuilder();

    private final ReentrantLock stepping = new ReentrantLock(); // close() waits for the token at hand
    private @Nullable Session session;
    private @Nullable Token ready;
    private volatile boolean cancelled;
    private boolean iterated;
    private @Nullable StopReason stopReason;
    private long prefillNanos;
    private long firstTokenNanos;
    private long decodeNanos;

    /**
     * @param tokenizer null when the model has none: then there is no text and no end token
     * @param continued the session to continue, which stays open; null for an empty one of the model's
     */
    Generation(
            Model model,
            @Nullable Tokenizer tokenizer,
            @Nullable Session continued,
            int[] promptIds,
            GenerationOptions options) {
        int contextLength = model.info().contextLength();
        long length = promptIds.length + (continued == null ? 0L : continued.position());
        if (promptIds.length == 0) {
            throw InputException.at("prompt")
                    .problem("empty, and the vocabulary puts no token in front of a text")
                    .expected("at least one token")
                    .exception();
        }
        if (length > contextLength) {
            throw Session.contextTooSmall("prompt", length, contextLength);
        }
        this.model = model;
        this.continued = continued;
        this.promptIds = promptIds.clone();
        this.decoding = new Decoding(model, tokenizer, options);
    }

    /**
     * The tokens, once.
     *
     * @throws IllegalStateException on a second call
     */
    @Override
    public Iterator<Token> iterator() {
        if (iterated) {
            throw new IllegalStateException("a generation can be iterated once; text() and ids() keep what it gave");
        }
        iterated = true;
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return advance();
            }

            @Override
            public Token next() {
                stepping.lock();
                try {
                    if (!advance()) {
                        throw new NoSuchElementException();
                    }
                    Token token = Objects.requireNonNull(ready);
                    ready = null;
                    return token;
                } finally {
                    stepping.unlock();
                }
            }
        };
    }

    /** All text, without the prompt; generates what is missing. */
    public String text() {
        iterated = true;
        ready = null;
        while (advance()) {
            ready = null;
        }
        return text.toString();
    }

    /** The prompt's tokens; a copy. */
    public int[] promptIds() {
        return promptIds.clone();
    }

    /** The tokens generated so far, without the end token; a copy. */
    public int[] ids() {
        return decoding.ids();
    }

    /** The end token, when the generation ended with one. */
    public OptionalInt endId() {
        return decoding.endId();
    }

    /** The seed in use, given or drawn; empty when nothing is random. */
    public OptionalLong seed() {
        return decoding.seed();
    }

    /**
     * Why it ended.
     *
     * @throws IllegalStateException when it has not
     */
    public StopReason stopReason() {
        if (stopReason == null) {
            throw new IllegalStateException("the generation has not ended");
        }
        return stopReason;
    }

    /** What it has cost so far. */
    public GenerationStats stats() {
        return new GenerationStats(
                promptIds.length,
                decoding.count(),
                prefillNanos * 1e-9,
                firstTokenNanos * 1e-9,
                decodeNanos * 1e-9,
                decoding.draftedTokens(),
                decoding.acceptedTokens());
    }

    /** Makes the generation end at its next token. May be called from any thread, also while a token is computed. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Ends the generation where it is, after the token at hand. Needed only when it is not read to its end; else it
     * frees its session itself. May be called from any thread.
     */
    @Override
    public void close() {
        cancelled = true; // a thread that reads on must not get the lock first for ever
        stepping.lock();
        try {
            end(StopReason.CANCELLED); // a token that hasNext() has promised is still given
        } finally {
            stepping.unlock();
        }
    }

    /** Computes the next token unless one is ready; false at the end. */
    private boolean advance() {
        stepping.lock();
        try {
            return advanced();
        } finally {
            stepping.unlock();
        }
    }

    private boolean advanced() {
        if (ready != null) {
            return true;
        }
        if (stopReason != null) {
            return false;
        }
        if (cancelled) {
            end(StopReason.CANCELLED);
            return false;
        }
        boolean first = decoding.count() == 0;
        long start = System.nanoTime();
        try {
            ready = step();
        } catch (Throwable thrown) {
            end(StopReason.CANCELLED);
            throw thrown;
        } finally {
            long nanos = System.nanoTime() - start;
            if (first) {
                firstTokenNanos += nanos;
            } else {
                decodeNanos += nanos;
            }
        }
        if (ready != null) {
            text.append(ready.text());
        }
        return ready != null;
    }

    /** The next token, or null at the end; the last carries the text that had been held back. */
    private @Nullable Token step() {
        Token token = new Token(Token.NO_ID, "");
        if (decoding.stopReason() == null) {
            Session s = evaluated();
            token = decoding.next(s.largestLogits(), s.position() == s.contextLength());
        }
        StopReason reason = decoding.stopReason();
        if (reason == null) {
            return token;
        }
        end(reason);
        String rest = token.text() + decoding.tail();
        return token.id() == Token.NO_ID && rest.isEmpty() ? null : new Token(token.id(), rest, token.probabilities());
    }

    /** The session with the prompt and all tokens but the one to come. */
    private Session evaluated() {
        Session s = session;
        if (s == null) {
            s = session = continued != null ? continued : model.borrow();
            decoding.addPrompt(s.ids()); // of a session that is continued
            decoding.addPrompt(promptIds);
            long start = System.nanoTime();
            s.feedLargest(decoding.top(), promptIds);
            prefillNanos = System.nanoTime() - start;
        } else {
            decoding.feed(s);
        }
        return s;
    }

    private void end(StopReason reason) {
        if (stopReason == null) {
            stopReason = reason;
        }
        Session s = session;
        if (s != null) {
            session = null;
            if (continued == null) {
                model.giveBack(s);
            }
        }
    }
}
