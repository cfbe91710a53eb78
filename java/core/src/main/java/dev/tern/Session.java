package dev.tern;

import dev.tern.io.InputException;
import dev.tern.model.Engine;
import dev.tern.model.KvCache;
import dev.tern.model.TokenSpan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One sequence of tokens with its KV cache. A model has any number of sessions at once; their passes take turns. A
 * session itself is for one thread at a time. It holds memory until it, or its model, is closed; using it after that is
 * an {@link IllegalStateException}.
 */
public final class Session implements AutoCloseable {
    private static final int LOGITS_CHUNK = 32; // rows of logits held at once when every position is asked for

    private final Engine engine;
    private final Set<Session> open; // the model's open sessions, this one among them
    private final KvCache cache;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment logits;
    private MemorySegment everyLogits = MemorySegment.NULL; // [LOGITS_CHUNK][vocab] once it is needed
    private final DraftRows drafted; // evaluated ahead, at the positions from `position` on
    private int[] ids = new int[64];
    private int position;
    private boolean logitsReady;
    private boolean largestOnly; // logits that are not among the largest may be -infinity
    private final ReentrantLock inUse = new ReentrantLock(); // while a file is written or read
    private boolean held; // by a pass that is paused
    private volatile boolean closed;

    Session(Engine engine, Set<Session> open) {
        engine.requireOpen();
        this.engine = engine;
        this.open = open;
        KvCache made = null;
        try {
            this.logits = arena.allocate(rowBytes(), 64);
            this.drafted = new DraftRows(rowBytes());
            this.cache = made = engine.newCache();
            engine.exclusively(() -> { // the model, closing meanwhile, has either seen this session or is closed
                engine.requireOpen();
                open.add(this);
            });
        } catch (Throwable thrown) {
            arena.close();
            if (made != null) {
                made.close();
            }
            throw thrown;
        }
    }

    /** Tokens so far. */
    public int position() {
        return position;
    }

    /** Tokens that the session can hold. */
    public int contextLength() {
        return engine.contextLength();
    }

    /** The tokens so far; a copy. */
    public int[] ids() {
        return Arrays.copyOf(ids, position);
    }

    /**
     * Appends tokens. They are evaluated in batches; {@link #logits} then are those of the last.
     *
     * @throws InputException when an id is not in the vocabulary, or the context has no room for all of them; the
     *     session is then as it was
     */
    public void feed(int... tokens) {
        feedLargest(0, tokens);
    }

    /**
     * As {@link #feed(int...)}, where only the largest logits of the last token matter, as for a greedy sampler or one
     * that begins with top-k: {@link #largestLogits} has them, sooner than {@link #logits} could have all.
     *
     * @param top how many; 0 for all
     * @throws IllegalArgumentException when {@code top} is negative; the session is then as it was
     */
    public void feedLargest(int top, int... tokens) {
        TokenSpan.requireTop(top);
        if (tokens.length > 0) {
            append(tokens);
            int known = takeWaiting(top, tokens);
            for (int first = known; first < tokens.length; ) {
                int count = Math.min(engine.batchSize(), tokens.length - first);
                boolean last = first + count == tokens.length;
                engine.evaluate(cache, position, tokens, first, count, last ? count - 1 : count, logits, top);
                evaluated(count, top, last);
                first += count;
            }
            logitsReady = true;
        }
    }

    /** Takes as many of the tokens as wait, evaluated ahead; forgets what waits if they are not all. */
    int takeWaiting(int top, int[] tokens) {
        int known = waiting(top, tokens);
        position += known;
        if (known < tokens.length) {
            drafted.clear(); // logits are those of a token that is still to be evaluated
        } else if (known > 0) {
            drafted.take(known, logits);
            logitsReady = true;
            largestOnly = !drafted.has(0);
        }
        return known;
    }

    /** How many leading ones of the tokens need not be evaluated any more. */
    int waiting(int top, int[] tokens) {
        return drafted.has(top) ? drafted.matching(tokens) : 0;
    }

    /** A pass has evaluated tokens that {@link #append} took. */
    void evaluated(int count, int top, boolean withLogits) {
        position += count;
        logitsReady = withLogits;
        largestOnly = top > 0;
    }

