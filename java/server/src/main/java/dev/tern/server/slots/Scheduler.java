package dev.tern.server.slots;

import dev.tern.Batch;
import dev.tern.Decoding;
import dev.tern.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Makes the passes of all slots that have work. Each pass has the next token of every text, what is guessed to follow
 * where that pays, and as many tokens of new prompts as delay the texts little. For one thread.
 */
final class Scheduler {
    private final List<Slot> slots;
    private final Batch batch;
    private final int batchSize;
    private final Crew crew;
    private final PassCosts costs;
    private final SlotCounters counters;
    private final BooleanSupplier interruption;
    private boolean givenUp; // the last pass, so the next must be made
    private int turn; // the slot that comes first, where not all have room in a pass

    /** What a slot puts into a pass. */
    private record Entry(Slot slot, Runnable add) {}

    /**
     * @param batch for at most {@code batchSize} tokens
     * @param crew chooses tokens
     * @param interruption whether something new can begin at once: a pass that is long for a long prompt is given up
     *     for it, never two in a row
     */
    Scheduler(
            List<Slot> slots,
            Batch batch,
            int batchSize,
            Crew crew,
            SlotCounters counters,
            BooleanSupplier interruption) {
        this.slots = slots;
        this.batch = batch;
        this.batchSize = batchSize;
        this.crew = crew;
        this.costs = new PassCosts(batchSize);
        this.counters = counters;
        this.interruption = interruption;
    }

    /** Makes a pass, if a slot has work, and chooses the tokens that follow from it. */
    void pass() {
        List<Slot> texts = texts();
        List<Entry> entries = new ArrayList<>();
        int rows = addTexts(texts, entries);
        PrefillPlan plan = PrefillPlan.of(prompts(), rows, batchSize - rows, costs);
        List<PrefillPlan.Part> parts = plan.parts();
        for (PrefillPlan.Part part : parts) {
            entries.add(new Entry(part.slot(), () -> addPrompt(part)));
        }
        if (entries.isEmpty()) {
            return;
        }
        boolean made = run(entries, rows, plan.urgent() || givenUp ? () -> false : interruption);
        plan.remember(made);
        givenUp = !made;
        if (!made) {
            return;
        }
        List<Slot> ready = new ArrayList<>(texts);
        ready.removeIf(slot -> !slot.ready());
        ready.forEach(Slot::fed);
        for (PrefillPlan.Part part : parts) {
            part.slot().prefilled();
            ready.add(part.slot());
        }
        ready.removeIf(slot -> !slot.ready());
        crew.each(ready, Slot::choose);
        counters.passed(entries.size());
    }

    /** Slots with a token to feed: as many as a pass has room for, in turns. */
    private List<Slot> texts() {
        List<Slot> texts = new ArrayList<>();
        for (int i = 0; i < slots.size() && texts.size() < batchSize; i++) {
            Slot slot = slots.get((turn + i) % slots.size());
            if (slot.generating()) {
                texts.add(slot);
            }
        }
        turn = texts.size() < batchSize ? 0 : (texts.getLast().id() + 1) % slots.size();
        return texts;
    }

    /** The last token of each text, and what may follow it; returns the tokens of all. */
    private int addTexts(List<Slot> texts, List<Entry> entries) {
        int rows = texts.size();
        for (Slot slot : texts) {
            Decoding text = slot.decoding();
            Session session = slot.session();
            int before = rows;
            int room = Math.min(batchSize - rows, session.contextLength() - session.position() - 1);
            int ahead = text.draft(texts.size() - 1, more -> costs.relative(before, more), room);
            rows += ahead;
            entries.add(new Entry(
                    slot, () -> batch.addAhead(session, text.top(), text.last(), text.drafted(), ahead)));
        }
        return rows;
    }

    /** Slots whose prompts are to be computed, but for those that will find what they need next in another one. */
    private List<Slot> prompts() {
        List<Slot> prompts = new ArrayList<>();
        for (Slot slot : slots) {
            if (slot.prefilling() && !takenOver(slot)) {
                prompts.add(slot);
            }
        }
        return prompts;
    }

    private boolean takenOver(Slot slot) {
        if (!slot.task().request().cachePrompt()) {
            return false;
        }
        SharedPrefix ahead = SharedPrefix.ahead(slots, slot);
        if (ahead != null) {
            try {
                slot.takeOver(ahead.source(), ahead.tokens());
            } catch (RuntimeException | Error e) {
                slot.fail(e);
                return true;
            }
        }
        return SharedPrefix.comes(slots, slot);
    }

    private void addPrompt(PrefillPlan.Part part) {
        Slot slot = part.slot();
        batch.add(
                slot.session(),
                slot.decoding().top(),
                slot.prompt(),
                slot.position(),
                part.tokens(),
                part.tokens() == slot.remaining());
    }

    /**
     * One pass for all; where it fails one for each, so that the request at fault is the only one that does.
     *
     * @param abandoned gives it up
     * @return whether it was made
     */
    private boolean run(List<Entry> entries, int rows, BooleanSupplier abandoned) {
        batch.clear();
        List<Entry> added = new ArrayList<>();
        for (Entry entry : entries) {
            try {
                entry.add.run();
                added.add(entry);
            } catch (RuntimeException | Error e) {
                entry.slot.fail(e);
            }
        }
        if (added.isEmpty()) {
            return true;
        }
        int tokens = batch.tokens();
        long start = System.nanoTime();
        try {
            if (!batch.runUnless(abandoned)) {
                return false;
            }
        } catch (RuntimeException | Error e) {
            added.forEach(this::runAlone);
            return true;
        }
        if (added.size() == entries.size()) {
            costs.record(rows, tokens - rows, System.nanoTime() - start);
        }
        return true;
    }

    private void runAlone(Entry entry) {
        batch.clear();
        try {
            entry.add.run();
            batch.run();
        } catch (RuntimeException | Error e) {
            entry.slot.fail(e);
        }
    }
}
