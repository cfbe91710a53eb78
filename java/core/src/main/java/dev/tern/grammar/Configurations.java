package dev.tern.grammar;

import dev.tern.io.InputException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The configurations of an automaton that were met so far. Not thread-safe. */
final class Configurations {
    /** Bytes kept before all are forgotten, by the estimates below. */
    private static final long MOST_BYTES = 32L << 20;

    /** Bytes of all, with what one token leads to, before the grammar is given up. */
    private static final long OVERFLOWING_BYTES = 192L << 20;

    // With compressed references; objects, their arrays' headers and their entries in maps.
    private static final int BYTES_OF_CONFIGURATION = 160;
    private static final int BYTES_OF_ITEM = 8;
    private static final int BYTES_OF_CLASS = 4;
    private static final int BYTES_OF_FRAME = 180;
    private static final int BYTES_OF_VISIT = 80;

    /** Of a closure, whose set of visits is not used again: to clear it would cost more than small closures do. */
    private static final int MANY_VISITS = 10_000;

    /** Ways to read one text at the same time. */
    private static final int MOST_ITEMS = 5_000;

    private final Automaton automaton;
    private final Map<Configuration, Configuration> known = new HashMap<>();
    private int frames;
    private long bytes;

    /** Around the outermost rule. */
    final Frame outermost = new Frame(nextFrame());

    /** Around a part that is looked at alone. */
    final Frame unknown = new Frame(nextFrame());

    // What a closure is made of; kept to spare allocations.
    private Set<Long> visited = new HashSet<>();
    private int[] openStates = new int[64];
    private Frame[] openFrames = new Frame[64];
    private int open;
    private long[] items = new long[64];
    private Frame[] itemFrames = new Frame[64];
    private int itemCount;
    private boolean complete;
    private boolean leaves;
    private int peak;
    private long work;
    private long workLimit = WorkBudget.MOST;

    Configurations(Automaton automaton) {
        this.automaton = automaton;
    }

    int nextFrame() {
        bytes += BYTES_OF_FRAME;
        return frames++;
    }

    /** Whether so much is known that it is to be forgotten before the next token. */
    boolean full() {
        return bytes > MOST_BYTES;
    }

    /** Lets that many states be visited from now on; behind them, and where memory overflows, there are exceptions. */
    void allow(long states) {
        workLimit = work + states;
    }

    private void spend(long states) {
        work += states;
        if (work > workLimit || bytes + (long) BYTES_OF_VISIT * visited.size() > OVERFLOWING_BYTES) {
            throw InputException.at("grammar")
                    .problem("too much work to follow")
                    .cure("Make the grammar less ambiguous, and its repetitions shorter.")
                    .exception();
        }
    }

    /** How many states have been visited since this was made: what its work is measured by. */
    long work() {
        return work;
    }

    /** Before the first byte. */
    Configuration begin() {
        return at(automaton.start()[0], outermost);
    }

    /** What a state begins, with these calls around it. */
    Configuration at(int state, Frame frame) {
        reset();
        add(state, frame);
        return closed();
    }

    /** Behind one more byte. */
    Configuration next(Configuration from, int b) {
        int c = automaton.classes()[b] & 0xFF;
        Configuration next = from.next[c];
        if (next == null) {
            reset();
            for (int i = 0; i < from.states.length; i++) {
                int state = from.states[i];
                for (int e = automaton.first()[state]; e < automaton.first()[state + 1]; e++) {
                    int label = automaton.label()[e];
                    if (label >= 0 && automaton.takes(label, b)) {
                        add(automaton.target()[e], from.frames[i]);
                    }
                }
            }
            next = closed();
            from.next[c] = next;
        }
        return next;
    }

    /** These items, which are closed already. */
    Configuration of(int[] states, Frame[] itsFrames) {
        reset();
        for (int i = 0; i < states.length; i++) {
            item(states[i], itsFrames[i]);
        }
        return closed();
    }

    private void reset() {
        if (visited.size() > MANY_VISITS) {
            visited = new HashSet<>();
        } else {
            visited.clear();
        }
        open = 0;
        itemCount = 0;
        complete = false;
        leaves = false;
        peak = 0;
    }

    /** Visits a state, unless its text could not be brought to an end within the limit. */
    private void add(int state, Frame frame) {
        int needed = frame.depth + automaton.height()[state];
        if (needed > Automaton.DEEPEST) {
            // What is refused at the limit makes the part above it no longer the same at another depth.
            peak = Math.max(peak, automaton.height()[state] == Automaton.ENDLESS ? 0 : needed);
            return;
        }
        if (visited.add((long) state << 32 | frame.number)) {
            peak = Math.max(peak, needed);
            if (open == openStates.length) {
                openStates = Arrays.copyOf(openStates, 2 * open);
                openFrames = Arrays.copyOf(openFrames, 2 * open);
            }
            openStates[open] = state;
            openFrames[open++] = frame;
        }
    }

