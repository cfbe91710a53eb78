package dev.tern.server.slots;

import dev.tern.Decoding;
import dev.tern.DraftOptions;
import dev.tern.Model;
import dev.tern.Session;
import dev.tern.StopReason;
import dev.tern.Token;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A sequence with its cache, and the request it works on or worked on last. For the scheduler's thread, and, while a
 * request's token is chosen, one that stands in for it; {@link #state} may be called from any.
 */
final class Slot {
    /** What became of a request, and what its reader is to be told. */
    record Outcome(Task task, CompletionTimings timings, CompletionEvent last) {}

    private static final int[] NONE = {};

    private final int id;
    private final Model model;
    private @Nullable Session session; // from the first request to an erasure
    private @Nullable Task task; // null: idle
    private @Nullable Decoding decoding;
    private @Nullable RuntimeException failure;
    private int[] prompt = NONE;
    private int cached; // tokens of the prompt that were not computed
    private long begun;
    private long firstToken;
    private long lastToken;
    private long lastUsed; // 0: never
    private boolean reserved; // someone else uses the session for a while
    private int passedOver; // passes that others' prompts were in since this one's was

    private volatile int tokensShown;
    private volatile int generatedShown;
    private volatile long taskShown = -1;
    private volatile boolean busyShown;
    private volatile boolean speculativeShown;

    Slot(int id, Model model) {
        this.id = id;
        this.model = model;
    }

    int id() {
        return id;
    }

    boolean idle() {
        return task == null && !reserved;
    }

    boolean busy() {
        return task != null;
    }

    long lastUsed() {
        return lastUsed;
    }

    Task task() {
        return Objects.requireNonNull(task);
    }

    Session session() {
        return Objects.requireNonNull(session);
    }

    Decoding decoding() {
        return Objects.requireNonNull(decoding);
    }

    int[] prompt() {
        return prompt;
    }

    /** Tokens in the cache. */
    int position() {
        return session == null ? 0 : session.position();
    }

    /** Tokens of the prompt that are still to be computed. */
    int remaining() {
        return prompt.length - position();
    }

    /** Whether the prompt is not in the cache wholly. */
    boolean prefilling() {
        return task != null && failure == null && remaining() > 0;
    }

    /** Whether a token has been chosen that is to be fed. */
    boolean generating() {
        return task != null && failure == null && decoding().count() > 0 && decoding().stopReason() == null;
    }

    /** Whether the cache has all tokens so far, and the next may be chosen. */
    boolean ready() {
        return task != null && failure == null && remaining() <= 0 && decoding().stopReason() == null;
    }

    int passedOver() {
        return passedOver;
    }

    /** Whether a prompt waits for its first pass. */
    boolean fresh() {
        return prefilling() && position() == cached;
    }

    void passedOver(int passes) {
        passedOver = passes;
    }

    /**
     * Takes a request.
     *
     * @param source the slot from which to take over tokens, this one for those that it has
     * @param shared how many of the prompt's first are the same there
     */
    void begin(Task next, @Nullable Slot source, int shared) {
        task = next;
        prompt = next.request().prompt();
        failure = null;
        passedOver = 0;
        begun = System.nanoTime();
        lastUsed = begun;
        taskShown = next.number();
        DraftOptions draft = next.request().options().draft();
        speculativeShown = draft.mode() != DraftOptions.Mode.OFF && draft.maxTokens() > 0;
        busyShown = true;
        try {
            decoding = next.takeDecoding();
            if (session == null) {
                session = model.session();
            }
            if (source != null && source != this) {
                session.copyPrefix(source.session(), shared);
            } else {
                session.rewind(source == null ? 0 : shared);
            }
        } catch (RuntimeException | Error e) {
            fail(e);
        }
        cached = failure == null ? position() : 0;
        show();
        if (failure == null) {
            next.tell(new CompletionEvent.Started(id, cached));
        }
    }

    /** Takes over tokens of the prompt that another slot has computed meanwhile. */
    void takeOver(Slot source, int shared) {
        int before = position();
        session().copyPrefix(source.session(), shared);
        cached += shared - before;
        show();
        tellProgress();
    }

