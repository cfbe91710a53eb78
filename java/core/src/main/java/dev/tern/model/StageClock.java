package dev.tern.model;

import java.util.Arrays;

/** Measures what the members of a team spend their time on; whatever passes between two marks is the second's. */
final class StageClock {
    private static final int KINDS = PassStage.values().length;
    private static final int MEMBER = 32; // from one member's numbers to the next, four cache lines

    private final int members;
    private final long[] nanos; // [member]: each kind's sum, then the time of the last mark

    StageClock(int members) {
        this.members = members;
        this.nanos = new long[members * MEMBER];
    }

    /** A pass begins: until their first mark all members wait. */
    void begin() {
        long now = System.nanoTime();
        for (int member = 0; member < members; member++) {
            nanos[member * MEMBER + KINDS] = now;
        }
    }

    /** The member has spent its time since its last mark on this. */
    void mark(int member, PassStage kind) {
        long now = System.nanoTime();
        int base = member * MEMBER;
        nanos[base + kind.ordinal()] += now - nanos[base + KINDS];
        nanos[base + KINDS] = now;
    }

    /** The pass is over for all members. */
    void end() {
        for (int member = 0; member < members; member++) {
            mark(member, PassStage.WAITING);
        }
    }

    /** Nanoseconds of each kind, on the average over the members; so their sum is the time of the passes. */
    double[] averages() {
        double[] averages = new double[KINDS];
        for (int member = 0; member < members; member++) {
            for (int kind = 0; kind < KINDS; kind++) {
                averages[kind] += nanos[member * MEMBER + kind];
            }
        }
        return Arrays.stream(averages).map(sum -> sum / members).toArray();
    }
}