    private void item(int state, Frame frame) {
        if (itemCount == MOST_ITEMS) {
            throw InputException.at("grammar")
                    .problem("the text can be read in too many ways at once")
                    .expected("at most " + MOST_ITEMS)
                    .cure("Make the grammar less ambiguous.")
                    .exception();
        }
        if (itemCount == items.length) {
            items = Arrays.copyOf(items, 2 * itemCount);
            itemFrames = Arrays.copyOf(itemFrames, 2 * itemCount);
        }
        items[itemCount] = (long) state << 32 | frame.number;
        itemFrames[itemCount++] = frame;
    }

    /** Follows all edges that consume nothing. */
    private Configuration closed() {
        while (open > 0) {
            int state = openStates[--open];
            Frame frame = openFrames[open];
            spend(1);
            boolean consumes = false;
            for (int e = automaton.first()[state]; e < automaton.first()[state + 1]; e++) {
                int label = automaton.label()[e];
                int target = automaton.target()[e];
                if (label >= 0) {
                    consumes |= automaton.height()[target] + frame.depth <= Automaton.DEEPEST;
                } else if (label == Automaton.EPSILON) {
                    add(target, frame);
                } else {
                    call(automaton.start()[Automaton.called(label)], target, automaton.tail()[e], frame);
                }
            }
            if (automaton.last()[state]) {
                Frame parent = frame.parent;
                if (parent != null) {
                    add(frame.returnState, parent);
                } else if (frame == outermost) {
                    complete = true;
                } else {
                    leaves = true;
                }
            }
            if (consumes) {
                item(state, frame);
            }
        }
        return interned();
    }

    private void call(int start, int target, boolean tail, Frame frame) {
        if (tail) {
            add(start, frame);
        } else if (frame.depth + automaton.height()[target] <= Automaton.DEEPEST
                && frame.depth + 1 + automaton.height()[start] <= Automaton.DEEPEST) {
            add(start, frame.open(target, this));
        } else if (automaton.height()[target] != Automaton.ENDLESS && automaton.height()[start] != Automaton.ENDLESS) {
            peak = Math.max(peak, Automaton.DEEPEST);
        }
    }

    private Configuration interned() {
        spend(itemCount);
        sort();
        dropRepeated();
        int[] states = new int[itemCount];
        for (int i = 0; i < itemCount; i++) {
            states[i] = (int) (items[i] >> 32);
        }
        Configuration made = new Configuration(
                states, Arrays.copyOf(itemFrames, itemCount), complete, leaves, peak, automaton.classCount());
        Configuration old = known.putIfAbsent(made, made);
        if (old != null) {
            old.peak = Math.max(old.peak, peak);
            return old;
        }
        bytes += BYTES_OF_CONFIGURATION
                + (long) BYTES_OF_ITEM * itemCount
                + (long) BYTES_OF_CLASS * automaton.classCount();
        return made;
    }

    /** Shell's sort, since two arrays go together and are short mostly. */
    private void sort() {
        for (int gap = itemCount / 2; gap > 0; gap /= 2) {
            for (int i = gap; i < itemCount; i++) {
                long key = items[i];
                Frame frame = itemFrames[i];
                int at = i;
                while (at >= gap && items[at - gap] > key) {
                    items[at] = items[at - gap];
                    itemFrames[at] = itemFrames[at - gap];
                    at -= gap;
                }
                items[at] = key;
                itemFrames[at] = frame;
            }
        }
    }

    /** What stands in a part for several states comes several times; once sorted, equal items are neighbours. */
    private void dropRepeated() {
        int kept = 0;
        for (int i = 0; i < itemCount; i++) {
            if (kept == 0 || items[i] != items[kept - 1]) {
                items[kept] = items[i];
                itemFrames[kept++] = itemFrames[i];
            }
        }
        itemCount = kept;
    }

    /** The same configuration as one of another object like this. */
    Configuration adopt(Configuration other) {
        reset();
        for (int i = 0; i < other.states.length; i++) {
            item(other.states[i], adopt(other.frames[i]));
        }
        complete = other.complete;
        leaves = other.leaves;
        peak = other.peak;
        return interned();
    }

    private Frame adopt(Frame frame) {
        int[] path = new int[frame.depth];
        @Nullable Frame at = frame;
        for (int i = frame.depth - 1; i >= 0 && at != null; i--) {
            path[i] = at.returnState;
            at = at.parent;
        }
        Frame own = outermost;
        for (int state : path) {
            own = own.open(state, this);
        }
        return own;
    }
}