    /**
     * Appends a token, and evaluates in the same pass tokens that may follow it. The session is then as after
     * {@code feed(token)}; but tokens fed next, as long as they are those drafted, cost no pass any more. The first one
     * that differs takes the place of what is left of the draft. Logits have the same bits either way. The weights are
     * read once for the whole pass, so that it may take little longer than that of a single token.
     *
     * @param draft tokens that may follow; those beyond {@code count}, a batch or the context are left away
     * @param count how many of them to take, from 0 on
     * @return how many were evaluated ahead
     * @throws InputException as {@link #feed(int...)}
     */
    public int feedAhead(int token, int[] draft, int count) {
        return feedAhead(0, token, draft, count);
    }

    /**
     * As {@link #feedAhead(int, int[], int)}, where only the largest logits of each token matter, as in
     * {@link #feedLargest}.
     *
     * @param top how many; 0 for all
     * @throws IllegalArgumentException when {@code top} is negative; the session is then as it was
     */
    public int feedAhead(int top, int token, int[] draft, int count) {
        TokenSpan.requireTop(top);
        int ahead = mostAhead(draft, Math.min(count, engine.batchSize() - 1));
        if (ahead <= 0 || isAhead(top, token)) {
            feedLargest(top, token);
            return 0;
        }
        require("prompt", new int[] {token});
        engine.requireIds(Arrays.copyOf(draft, ahead));
        reserve(1 + ahead, ahead);
        engine.evaluate(List.of(beginAhead(top, token, draft, ahead)));
        endAhead(top, ahead);
        return ahead;
    }

    /** How many of {@code count} drafted tokens there are and have room, behind one that is fed. */
    int mostAhead(int[] draft, int count) {
        return Math.min(Math.min(count, draft.length), contextLength() - position - 1);
    }

    /** The pass over a token and those drafted behind it. */
    TokenSpan beginAhead(int top, int token, int[] draft, int ahead) {
        append(new int[] {token});
        int[] batch = drafted.batch(token, draft, ahead);
        return new TokenSpan(cache, position, batch, 0, ahead + 1, 0, drafted.logits(), top);
    }

    /** That pass has been made. */
    void endAhead(int top, int ahead) {
        drafted.evaluated(ahead, top, logits);
        evaluated(1, top, true);
    }

    /** Nobody wants the logits of the last token. */
    void withoutLogits() {
        logitsReady = false;
    }

    /** Forgets what was evaluated ahead: a pass over the same positions was begun. */
    void forgetWaiting() {
        logitsReady = false;
        drafted.clear();
    }

    /**
     * Makes room for a pass over that many tokens, and for the logits of those that are drafted: in a turn of the
     * engine's, as whoever closes the model meanwhile frees it all.
     */
    void reserve(int tokens, int ahead) {
        engine.reserve(cache, position + tokens, position);
        if (!drafted.hasRoom(ahead)) {
            engine.exclusively(() -> drafted.reserve(ahead));
        }
    }

    /**
     * Whether this token, fed next, would cost no pass, as {@link #feedAhead} has evaluated it.
     *
     * @param top how many of the largest logits will be wanted, 0 for all
     */
    public boolean isAhead(int top, int token) {
        return drafted.has(top) && drafted.isNext(token);
    }

    /** Drafted tokens that {@link #feedAhead} has evaluated and that were not fed yet. */
    public int ahead() {
        return drafted.waiting();
    }

    /** Appends tokens and hands over the logits of each, in order; {@link #logits} then are those of the last. */
    public void feed(int[] tokens, LogitsConsumer everyPosition) {
        feed(tokens, 0, everyPosition);
    }

