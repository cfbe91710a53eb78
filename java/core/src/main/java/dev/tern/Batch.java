package dev.tern;

import dev.tern.model.Engine;
import dev.tern.model.PausablePass;
import dev.tern.model.TokenSpan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Tokens of several sessions, evaluated in one pass, which reads the weights once for all of them: the prompt of one,
 * or a part of it, beside the next token of others. Each session is then as if it had been fed alone, its logits to the
 * bit.
 *
 * <pre>{@code
 * Batch batch = model.batch();
 * batch.add(first, 0, new int[] {id}, 0, 1, true).add(second, 0, prompt, 0, 200, false);
 * batch.run();
 * first.logits();
 * }</pre>
 *
 * <p>What is added is checked, and has room in its session's cache, before it returns; an entry that is refused changes
 * neither the batch nor the session. From then on the session is the batch's until its pass is over, or {@link #clear}.
 * Reusable; for one thread at a time. Any number of batches may be filled at once: their passes take turns.
 */
public final class Batch {
    private final Engine engine;
    private final List<Entry> entries = new ArrayList<>();
    private final PausablePass pausable; // begun while the batch's pass is paused
    private int tokens;

    Batch(Engine engine) {
        this.engine = engine;
        this.pausable = engine.pausablePass();
    }

    /**
     * What a session is fed.
     *
     * @param position of the session when it was added
     * @param waiting leading tokens that the session has evaluated ahead
     * @param draft tokens behind the only one, evaluated ahead; of an ordinary feed none
     */
    private record Entry(
            Session session, int position, int top, int[] tokens, int waiting, int[] draft, boolean logits) {

        /** Tokens of the pass. */
        int passTokens() {
            return tokens.length - waiting + draft.length;
        }

        void requireUnchanged(int index, boolean begun) {
            boolean used = session.position() != position || session.waiting(top, tokens) != waiting;
            if (session.isClosed() || !begun && used) {
                throw new IllegalStateException(where(index) + ": the session was used or closed after it was added");
            }
        }

        /** The part of the pass. */
        TokenSpan begin() {
            if (draft.length > 0) {
                return session.beginAhead(top, tokens[0], draft, draft.length);
            }
            session.append(tokens);
            int count = tokens.length - waiting;
            int firstLogits = logits ? count - 1 : count;
            return new TokenSpan(
                    session.cache(), position + waiting, tokens, waiting, count, firstLogits, session.logitsRow(), top);
        }

        /** The pass was given up or failed: what had waited behind the last token is gone. */
        void abandon() {
            session.hold(false);
            session.forgetWaiting();
        }

        void end() {
            session.hold(false);
            if (draft.length > 0) {
                session.endAhead(top, draft.length);
                return;
            }
            int known = session.takeWaiting(top, tokens);
            if (known < tokens.length) {
                session.evaluated(tokens.length - known, top, logits);
            } else if (!logits) {
                session.withoutLogits();
            }
        }
    }

    /**
     * Adds what {@link Session#feedLargest} would append, {@code tokens[from .. from + count)}: a prompt or a part of
     * it, or the token that was sampled last.
     *
     * @param top how many of the largest logits of the last token matter; 0 for all. Where all entries of a pass say
     *     so, the largest are computed alone, if that is sooner
     * @param count 1 or more
     * @param logits whether those of the last token are wanted; else the session has none afterwards
     * @throws dev.tern.io.InputException when an id is not in the vocabulary, or the context has no room for all of
     *     them
     * @throws OutOfMemoryError when there is no memory for their keys and values
     * @throws IllegalArgumentException when {@code top} is negative, the session is another model's or in the batch
     *     already, or the batch would have more than {@code model.info().batchSize()} tokens
     * @throws IllegalStateException when the session is closed
     */
    public Batch add(Session session, int top, int[] tokens, int from, int count, boolean logits) {
        if (count < 1 || from < 0 || from > tokens.length - count) {
            throw new IndexOutOfBoundsException(
                    where(entries.size()) + ": " + count + " tokens from " + from + " of " + tokens.length);
        }
        int[] fed = Arrays.copyOfRange(tokens, from, from + count);
        require(session, top, fed);
        return add(new Entry(session, session.position(), top, fed, session.waiting(top, fed), new int[0], logits));
    }

