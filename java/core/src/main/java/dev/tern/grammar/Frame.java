package dev.tern.grammar;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The calls that are open: where the innermost goes on, and the calls around it. There is one object for equal ones of
 * one {@link Configurations}.
 */
final class Frame {
    final int returnState;
    final @Nullable Frame parent;
    final int depth;
    final int number;
    private final Map<Integer, Frame> inner = new HashMap<>(4);

    /** No calls: the outermost of the text, or the unknown calls around a part of it. */
    Frame(int number) {
        this.returnState = -1;
        this.parent = null;
        this.depth = 0;
        this.number = number;
    }

    private Frame(int returnState, Frame parent, int number) {
        this.returnState = returnState;
        this.parent = parent;
        this.depth = parent.depth + 1;
        this.number = number;
    }

    /** One call more. */
    Frame open(int state, Configurations owner) {
        return inner.computeIfAbsent(state, s -> new Frame(s, this, owner.nextFrame()));
    }
}