    /** Part of the prompt has been computed. */
    void prefilled() {
        show();
        tellProgress();
    }

    private void tellProgress() {
        if (task().request().progress()) {
            task().tell(new CompletionEvent.Prefilled(position(), prompt.length, System.nanoTime() - begun));
        }
    }

    /** The last token, and what was drafted behind it, have been evaluated. */
    void fed() {
        decoding().evaluated(session().ahead());
    }

    /** Chooses tokens from the logits that the pass has left, as long as they need no other pass. */
    void choose() {
        Decoding text = decoding();
        Session sequence = session();
        try {
            do {
                Token token = text.next(sequence.largestLogits(), sequence.position() == sequence.contextLength());
                lastToken = System.nanoTime();
                if (token.id() != Token.NO_ID) {
                    firstToken = text.count() == 1 ? lastToken : firstToken;
                    task().tell(new CompletionEvent.Generated(token.id(), token.text(), token.probabilities()));
                }
                if (outOfTime()) {
                    text.end(StopReason.MAX_TOKENS);
                }
            } while (text.stopReason() == null && !task().cancelled() && text.feedKnown(sequence));
        } catch (RuntimeException | Error e) {
            fail(e);
        }
        show();
    }

    private boolean outOfTime() {
        Optional<Duration> limit = task().request().timeLimit();
        return firstToken != 0 && limit.isPresent() && lastToken - firstToken >= limit.get().toNanos();
    }

    /** Something of this request's own went wrong; its cache is not trusted any more. */
    void fail(Throwable thrown) {
        failure = thrown instanceof RuntimeException e
                ? e
                : new IllegalStateException("the request cannot be computed: " + thrown, thrown);
    }

    /** Whether the request is at its end. */
    boolean done() {
        return task != null
                && (failure != null || task.cancelled() || (decoding().stopReason() != null && remaining() <= 0));
    }

    /** Gives the request back and is idle. One that is not at its end is cancelled. */
    Outcome finish() {
        Task ended = task();
        CompletionTimings timings = timings();
        RuntimeException cause = failure;
        CompletionEvent last;
        if (cause != null) {
            last = new CompletionEvent.Failed(cause);
            erase();
        } else {
            Decoding text = decoding();
            text.end(StopReason.CANCELLED);
            StopReason reason = Objects.requireNonNull(text.stopReason());
            last = new CompletionEvent.Ended(reason, text.tail(), text.stopString(), timings);
        }
        task = null;
        decoding = null;
        failure = null;
        prompt = NONE;
        firstToken = 0;
        lastToken = 0;
        lastUsed = session == null ? 0 : System.nanoTime();
        busyShown = false;
        show();
        return new Outcome(ended, timings, last);
    }

    private CompletionTimings timings() {
        Decoding text = decoding;
        int generated = text == null ? 0 : text.count();
        long now = System.nanoTime();
        long prefillEnd = firstToken != 0 ? firstToken : lastToken != 0 ? lastToken : now;
        int held = Math.min(position(), prompt.length);
        return new CompletionTimings(
                cached,
                Math.max(0, held - cached),
                prefillEnd - begun,
                generated,
                firstToken == 0 ? 0 : lastToken - firstToken,
                text == null ? 0 : text.draftedTokens(),
                text == null ? 0 : text.acceptedTokens());
    }

    /** Hands the session to someone else until {@link #giveBack}; null when there is none. */
    @Nullable Session reserve() {
        reserved = true;
        Session handed = session;
        session = null;
        show();
        return handed;
    }

    void giveBack(@Nullable Session handed) {
        reserved = false;
        session = handed;
        lastUsed = handed == null ? 0 : System.nanoTime();
        show();
    }

    /** Frees the cache. */
    void erase() {
        Session freed = session;
        session = null;
        lastUsed = 0;
        if (freed != null) {
            freed.close();
        }
        show();
    }

    private void show() {
        tokensShown = position();
        Decoding text = decoding;
        if (text != null) {
            generatedShown = text.count();
        }
    }

    SlotState state() {
        return new SlotState(
                id,
                model.info().contextLength(),
                tokensShown,
                busyShown,
                taskShown,
                generatedShown,
                speculativeShown);
    }
}
