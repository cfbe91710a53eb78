package dev.tern.server.slots;

import dev.tern.Batch;
import dev.tern.Decoding;
import dev.tern.Model;
import dev.tern.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the passes of all slots that have work. A pass has the next token of every text, what is guessed to follow
 * where that pays, and as many tokens of new prompts as delay the texts little. One that is long for a long prompt is
 * paused for what begins meanwhile: from then on it takes turns with the passes of all others. Either side has about as
 * much time, but what begins waits for no more than a step of decoding and the stage at hand. For one thread.
 */
final class Scheduler {
    private final List<Slot> slots;
    private final Batch whole;
    private final Batch inParts;
    private final int batchSize;
    private final Crew crew;
    private final PassCosts costs;
    private final SlotCounters counters;
    private final BooleanSupplier interruption;
    private int turn; // the slot that comes first, where not all have room in a pass
    private @Nullable Pass paused;
    private long owed; // nanoseconds that the paused pass has before it is the others' turn again

    /**
     * @param crew chooses tokens
     * @param interruption whether something new can begin at once
     */
    Scheduler(List<Slot> slots, Model model, Crew crew, SlotCounters counters, BooleanSupplier interruption) {
        this.slots = slots;
        this.whole = model.batch();
        this.inParts = model.batch();
        this.batchSize = model.info().batchSize();
        this.crew = crew;
        this.costs = new PassCosts(batchSize);
        this.counters = counters;
        this.interruption = interruption;
    }

    /** Makes a pass, or a part of one, if a slot has work, and chooses the tokens that follow from it. */
    void pass() {
        boolean othersTurn = paused == null || owed <= 0;
        boolean made = othersTurn && begin();
        if (!made && paused != null) {
            goOn(paused, !othersTurn);
        }
    }

    /** A slot's request is to end: if it is in a pass that is paused, that is given up. */
    void release(Slot slot) {
        Pass waiting = paused;
        if (waiting != null && waiting.has(slot)) {
            waiting.giveUp();
            PrefillPlan.givenUp(waiting.slots(false));
            paused = null;
        }
    }

    /**
     * Makes the next pass, beside the one that is paused, or as much of it as can be.
     *
     * @return whether there was anything to compute
     */
    private boolean begin() {
        Pass waiting = paused;
        boolean between = waiting != null;
        List<Slot> texts = texts();
        List<Pass.Entry> entries = new ArrayList<>();
        int rows = addTexts(texts, entries);
        int allRows = rows + (waiting == null ? 0 : waiting.rows());
        PrefillPlan plan = PrefillPlan.of(prompts(), allRows, batchSize - rows, costs, between);
        for (PrefillPlan.Part part : plan.parts()) {
            entries.add(new Pass.Entry(part.slot(), false, batch -> addPrompt(part, batch)));
        }
        if (entries.isEmpty()) {
            return false;
        }
        plan.remember();
        if (between || plan.urgent()) {
            Pass pass = new Pass(whole, entries, rows);
            pass.run();
            owed = between ? pass.nanos() : 0;
            finish(pass);
        } else {
            paused = new Pass(inParts, entries, rows);
            goOnUntil(paused, interruption);
        }
        return true;
    }

    /**
     * Goes on with the pass that is paused: for as long as the last pass of others has taken, but no longer than a step
     * of their texts, or of one text where somebody waits for the first pass.
     *
     * @param others whether others wait for their turn
     */
    private void goOn(Pass waiting, boolean others) {
        int texts = 0;
        boolean fresh = false;
        for (Slot slot : slots) {
            if (isFree(slot)) {
                texts += slot.generating() ? 1 : 0;
                fresh |= slot.fresh();
            }
        }
        long least = Math.min(owed, costs.step(1));
        long most = fresh ? least : texts > 0 ? Math.min(owed, costs.step(texts)) : owed;
        boolean any = others && slots.stream().anyMatch(slot -> hasWork(slot) && isFree(slot));
        long start = System.nanoTime();
        goOnUntil(waiting, () -> {
            long gone = System.nanoTime() - start;
            return any && gone >= most || gone >= least && interruption.getAsBoolean();
        });
    }

    private void goOnUntil(Pass waiting, BooleanSupplier pause) {
        boolean over = waiting.runUntil(pause);
        owed = 0;
        if (over) {
            paused = null;
            finish(waiting);
        }
    }

    private static boolean hasWork(Slot slot) {
        return slot.generating() || slot.prefilling();
    }

    private boolean isFree(Slot slot) {
        return paused == null || !paused.has(slot);
    }

    /** Slots with a token to feed: as many as a pass has room for, in turns. */
    private List<Slot> texts() {
        List<Slot> texts = new ArrayList<>();
        for (int i = 0; i < slots.size() && texts.size() < batchSize; i++) {
            Slot slot = slots.get((turn + i) % slots.size());
            if (slot.generating() && isFree(slot)) {
                texts.add(slot);
            }
        }
        turn = texts.size() < batchSize ? 0 : (texts.getLast().id() + 1) % slots.size();
        return texts;
    }

    /** The last token of each text, and what may follow it; returns the tokens of all. */
    private int addTexts(List<Slot> texts, List<Pass.Entry> entries) {
        int rows = texts.size();
        for (Slot slot : texts) {
            Decoding text = slot.decoding();
            Session session = slot.session();
            int before = rows;
            int room = Math.min(batchSize - rows, session.contextLength() - session.position() - 1);
            int ahead = text.draft(texts.size() - 1, more -> costs.relative(before, more), room);
            rows += ahead;
            entries.add(new Pass.Entry(
                    slot,
                    true,
                    batch -> batch.addAhead(session, text.top(), text.last(), text.drafted(), ahead)));
        }
        return rows;
    }

    /** Slots whose prompts are to be computed, but for those that will find what they need next in another one. */
    private List<Slot> prompts() {
        List<Slot> prompts = new ArrayList<>();
        for (Slot slot : slots) {
            if (slot.prefilling() && isFree(slot) && !takenOver(slot)) {
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
        return SharedPrefix.comes(slots, slot, other -> paused != null && paused.has(other) ? paused.tokens() : 0);
    }

    private static void addPrompt(PrefillPlan.Part part, Batch batch) {
        Slot slot = part.slot();
        batch.add(
                slot.session(),
                slot.decoding().top(),
                slot.prompt(),
                slot.position(),
                part.tokens(),
                part.tokens() == slot.remaining());
    }

    /** A pass is over: remembers what it took, and chooses the tokens that follow. */
    private void finish(Pass pass) {
        if (pass.isWhole()) {
            costs.record(pass.rows(), pass.tokens() - pass.rows(), pass.nanos());
        }
        List<Slot> ready = new ArrayList<>(pass.slots(true));
        ready.removeIf(slot -> !slot.ready());
        ready.forEach(Slot::fed);
        for (Slot slot : pass.slots(false)) {
            slot.prefilled();
            ready.add(slot);
        }
        ready.removeIf(slot -> !slot.ready());
        crew.each(ready, Slot::choose);
        counters.passed(pass.size());
    }
}