    /** As {@link #feed(int[], LogitsConsumer)}, but hands over logits only from {@code tokens[firstWanted]} on. */
    public void feed(int[] tokens, int firstWanted, LogitsConsumer everyPosition) {
        if (firstWanted < 0 || firstWanted > tokens.length) {
            throw new IndexOutOfBoundsException("logits from token " + firstWanted + " of " + tokens.length);
        }
        if (tokens.length == 0) {
            return;
        }
        append(tokens);
        drafted.clear();
        int chunk = Math.min(LOGITS_CHUNK, engine.batchSize());
        if (everyLogits.byteSize() == 0) {
            everyLogits = arena.allocate(chunk * rowBytes(), 64);
        }
        for (int first = 0; first < tokens.length; ) {
            // What needs no logits goes through in whole batches.
            int count = first < firstWanted
                    ? Math.min(engine.batchSize(), firstWanted - first)
                    : Math.min(chunk, tokens.length - first);
            int firstLogits = first < firstWanted ? count : 0;
            engine.evaluate(cache, position, tokens, first, count, firstLogits, everyLogits);
            position += count;
            first += count;
            if (first == tokens.length && firstLogits == 0) {
                MemorySegment.copy(everyLogits, (count - 1) * rowBytes(), logits, 0, rowBytes());
                logitsReady = true;
            }
            for (int row = 0; row < count - firstLogits; row++) {
                everyPosition.accept(position - count + row, everyLogits.asSlice(row * rowBytes(), rowBytes()));
            }
        }
    }

    /** Checks tokens and room, and remembers the tokens; {@link #position} follows as they are evaluated. */
    void append(int[] tokens) {
        require("prompt", tokens);
        logitsReady = false;
        largestOnly = false;
        if (ids.length < position + tokens.length) {
            ids = Arrays.copyOf(ids, Math.min(contextLength(), Math.max(2 * ids.length, position + tokens.length)));
        }
        System.arraycopy(tokens, 0, ids, position, tokens.length);
    }

    /** Checks tokens and room. */
    void require(String where, int[] tokens) {
        requireFree();
        engine.requireIds(where, tokens, 0, tokens.length);
        if (tokens.length > contextLength() - position) {
            throw contextTooSmall(where, position + (long) tokens.length, contextLength());
        }
    }

    static InputException contextTooSmall(String where, long tokens, int contextLength) {
        return InputException.at(where)
                .problem("longer than the context")
                .expected("at most " + contextLength + " tokens")
                .found(tokens)
                .cure("Shorten it, or load the model with a context of " + tokens + " or more.")
                .exception();
    }

    /**
     * Logits of the last token: float32 {@code [vocab]}, overwritten by the next {@link #feed}. After
     * {@link #feedLargest}, or a generation, the token may have to be evaluated again for those that were not needed.
     *
     * @throws IllegalStateException when nothing has been fed, or not since {@link #rewind}
     */
    public MemorySegment logits() {
        MemorySegment row = largestLogits();
        if (largestOnly) {
            engine.evaluate(cache, position - 1, ids, position - 1, 1, 0, logits);
            largestOnly = false;
        }
        return row;
    }

    /**
     * Logits of the last token: float32 {@code [vocab]}, overwritten by the next {@link #feed}. As many of the largest
     * as {@link #feedLargest} was asked for, and all that equal the least of them, are those of {@link #logits}; each
     * other one may be -infinity instead.
     *
     * @throws IllegalStateException when nothing has been fed, or not since {@link #rewind}
     */
    public MemorySegment largestLogits() {
        requireOpen();
        if (!logitsReady) {
            throw new IllegalStateException("no logits: feed a token first");
        }
        return logits;
    }

    /** Forgets all tokens from {@code position} on. */
    public void rewind(int position) {
        requireFree();
        if (position < 0 || position > this.position) {
            throw new IndexOutOfBoundsException("position " + position + " of " + this.position);
        }
        if (position != this.position) {
            this.position = position;
            logitsReady = false;
            drafted.clear();
        }
    }

