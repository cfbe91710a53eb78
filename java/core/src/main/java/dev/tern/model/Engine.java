package dev.tern.model;

import dev.tern.io.InputException;
import dev.tern.kernels.FloatType;
import dev.tern.kernels.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs a model: one thread team, any number of sequences, each with its own {@link KvCache}; one set of scratch memory,
 * and one for each {@link PausablePass}.
 * Thread-safe: forward passes take turns, in order of arrival. {@link #close} waits for the pass at hand, then frees
 * what the engine and its owner hold; every later call throws {@link IllegalStateException}, so no thread ever computes
 * on memory that is gone.
 */
public final class Engine implements AutoCloseable {
    private final ModelHyperparameters model;
    private final ModelWeights weights;
    private final Kernels kernels;
    private final ThreadTeam team;
    private final TokenWork work;
    private final Forward forward;
    private final ScreenedHead screened;
    private final int contextLength;
    private final int batchSize;
    private final FloatType cacheType;
    private final PassTimes wholePasses = new PassTimes();
    private final PassTimes largestPasses = new PassTimes();
    private final ReentrantLock turns = new ReentrantLock(true);
    private final Runnable release;
    private boolean closed; // guarded by turns
    private boolean measured; // guarded by turns

    /**
     * An engine over loaded weights.
     *
     * @param team who computes; closed with the engine
     * @param contextLength positions a sequence may have
     * @param batchSize most tokens of one pass
     * @param cacheType F16, F32 or, where a head is whole blocks of 32, Q8_0
     * @param screen whether the head has a screen
     * @param release run once when the engine closes, after the last pass: frees the weights
     */
    public Engine(
            ModelHyperparameters model,
            ModelWeights weights,
            Kernels kernels,
            ThreadTeam team,
            int contextLength,
            int batchSize,
            FloatType cacheType,
            HeadScreen screen,
            Runnable release) {
        if (contextLength <= 0 || batchSize <= 0 || !cacheType.isCacheType()) {
            throw new IllegalArgumentException(
                    "context " + contextLength + ", batch " + batchSize + ", cache " + cacheType);
        }
        this.model = model;
        this.weights = weights;
        this.kernels = kernels;
        this.team = team;
        this.contextLength = contextLength;
        this.batchSize = Math.min(batchSize, contextLength);
        this.cacheType = cacheType;
        this.release = release;
        this.work = weights.tokenWork(model, cacheType);
        this.forward = newForward();
        this.screened = new ScreenedHead(screen, weights.head(), kernels, team);
    }

    Forward newForward() {
        return new Forward(model, weights, kernels, team, batchSize);
    }

    /** The numbers of the graph. */
    public ModelHyperparameters model() {
        return model;
    }

    /** The weights; not to be used after {@link #close}. */
    public ModelWeights weights() {
        return weights;
    }

    /** Who computes. */
    public Kernels kernels() {
        return kernels;
    }

    /** Threads that compute, the caller's included. */
    public int threads() {
        return team.size();
    }

    /** Positions a sequence may have. */
    public int contextLength() {
        return contextLength;
    }

    /** Most tokens of one pass. */
    public int batchSize() {
        return batchSize;
    }

    /** What the head's screen has done so far. */
    public ScreenUse screenUse() {
        turns.lock();
        try {
            return screened.use();
        } finally {
            turns.unlock();
        }
    }

    /** Element type of the caches. */
    public FloatType cacheType() {
        return cacheType;
    }

    /**
     * How long passes over few tokens take.
     *
     * @param largestOnly those where only the largest logits matter, which a screened head gives sooner
     */
    public PassTimes passTimes(boolean largestOnly) {
        return largestOnly ? largestPasses : wholePasses;
    }

    /** What a token takes; known whether the engine is open or closed. */
    public TokenWork tokenWork() {
        return work;
    }

    /** An empty cache for one sequence. */
    public KvCache newCache() {
        return new KvCache(model, contextLength, cacheType);
    }

    /**
     * Checks token ids that somebody supplied.
     *
     * @throws InputException when one is not in the vocabulary
     */
    public void requireIds(int[] ids) {
        requireIds("prompt", ids, 0, ids.length);
    }

    /**
     * As {@link #requireIds(int[])}, of {@code ids[from .. from + count)}.
     *
     * @param where the ids come from, for the message
     */
    public void requireIds(String where, int[] ids, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (ids[i] < 0 || ids[i] >= model.vocabSize()) {
                throw InputException.at(where)
                        .problem("token " + i + " is not in the vocabulary")
                        .expected("an id from 0 to " + (model.vocabSize() - 1))
                        .found(ids[i])
                        .exception();
            }
        }
    }

    /**
     * Evaluates tokens of a sequence, in order, in one pass, and stores their keys and values.
     *
     * @param position positions of the sequence so far; the cache holds that many
     * @param ids ids in the vocabulary
     * @param first index of the first id to evaluate
     * @param count number of ids, 1 to {@link #batchSize}
     * @param firstLogits logits are computed for the tokens from this one of the batch on; {@code count} for none
     * @param logits float32 {@code [count - firstLogits][vocab]}
     * @throws IllegalStateException when the engine or the cache is closed
     */
    public void evaluate(
            KvCache cache, int position, int[] ids, int first, int count, int firstLogits, MemorySegment logits) {
        evaluate(cache, position, ids, first, count, firstLogits, logits, 0, null);
    }

    /**
     * As {@link #evaluate(KvCache, int, int[], int, int, int, MemorySegment)}, where of each token only the largest
     * logits matter: the {@code top} largest and all that equal the least of them are those of the whole head to the
     * bit; each other one may be -infinity instead.
     *
     * @param top 0 for all
     */
    public void evaluate(
            KvCache cache,
            int position,
            int[] ids,
            int first,
            int count,
            int firstLogits,
            MemorySegment logits,
            int top) {
        evaluate(cache, position, ids, first, count, firstLogits, logits, top, null);
    }

    void evaluate(
            KvCache cache,
            int position,
            int[] ids,
            int first,
            int count,
            int firstLogits,
            MemorySegment logits,
            int top,
            @Nullable ForwardTrace trace) {
        evaluate(List.of(new TokenSpan(cache, position, ids, first, count, firstLogits, logits, top)), trace);
    }

    /**
     * Evaluates tokens of several sequences in one pass, which reads the weights once for all of them. The keys, values
     * and logits of each are those that a pass of its own would give, to the bit.
     *
     * @param spans of different sequences, no more than {@link #batchSize} tokens together
     * @throws OutOfMemoryError when there is no memory for the keys and values of one of them; nothing is evaluated
     *     then
     * @throws IllegalStateException when the engine or a cache is closed
     */
    public void evaluate(List<TokenSpan> spans) {
        evaluate(spans, null);
    }

    void evaluate(List<TokenSpan> spans, @Nullable ForwardTrace trace) {
        require(spans, model.vocabSize());
        turns.lock();
        try {
            reserve(spans);
            ScreenedHead shortcut = shortcut(spans, trace != null);
            long start = System.nanoTime();
            forward.evaluate(spans, shortcut, trace);
            int tokens = tokens(spans);
            if (wanted(spans) == tokens && (shortcut == null || !shortcut.packs())) {
                passTimes(largest(spans) > 0).record(tokens, System.nanoTime() - start);
            }
            if (shortcut != null) {
                shortcut.finish();
            }
        } finally {
            turns.unlock();
        }
    }

    /** The screened head, prepared for a pass, where that is to run it; the turn is the caller's. */
    private @Nullable ScreenedHead shortcut(List<TokenSpan> spans, boolean traced) {
        int wanted = wanted(spans);
        boolean sideBySide = spans.size() == 1 || (!traced && model.layers() > 0);
        return wanted > 0 && sideBySide && screened.prepare(largest(spans), wanted) ? screened : null;
    }

    private static int tokens(List<TokenSpan> spans) {
        int tokens = 0;
        for (int s = 0; s < spans.size(); s++) {
            tokens += spans.get(s).count();
        }
        return tokens;
    }

    /** Tokens whose logits are wanted. */
    private static int wanted(List<TokenSpan> spans) {
        int wanted = 0;
        for (int s = 0; s < spans.size(); s++) {
            wanted += spans.get(s).wanted();
        }
        return wanted;
    }

    /** How many of the largest logits of a token some span wants at most; 0 where one wants all. */
    private static int largest(List<TokenSpan> spans) {
        int largest = 0;
        for (int s = 0; s < spans.size(); s++) {
            TokenSpan span = spans.get(s);
            if (span.wanted() > 0 && span.top() == 0) {
                return 0;
            }
            largest = span.wanted() > 0 ? Math.max(largest, span.top()) : largest;
        }
        return largest;
    }

    /** A pass that can stop on its way. */
    public PausablePass pausablePass() {
        return new PausablePass(this);
    }

    void beginPausable(List<TokenSpan> spans, PausablePass pass) {
        require(spans, model.vocabSize());
        turns.lock();
        try {
            reserve(spans);
            pass.forward().begin(spans);
        } finally {
            turns.unlock();
        }
    }

    /** Returns whether the pass is over. */
    boolean goOn(PausablePass pass, BooleanSupplier pause) {
        turns.lock();
        try {
            reserve(pass.spans());
            Forward own = pass.forward();
            if (!own.evaluateBlocks(pause)) {
                return false;
            }
            ScreenedHead shortcut = shortcut(pass.spans(), false);
            own.evaluateHead(shortcut);
            if (shortcut != null) {
                shortcut.finish();
            }
            return true;
        } finally {
            turns.unlock();
        }
    }

    /**
     * Evaluates tokens as {@link #evaluate(List)} does, but gives their hidden states behind the last norm, which the
     * head is multiplied with, in the place of logits.
     *
     * @param spans whose {@code logits} are float32 {@code [count - firstLogits][hidden]}
     */
    public void states(List<TokenSpan> spans) {
        require(spans, model.hiddenSize());
        turns.lock();
        try {
            reserve(spans);
            forward.states(spans);
        } finally {
            turns.unlock();
        }
    }

    /** Room in all caches, before anything is computed; the turn is the caller's. */
    private void reserve(List<TokenSpan> spans) {
        requireOpen();
        for (int s = 0; s < spans.size(); s++) {
            TokenSpan span = spans.get(s);
            span.cache().reserve(span.position() + span.count(), span.position());
        }
    }

    private void require(List<TokenSpan> spans, int width) {
        int tokens = 0;
        for (int s = 0; s < spans.size(); s++) {
            TokenSpan span = spans.get(s);
            require(span, batchSize - tokens, width);
            for (int other = 0; other < s; other++) {
                if (spans.get(other).cache() == span.cache()) {
                    throw new IllegalArgumentException("a sequence is twice in a pass");
                }
            }
            tokens += span.count();
        }
        if (tokens == 0) {
            throw new IllegalArgumentException("a pass without tokens");
        }
    }

    private void require(TokenSpan span, int most, int width) {
        int count = span.count();
        int firstLogits = span.firstLogits();
        if (count < 1 || count > most || firstLogits < 0 || firstLogits > count) {
            throw new IllegalArgumentException("a batch of " + count + " with logits from " + firstLogits);
        }
        int position = span.position();
        if (position < 0 || position > contextLength - count) {
            throw new IllegalArgumentException(
                    count + " tokens at position " + position + " of a context of " + contextLength);
        }
        if (span.wanted() * 4L * width > span.logits().byteSize()) {
            throw new IllegalArgumentException("no room for " + span.wanted() + " rows of " + width + " floats");
        }
    }

    /**
     * Makes room in a sequence's cache, so that a pass need not.
     *
     * @param used positions that keep their content
     * @throws OutOfMemoryError when there is no memory for it; the cache is then as it was
     * @throws IllegalStateException when the engine or the cache is closed
     */
    public void reserve(KvCache cache, int positions, int used) {
        if (positions > cache.capacity()) {
            exclusively(() -> {
                requireOpen();
                cache.reserve(positions, used);
            });
        }
    }

    /**
     * Runs some work and measures what the forward passes meanwhile, this thread's and others', spend their time on.
     * Passes that are not measured take no longer for it.
     *
     * @throws IllegalStateException when the engine is closed, or passes are being measured already
     */
    public PassProfile profile(Runnable work) {
        PassMeter passes = new PassMeter(model, weights, cacheType, team.size());
        exclusively(() -> {
            requireOpen();
            if (measured) {
                throw new IllegalStateException("passes are being measured already");
            }
            measured = true;
            forward.measure(passes);
        });
        try {
            work.run();
        } finally {
            exclusively(() -> {
                measured = false;
                forward.measure(null);
            });
        }
        return passes.profile();
    }

    /** Runs an action that reads or frees a sequence's memory while no pass runs, the engine being open or not. */
    public void exclusively(Runnable action) {
        turns.lock();
        try {
            action.run();
        } finally {
            turns.unlock();
        }
    }

    /**
     * Checks that the engine is open.
     *
     * @throws IllegalStateException when it is closed
     */
    public void requireOpen() {
        turns.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the model is closed");
            }
        } finally {
            turns.unlock();
        }
    }

    /** Waits for the pass at hand and frees everything. Idempotent. */
    @Override
    public void close() {
        turns.lock();
        try {
            if (!closed) {
                closed = true;
                team.close();
                screened.close();
                release.run();
            }
        } finally {
            turns.unlock();
        }
    }
}
