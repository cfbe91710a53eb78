package dev.tern.server.slots;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which prompts the next pass goes on with, and how far. The one with the fewest tokens left comes first, so that a
 * short one never waits for a long one; who was passed over twice comes before it for a short pass, so that the long
 * one comes to its end as well. A pass beside texts that wait for their next token takes
 * few tokens, but one that completes a short prompt takes all of it: in parts it would come as late as its parts are
 * many. Once a pass completes a prompt, which then is such a text, it takes few tokens of others.
 */
final class PrefillPlan {
    private static final int PATIENCE = 2; // passes that may pass over a prompt
    private static final int SHORT = 32; // tokens that are left of a prompt

    /** Tokens of a slot's prompt. */
    record Part(Slot slot, int tokens) {}

    private final List<Slot> prompts;
    private final List<Part> parts;
    private final boolean urgent;

    private PrefillPlan(List<Slot> prompts, List<Part> parts, boolean urgent) {
        this.prompts = prompts;
        this.parts = parts;
        this.urgent = urgent;
    }

    List<Part> parts() {
        return parts;
    }

    /**
     * Whether the pass is not to be paused, though something that begins meanwhile waits for it: where it is as short
     * as it can be, or a short prompt comes to its end, or one has waited long enough.
     */
    boolean urgent() {
        return urgent;
    }

    /** A pass with these prompts came to nothing: they come first now, and the next pass is short and made at once. */
    static void givenUp(List<Slot> prompts) {
        prompts.forEach(slot -> slot.passedOver(PATIENCE));
    }

    /** Remembers who was passed over: who has no part in the pass. */
    void remember() {
        for (Slot slot : prompts) {
            boolean hasPart = parts.stream().anyMatch(part -> part.slot() == slot);
            slot.passedOver(hasPart ? 0 : slot.passedOver() + 1);
        }
    }

    /**
     * Plans a pass.
     *
     * @param prompts slots whose prompts are to be computed
     * @param rows tokens of other texts in the pass, or in one that is paused
     * @param room tokens that the pass may have besides
     * @param between whether it is made while another is paused: it is not long then
     */
    static PrefillPlan of(List<Slot> prompts, int rows, int room, PassCosts costs, boolean between) {
        int beside = Math.max(rows > 0 ? 0 : 1, costs.chunkBeside(Math.max(1, rows)));
        List<Slot> order = new ArrayList<>(prompts);
        order.sort(Comparator.comparing((Slot slot) -> slot.passedOver() < PATIENCE)
                .thenComparing(Slot::remaining)
                .thenComparing(slot -> slot.task().number()));
        boolean overdue = !order.isEmpty() && order.getFirst().passedOver() >= PATIENCE;
        int left = rows > 0 || overdue ? beside : between ? costs.leastAlone() : costs.chunkAlone();
        if (!order.isEmpty() && order.getFirst().remaining() <= SHORT) {
            left = Math.max(left, order.getFirst().remaining());
        }
        left = Math.min(left, room);
        int taken = 0;
        boolean completes = false;
        List<Part> parts = new ArrayList<>();
        for (Slot slot : order) {
            int tokens = Math.min(slot.remaining(), left);
            if (tokens > 0) {
                parts.add(new Part(slot, tokens));
                left -= tokens;
                taken += tokens;
                if (tokens == slot.remaining()) {
                    completes = true;
                    left = Math.min(left, Math.max(0, beside - taken));
                }
            }
        }
        return new PrefillPlan(order, parts, taken == 0 || overdue || completes && taken <= SHORT);
    }
}
