package dev.tern.grammar;

import dev.tern.io.InputException;
import dev.tern.sampling.TokenConstraint;
import java.util.Arrays;

/**
 * Holds one text to a grammar, token by token. Tokens that end the answer may come exactly where the text may end, and
 * alone where nothing else can follow. Not thread-safe; any number may be at work with one {@link Grammar}.
 */
public final class GrammarConstraint implements TokenConstraint {
    private final TokenMasks masks;
    private TokenMasks.Place place;
    private final WorkBudget budget = new WorkBudget();
    private boolean ended;

    GrammarConstraint(TokenMasks masks) {
        this.masks = masks;
        this.place = masks.begin();
    }

    /** Whether the text so far follows the grammar as a whole. */
    public boolean isComplete() {
        return ended || place.complete();
    }

    /** Whether the text is complete and only its end may follow. */
    public boolean isFinished() {
        return ended || place.finished();
    }

    /**
     * {@inheritDoc}
     *
     * @throws InputException when no token may come: the vocabulary cannot spell what the grammar demands, or has no
     *     token that ends an answer which must end; ask {@link #isFinished()} before. Also when the grammar is so
     *     ambiguous that its readings cannot be followed: a text may take a second or two of work, and some
     *     milliseconds more for each of its tokens
     */
    @Override
    public void mask(float[] logits) {
        VocabularyTrie trie = masks.trie;
        int[] ends = isComplete() ? trie.ends() : new int[0];
        float[] endLogits = new float[ends.length];
        for (int i = 0; i < ends.length; i++) {
            endLogits[i] = logits[ends[i]];
        }
        boolean left = false;
        if (isFinished()) {
            Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        } else {
            left = keep(masks.mask(place, budget), logits);
        }
        for (int i = 0; i < ends.length; i++) {
            logits[ends[i]] = endLogits[i];
        }
        if (!left && ends.length == 0) {
            throw InputException.at(trie.tokenizer().vocabulary().origin())
                    .problem(isFinished()
                            ? "the vocabulary has no token that ends an answer"
                            : "the vocabulary has no token for what the grammar demands here")
                    .exception();
        }
    }

    /** Whether any bit is set. */
    private static boolean keep(long[] bits, float[] logits) {
        boolean any = false;
        for (int word = 0; word < bits.length; word++) {
            long forbidden = ~bits[word];
            int from = word << 6;
            int to = Math.min(from + 64, logits.length);
            any |= bits[word] != 0;
            if (forbidden == -1L) {
                Arrays.fill(logits, Math.min(from, to), to, Float.NEGATIVE_INFINITY);
            } else {
                for (; forbidden != 0; forbidden &= forbidden - 1) {
                    int id = from + Long.numberOfTrailingZeros(forbidden);
                    if (id < to) {
                        logits[id] = Float.NEGATIVE_INFINITY;
                    }
                }
            }
        }
        Arrays.fill(logits, Math.min(bits.length << 6, logits.length), logits.length, Float.NEGATIVE_INFINITY);
        return any;
    }

    @Override
    public void accept(int id) {
        if (masks.trie.tokenizer().isEnd(id)) {
            if (!isComplete()) {
                throw refused(id, "the text may not end here");
            }
            ended = true;
            return;
        }
        TokenMasks.Place next = ended ? null : masks.next(place, id, budget);
        if (next == null) {
            throw refused(id, ended ? "the text has ended" : "the grammar does not let it come here");
        }
        place = next;
        budget.token();
    }

    TokenMasks masks() {
        return masks;
    }

    private static IllegalArgumentException refused(int id, String reason) {
        return new IllegalArgumentException("token " + id + ": " + reason);
    }
}