    /**
     * Adds what {@link Session#feedAhead(int, int, int[], int)} would evaluate: a token, and ahead of it drafted ones
     * that may follow. {@link Session#ahead} says afterwards how many of them wait, and {@link Session#isAhead} whether
     * the token chosen next is one that costs no pass.
     *
     * @param draft tokens that may follow; those beyond {@code count}, the batch or the context are left away
     * @throws RuntimeException as {@link #add}
     */
    public Batch addAhead(Session session, int top, int token, int[] draft, int count) {
        int[] fed = {token};
        require(session, top, fed);
        int ahead = session.mostAhead(draft, Math.min(count, engine.batchSize() - tokens - 1));
        if (ahead <= 0 || session.isAhead(top, token)) {
            return add(session, top, fed, 0, 1, true);
        }
        int[] drafted = Arrays.copyOf(draft, ahead);
        engine.requireIds(where(entries.size()), drafted, 0, ahead);
        return add(new Entry(session, session.position(), top, fed, 0, drafted, true));
    }

    private void require(Session session, int top, int[] fed) {
        int index = entries.size();
        if (pausable.isBegun()) {
            throw new IllegalStateException(where(index) + ": the batch's pass is not over");
        }
        TokenSpan.requireTop(top);
        if (session.engine() != engine) {
            throw new IllegalArgumentException(where(index) + ": a session of another model");
        }
        for (Entry entry : entries) {
            if (entry.session == session) {
                throw new IllegalArgumentException(where(index) + ": the session is in the batch already");
            }
        }
        session.require(where(index), fed);
    }

    private Batch add(Entry entry) {
        int more = entry.passTokens();
        if (more > engine.batchSize() - tokens) {
            throw new IllegalArgumentException(where(entries.size()) + ": " + more + " tokens beside " + tokens
                    + "; a batch has at most " + engine.batchSize());
        }
        entry.session.reserve(entry.tokens.length + entry.draft.length, entry.draft.length);
        entries.add(entry);
        tokens += more;
        return this;
    }

    private static String where(int index) {
        return "entry " + index + " of the batch";
    }

    /** Tokens of the pass so far, drafted ones included; {@code model.info().batchSize()} is the most. */
    public int tokens() {
        return tokens;
    }

    /** Sessions added so far. */
    public int size() {
        return entries.size();
    }

    /**
     * Evaluates what was added, and empties the batch, whether that succeeds or not. With nothing to evaluate there is
     * no pass; one that is paused goes on to its end.
     *
     * @throws IllegalStateException when the model is closed, or a session was used or closed after it was added;
     *     nothing is evaluated then, and the other sessions are as they were
     */
    public void run() {
        if (pausable.isBegun()) {
            runUntil(() -> false);
            return;
        }
        pass(() -> {
            List<TokenSpan> spans = begin();
            if (!spans.isEmpty()) {
                engine.evaluate(spans);
            }
            return true;
        });
    }

    /**
     * As {@link #run()}, but stops once {@code pause} says so, which is asked about twice a block by whichever thread
     * computes: for a long pass beside which something urgent may turn up. Until another call goes on with it, other
     * batches and sessions may be used, those of this batch only closed; {@link #clear} gives it up instead. A session
     * whose pass is given up, or fails on its way, has the tokens that it had, but no logits until it is fed again.
     *
     * <p>The first call makes scratch memory of the batch's own, as much as its longest pass takes.
     *
     * @return whether the pass is over, and the batch empty; else it is paused
     * @throws IllegalStateException as {@link #run()}; a pass that was paused is given up then
     */
    public boolean runUntil(BooleanSupplier pause) {
        return pass(() -> {
            if (!pausable.isBegun()) {
                List<TokenSpan> spans = begin();
                if (spans.isEmpty()) {
                    return true;
                }
                pausable.begin(spans);
                entries.forEach(entry -> entry.session.hold(true));
            }
            return pausable.goOn(pause);
        });
    }

    /**
     * A pass or a part of one.
     *
     * @param evaluation says whether the pass is over
     */
    private boolean pass(BooleanSupplier evaluation) {
        boolean started = pausable.isBegun();
        boolean paused = false;
        try {
            engine.requireOpen();
            for (int i = 0; i < entries.size(); i++) {
                entries.get(i).requireUnchanged(i, started);
            }
            started = true;
            paused = !evaluation.getAsBoolean();
            if (!paused) {
                started = false;
                entries.forEach(Entry::end);
            }
            return !paused;
        } finally {
            if (!paused) {
                empty(started);
            }
        }
    }

    private List<TokenSpan> begin() {
        List<TokenSpan> spans = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            if (entry.passTokens() > 0) {
                spans.add(entry.begin());
            } else {
                entry.session.append(entry.tokens);
            }
        }
        return spans;
    }

    /** Empties the batch. Sessions stay as they are, those of a paused pass without logits. */
    public void clear() {
        empty(pausable.isBegun());
    }

    /** @param started whether a pass was begun that is not to be ended */
    private void empty(boolean started) {
        pausable.giveUp();
        if (started) {
            entries.forEach(Entry::abandon);
        }
        entries.clear();
        tokens = 0;
    }
}
