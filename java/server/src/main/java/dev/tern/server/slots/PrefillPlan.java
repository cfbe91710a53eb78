package dev.tern.server.slots;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Which prompts the next pass goes on with, and how far. The one with the fewest tokens left comes first, so that a short
 * one never waits for a long one; who was passed over twice comes before it, so that the long one comes to its end as
 * well. A pass beside texts that wait for their next token takes few tokens. One that completes a prompt, which then is
 * such a text, takes no more of others than that either.
 */
final class PrefillPlan {
    private static final int PATIENCE = 2; // passes that may pass over a prompt

    /** Tokens of a slot's prompt. */
    record Part(Slot slot, int tokens) {}

    private PrefillPlan() {}

    /**
     * The parts of a pass.
     *
     * @param prompts slots whose prompts are to be computed
     * @param rows tokens of other texts in the pass
     * @param room tokens that the pass may have besides
     */
    static List<Part> of(List<Slot> prompts, int rows, int room, PassCosts costs) {
        int beside = costs.chunkBeside(Math.max(1, rows));
        List<Slot> order = new ArrayList<>(prompts);
        order.sort(Comparator.comparing((Slot slot) -> slot.passedOver() < PATIENCE)
                .thenComparing(Slot::remaining)
                .thenComparing(slot -> slot.task().number()));
        boolean overdue = order.size() > 1 && order.getFirst().passedOver() >= PATIENCE;
        int left = Math.min(room, rows > 0 || overdue ? beside : costs.chunkAlone());
        int taken = 0;
        List<Part> parts = new ArrayList<>();
        for (Slot slot : order) {
            int tokens = Math.min(slot.remaining(), left);
            slot.passOver(tokens == 0);
            if (tokens > 0) {
                parts.add(new Part(slot, tokens));
                left -= tokens;
                taken += tokens;
                if (tokens == slot.remaining()) {
                    left = Math.min(left, Math.max(0, beside - taken));
                }
            }
        }
        return parts;
    }
}
