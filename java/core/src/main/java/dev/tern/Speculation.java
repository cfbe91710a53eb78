package dev.tern;

import dev.tern.model.PassTimes;
import dev.tern.speculation.DraftLength;
import dev.tern.speculation.PromptLookup;
import java.util.function.IntPredicate;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * The drafts of one generation. Nothing here chooses tokens: a draft is evaluated ahead by the session, and the
 * generation samples each token from its own logits as ever; only where they come from differs. Not thread-safe.
 */
final class Speculation {
    private final DraftOptions options;
    private final IntPredicate ends;
    private final @Nullable PromptLookup lookup; // null: no drafts
    private final DraftLength length;
    private final int[] draft;
    private long drafted;
    private long accepted;
    private int waiting; // of the drafted, those that were not chosen yet

    /** @param ends whether a token ends the generation: nothing is drafted from it on */
    Speculation(DraftOptions options, PassTimes times, IntPredicate ends) {
        this.options = options;
        this.ends = ends;
        this.lookup = options.enabled() ? new PromptLookup(options.minNgram()) : null;
        this.length = new DraftLength(times::relative);
        this.draft = new int[options.enabled() ? options.maxTokens() : 0];
    }

    /** Tokens that were evaluated ahead. */
    long drafted() {
        return drafted;
    }

    /** Those of them that were chosen and fed. */
    long accepted() {
        return accepted;
    }

    /** Appends a token of the prompt, or of what stands in front of it. */
    void addPrompt(int id) {
        if (lookup != null) {
            lookup.add(id);
        }
    }

    /** Appends a token that was chosen. */
    void add(int id) {
        if (lookup != null) {
            int matched = lookup.match();
            if (matched > 0) {
                length.observe(matched, lookup.next() == id);
            }
            lookup.add(id);
        }
    }

    /**
     * Feeds a token that was chosen where the session has evaluated it ahead.
     *
     * @param top how many of the largest logits matter, 0 for all
     * @return whether that was so
     */
    boolean feedKnown(Session session, int top, int id) {
        if (!session.isAhead(top, id)) {
            return false;
        }
        session.feedLargest(top, id);
        accepted += waiting > 0 ? 1 : 0; // else it is one that an earlier generation left in the session
        waiting = Math.max(0, waiting - 1);
        return true;
    }

    /** So many of the tokens guessed last are evaluated ahead. */
    void evaluated(int count) {
        waiting = count;
        drafted += count;
    }

    /** The tokens guessed last. */
    int[] draft() {
        return draft;
    }

    /**
     * Guesses tokens.
     *
     * @param useful how many can be of use at most
     * @param others texts that get a token from the same pass
     * @param cost time of that pass with so many drafted tokens in units of that with none; null where the pass is for
     *     this text alone
     * @return how many
     */
    int draft(int useful, int others, @Nullable IntToDoubleFunction cost) {
        int most = Math.min(draft.length, useful);
        int matched = lookup == null || most <= 0 ? 0 : lookup.match();
        if (lookup == null || matched == 0) {
            return 0;
        }
        int count = most;
        if (options.mode() == DraftOptions.Mode.AUTO) {
            count = cost == null ? length.choose(matched, most) : length.choose(matched, most, others, cost);
        }
        lookup.draft(draft, count);
        for (int i = 0; i < count; i++) {
            if (ends.test(draft[i])) {
                return i;
            }
        }
        return count;
    }
}
