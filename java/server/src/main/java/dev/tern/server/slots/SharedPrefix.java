package dev.tern.server.slots;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The first tokens of a prompt that some slot holds already, so that their keys and values are copied, or stay where
 * they are, and not computed again. The last token of a prompt is always computed, for its logits.
 *
 * @param source the slot that holds them
 * @param tokens how many
 */
record SharedPrefix(Slot source, int tokens) {
    private static final int WORTH_WAITING = 16; // tokens: fewer are computed as soon as they are waited for

    /** A slot for a request, and where its first tokens are; null when there is none. */
    record Choice(Slot slot, @Nullable SharedPrefix prefix) {}

    /**
     * The slot in which a request begins: the one with its first tokens where most of what that holds is shared; else
     * the one that has not been used for longest, whose tokens are given up. Null as long as none is idle, or not the
     * one that is asked for.
     */
    static @Nullable Choice choose(List<Slot> slots, Task task) {
        OptionalInt wanted = task.request().slot();
        List<Slot> idle = slots.stream()
                .filter(slot -> slot.idle() && (wanted.isEmpty() || wanted.getAsInt() == slot.id()))
                .sorted(Comparator.comparingLong(Slot::lastUsed))
                .toList();
        if (idle.isEmpty()) {
            return null;
        }
        Slot oldest = idle.getFirst();
        if (!task.request().cachePrompt()) {
            return new Choice(oldest, null);
        }
        int[] prompt = task.request().prompt();
        SharedPrefix longest = null;
        for (Slot slot : slots) {
            int tokens = held(slot, prompt);
            boolean better = longest == null
                    ? tokens > 0
                    : tokens > longest.tokens || tokens == longest.tokens && slot.idle() && !longest.source.idle();
            if (better) {
                longest = new SharedPrefix(slot, tokens);
            }
        }
        if (longest == null) {
            return new Choice(oldest, null);
        }
        boolean stays = idle.contains(longest.source) && 2 * longest.tokens >= longest.source.position();
        Slot slot = stays ? longest.source : oldest;
        return held(slot, prompt) >= longest.tokens
                ? new Choice(slot, new SharedPrefix(slot, longest.tokens))
                : new Choice(slot, longest);
    }

    /**
     * What another slot holds of a prompt that is being computed: so much more than its own that copying is worth it;
     * null where there is none.
     */
    static @Nullable SharedPrefix ahead(List<Slot> slots, Slot slot) {
        SharedPrefix longest = null;
        int most = slot.position() + WORTH_WAITING - 1;
        for (Slot other : slots) {
            if (other != slot) {
                int tokens = held(other, slot.prompt());
                if (tokens > most) {
                    most = tokens;
                    longest = new SharedPrefix(other, tokens);
                }
            }
        }
        return longest;
    }

    /**
     * Whether another slot is about to compute what this one needs next, so that it need not do so as well. Of two
     * prompts that begin alike the one with fewer tokens left goes on: it comes first anyway; or one that is in a pass
     * which is paused, where that has no more tokens than are spared.
     *
     * @param underWay tokens of the paused pass that a slot is in; 0 for others
     */
    static boolean comes(List<Slot> slots, Slot slot, ToIntFunction<Slot> underWay) {
        for (Slot other : slots) {
            if (other != slot && other.prefilling()) {
                int known = Math.max(other.position(), slot.position());
                int spared = shared(other.prompt(), other.prompt().length, slot.prompt()) - known;
                int waiting = underWay.applyAsInt(other);
                if (spared >= WORTH_WAITING && (leads(other, slot) || waiting > 0 && spared >= waiting)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean leads(Slot other, Slot slot) {
        return other.remaining() != slot.remaining()
                ? other.remaining() < slot.remaining()
                : other.task().number() < slot.task().number();
    }

    /** Tokens of the prompt, but the last, that the slot has in its cache. */
    private static int held(Slot slot, int[] prompt) {
        return slot.position() == 0 ? 0 : shared(slot.session().ids(), slot.position(), prompt);
    }

    private static int shared(int[] tokens, int count, int[] prompt) {
        int most = Math.min(count, prompt.length - 1);
        int mismatch = Arrays.mismatch(tokens, 0, most, prompt, 0, most);
        return mismatch < 0 ? most : mismatch;
    }
}
