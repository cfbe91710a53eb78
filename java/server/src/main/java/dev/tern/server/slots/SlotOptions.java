package dev.tern.server.slots;

/**
 * How many requests there may be.
 *
 * @param parallel slots: requests computed at once, each with a KV cache of its own that grows with its text up to the
 *     model's context
 * @param queue most requests that wait for a slot
 */
public record SlotOptions(int parallel, int queue) {
    /** @throws IllegalArgumentException when a number is outside its range */
    public SlotOptions {
        if (parallel < 1 || parallel > 1024) {
            throw new IllegalArgumentException("parallel: expected 1 to 1024 slots, found " + parallel);
        }
        if (queue < 0) {
            throw new IllegalArgumentException("queue: expected 0 or more requests, found " + queue);
        }
    }

    /** 8 slots, 256 requests that wait. */
    public static SlotOptions defaults() {
        return new SlotOptions(8, 256);
    }
}
