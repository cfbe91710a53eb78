package dev.tern;

import dev.tern.model.PassTimes;
import dev.tern.speculation.DraftLength;
import dev.tern.speculation.PromptLookup;
import java.util.function.IntPredicate;
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
     * Feeds the last token, ahead of which the next may be evaluated.
     *
     * @param top how many of the largest logits matter, 0 for all
     * @param useful how many drafted tokens can be of use at most
     */
    void feed(Session session, int top, int id, int useful) {
        if (session.isAhead(top, id)) {
            session.feedLargest(top, id);
            accepted += waiting > 0 ? 1 : 0; // else it is one that an earlier generation left in the session
            waiting = Math.max(0, waiting - 1);
        } else {
            waiting = session.feedAhead(top, id, draft, draftTokens(useful));
            drafted += waiting;
        }
    }

    private int draftTokens(int useful) {
        int most = Math.min(draft.length, useful);
        int matched = lookup == null || most <= 0 ? 0 : lookup.match();
        if (lookup == null || matched == 0) {
            return 0;
        }
        int count = options.mode() == DraftOptions.Mode.ON ? most : length.choose(matched, most);
        lookup.draft(draft, count);
        for (int i = 0; i < count; i++) {
            if (ends.test(draft[i])) {
                return i;
            }
        }
        return count;
    }
}
