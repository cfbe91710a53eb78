package dev.tern.model;

import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How far the pass at hand goes: from one of its places to another, or to a pause in front of one between them. The
 * places are the embedding, two of each block (its attention, its feed-forward network) and the head. Set while no pass
 * runs; the members of a team read it.
 */
final class PassRoute {
    static final int EMBEDDING = 0;

    private final ThreadTeam team;
    private final int head;
    private int from;
    private int to;
    private @Nullable BooleanSupplier pause;

    PassRoute(int blocks, ThreadTeam team) {
        this.team = team;
        this.head = 1 + 2 * blocks;
    }

    static int attention(int block) {
        return 1 + 2 * block;
    }

    static int feedForward(int block) {
        return 2 + 2 * block;
    }

    int head() {
        return head;
    }

    /** The next pass goes from a place to the end. */
    void toTheEnd(int from) {
        set(from, head + 1, null);
    }

    /** The next pass goes from a place up to the head, unless {@code pause} stops it in front of one between them. */
    void toTheHead(int from, BooleanSupplier pause) {
        set(from, head, pause);
    }

    private void set(int from, int to, @Nullable BooleanSupplier pause) {
        this.from = from;
        this.to = to;
        this.pause = pause;
    }

    /** The pass is over, or has been paused: forgets who was asked; returns the place that is next. */
    int end() {
        pause = null;
        return to;
    }

    /** Whether a place is in front of where the pass begins. */
    boolean isBehind(int place) {
        return place < from;
    }

    /** The block with which the pass begins. */
    int firstBlock() {
        return Math.max(0, from - 1) / 2;
    }

    /** Whether the head is a part of it. */
    boolean hasHead() {
        return to > head;
    }

    /**
     * Whether the pass stops in front of a place, the same for all members: a stage of one share, in which whoever
     * claims that asks. A member that was held up may see here what was said in front of a later place; it is not
     * needed up to there either.
     */
    boolean pauses(int member, int place) {
        BooleanSupplier asked = pause;
        if (asked == null || place == from) {
            return false;
        }
        for (int i; (i = team.claim(member, 1)) >= 0; team.complete(1)) {
            if (asked.getAsBoolean()) {
                to = place;
            }
        }
        team.endStage(member);
        return to < head;
    }
}