    /**
     * Makes this session the first {@code tokens} tokens of another, whose keys and values are copied and not computed
     * again. Where both begin with the same tokens, only those behind these are copied. There are no logits until a
     * token is fed. Neither session may be used meanwhile.
     *
     * @throws IllegalArgumentException when the other is another model's
     * @throws IndexOutOfBoundsException when it has fewer tokens
     * @throws OutOfMemoryError when there is no memory for them; this session is then as it was
     */
    public void copyPrefix(Session from, int tokens) {
        requireFree();
        from.requireOpen();
        if (from.engine != engine) {
            throw new IllegalArgumentException("a session of another model");
        }
        if (tokens < 0 || tokens > from.position) {
            throw new IndexOutOfBoundsException("the first " + tokens + " of " + from.position + " tokens");
        }
        int most = Math.min(tokens, position);
        int mismatch = Arrays.mismatch(ids, 0, most, from.ids, 0, most);
        int equal = mismatch < 0 ? most : mismatch;
        if (equal < tokens) {
            engine.exclusively(() -> {
                engine.requireOpen();
                cache.reserve(tokens, position);
                cache.copyFrom(from.cache, equal, tokens);
            });
            if (ids.length < tokens) {
                ids = Arrays.copyOf(ids, tokens);
            }
            System.arraycopy(from.ids, equal, ids, equal, tokens - equal);
        }
        position = tokens;
        logitsReady = false;
        largestOnly = false;
        drafted.clear();
    }

    /** An independent copy of this session, KV cache and logits included. */
    public Session fork() {
        requireOpen();
        Session copy = new Session(engine, open);
        try {
            engine.exclusively(() -> copy.cache.copyFrom(cache, 0, position));
            copy.adopt(Arrays.copyOf(ids, position), logitsReady ? logits : MemorySegment.NULL);
            copy.largestOnly = largestOnly;
        } catch (Throwable thrown) {
            copy.close();
            throw thrown;
        }
        return copy;
    }

    /** Takes over tokens whose keys and values are in the cache already. */
    void adopt(int[] tokens, MemorySegment lastLogits) {
        ids = tokens.length == 0 ? new int[64] : tokens;
        position = tokens.length;
        logitsReady = lastLogits.byteSize() > 0;
        largestOnly = false;
        if (logitsReady) {
            logits.copyFrom(lastLogits);
        }
    }

    /**
     * Writes the session to a file, from which {@link Model#restore} makes an equal one. The file must not exist yet,
     * and appears whole or not at all. Passes of other sessions go on meanwhile.
     *
     * @throws InputException when the file cannot be written
     */
    public void save(Path file) {
        save(file, false);
    }

    /**
     * As {@link #save(Path)}, where a file of this name may exist: it is replaced once the new one is whole.
     *
     * @param overwrite whether it may
     */
    public void save(Path file, boolean overwrite) {
        requireOpen();
        MemorySegment last = logitsReady ? logits() : MemorySegment.NULL;
        whileOpen(() -> new SessionFile(engine).write(file, overwrite, cache, ids(), last));
    }

    /** Fills this empty session from a file. */
    void read(Path file) {
        whileOpen(() -> new SessionFile(engine).read(file, this));
    }

    /** Uses the cache while nobody frees it, as the model may that closes meanwhile; passes go on. */
    private void whileOpen(Runnable use) {
        inUse.lock();
        try {
            requireOpen();
            use.run();
        } finally {
            inUse.unlock();
        }
    }

    KvCache cache() {
        return cache;
    }

    Engine engine() {
        return engine;
    }

    boolean isClosed() {
        return closed;
    }

    /** Where the logits of the last token belong: float32 {@code [vocab]}. */
    MemorySegment logitsRow() {
        return logits;
    }

    private long rowBytes() {
        return 4L * engine.model().vocabSize();
    }

    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
    }

    /** Whether a pass with this session's tokens is paused: until it is over nothing may change them. */
    void hold(boolean inPass) {
        held = inPass;
    }

    private void requireFree() {
        requireOpen();
        if (held) {
            throw new IllegalStateException("the session is in a pass that is not over");
        }
    }

    /** Frees the memory, after the pass at hand. Idempotent. */
    @Override
    public void close() {
        engine.exclusively(() -> {
            inUse.lock(); // always inside the engine's turn, which its holder never waits for
            try {
                if (!closed) {
                    closed = true;
                    cache.close();
                    drafted.close();
                    arena.close();
                    open.remove(this);
                }
            } finally {
                inUse.unlock();
            }
        });
    }
}
