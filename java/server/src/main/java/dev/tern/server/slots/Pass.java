package dev.tern.server.slots;

import dev.tern.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** What several slots have computed together: the next tokens of texts, and parts of prompts. For one thread. */
final class Pass {
    /** What a slot puts into it; a text's token with what may follow, or a part of a prompt. */
    record Entry(Slot slot, boolean isText, Consumer<Batch> add) {}

    private final Batch batch;
    private final int rows;
    private final int size;
    private final List<Entry> added = new ArrayList<>();
    private final int tokens;
    private long nanos;
    private boolean unusual; // it failed, or was paused

    /**
     * @param batch nobody else's until the pass is over; an entry that it refuses fails
     * @param rows tokens of the entries that are texts
     */
    Pass(Batch batch, List<Entry> entries, int rows) {
        this.batch = batch;
        this.rows = rows;
        this.size = entries.size();
        batch.clear();
        for (Entry entry : entries) {
            try {
                entry.add.accept(batch);
                added.add(entry);
            } catch (RuntimeException | Error e) {
                entry.slot.fail(e);
            }
        }
        this.tokens = batch.tokens();
    }

    /** Entries, those that were refused included. */
    int size() {
        return size;
    }

    /** Whether no entry was refused, and all were computed at once: then it has taken what such a pass takes. */
    boolean isWhole() {
        return added.size() == size && !unusual;
    }

    /** Tokens of texts. */
    int rows() {
        return rows;
    }

    int tokens() {
        return tokens;
    }

    /** Time that it has taken so far. */
    long nanos() {
        return nanos;
    }

    /** Whether it computes something of the slot's. */
    boolean has(Slot slot) {
        return added.stream().anyMatch(entry -> entry.slot == slot);
    }

    /** Slots whose texts, or else prompts, it computes. */
    List<Slot> slots(boolean texts) {
        return added.stream().filter(entry -> entry.isText == texts).map(Entry::slot).toList();
    }

    /** Computes it; where that fails each entry alone, so that the request at fault is the only one that does. */
    void run() {
        time(() -> {
            batch.run();
            return true;
        });
    }

    /**
     * Computes it, or goes on with it, until it is over or {@code pause} says so.
     *
     * @return whether it is over
     */
    boolean runUntil(BooleanSupplier pause) {
        return time(() -> batch.runUntil(pause));
    }

    private boolean time(BooleanSupplier run) {
        long start = System.nanoTime();
        try {
            boolean over = run.getAsBoolean();
            unusual |= !over;
            return over;
        } catch (RuntimeException | Error e) {
            unusual = true;
            added.forEach(this::runAlone);
            return true;
        } finally {
            nanos += System.nanoTime() - start;
        }
    }

    private void runAlone(Entry entry) {
        batch.clear();
        try {
            entry.add.accept(batch);
            batch.run();
        } catch (RuntimeException | Error e) {
            entry.slot.fail(e);
        }
    }

    /** Gives it up: the slots are as they were before it. */
    void giveUp() {
        batch.clear();
    }
}
