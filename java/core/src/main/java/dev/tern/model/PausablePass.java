package dev.tern.model;

import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A pass over tokens of several sequences that can stop between two stages and go on later; meanwhile the engine may
 * make others, of other sequences. It has scratch memory of its own for that, as much as its longest pass has taken.
 * Its result is that of {@link Engine#evaluate(List)} to the bit. {@link Engine#profile} does not see it. Reusable; for
 * one thread at a time.
 */
public final class PausablePass {
    private final Engine engine;
    private @Nullable Forward forward; // from the first pass on
    private List<TokenSpan> spans = List.of();

    PausablePass(Engine engine) {
        this.engine = engine;
    }

    /** Whether a pass was begun that is not over. */
    public boolean isBegun() {
        return !spans.isEmpty();
    }

    /**
     * Begins a pass; nothing is computed yet.
     *
     * @param of as {@link Engine#evaluate(List)} takes them; until the pass is over nobody else may use the sequences
     * @throws IllegalStateException when the last one is not over, or the engine is closed
     */
    public void begin(List<TokenSpan> of) {
        if (isBegun()) {
            throw new IllegalStateException("a pass was begun that is not over");
        }
        engine.beginPausable(of, this);
        spans = List.copyOf(of);
    }

    /**
     * Goes on with the pass, until it is over or {@code pause} says so. That is asked by any of the computing threads,
     * about twice a block; between two answers the pass goes on.
     *
     * @return whether it is over
     * @throws IllegalStateException when the engine or a cache is closed; the pass is then given up, as after whatever
     *     {@code pause} itself throws
     */
    public boolean goOn(BooleanSupplier pause) {
        if (!isBegun()) {
            throw new IllegalStateException("no pass was begun");
        }
        boolean over = true;
        try {
            over = engine.goOn(this, pause);
            return over;
        } finally {
            if (over) {
                giveUp();
            }
        }
    }

    /** Gives up the pass, if one was begun: the positions of its sequences are as they were before it. */
    public void giveUp() {
        Forward own = forward;
        if (own != null) {
            own.clear();
        }
        spans = List.of();
    }

    List<TokenSpan> spans() {
        return spans;
    }

    /** What computes it; made when it is first needed, in the engine's turn. */
    Forward forward() {
        Forward own = forward;
        if (own == null) {
            own = engine.newForward();
            forward = own;
        }
        return own;
    }
}
