package dev.tern.grammar;

/**
 * The rules as states and edges over bytes. An edge consumes a byte of a set, or nothing, or calls a rule: its start is
 * gone on from, and once its end is reached, the edge's target. Immutable and thread-safe.
 *
 * @param first of each state's edges, by state; one more entry than states
 * @param label of each edge: the number of a byte set, {@link #EPSILON}, or {@link #call} of a rule
 * @param target of each edge
 * @param tail whether an edge calls a rule and has nothing to do after, so that nothing need be kept for it
 * @param last by state, whether it is the end of its rule
 * @param start of each rule; the text begins with rule 0
 * @param byteSets {@code [set][4]}: 256 bits each
 * @param classes by byte: bytes of one class are in the same sets
 * @param classCount how many classes there are
 * @param height by state: how many calls must be open at once, at least, to come to the end of its rule;
 *     {@link #ENDLESS} where that is never reached
 * @param chains bounded repetitions
 * @param free how many states, from 0, are of the text before a trigger, which follows no rules
 */
record Automaton(
        int[] first,
        int[] label,
        int[] target,
        boolean[] tail,
        boolean[] last,
        int[] start,
        long[][] byteSets,
        byte[] classes,
        int classCount,
        int[] height,
        Chain[] chains,
        int free) {
    static final int EPSILON = -1;

    /** Calls that may be open at once. JSON parsers stop at a few hundred levels. */
    static final int DEEPEST = 256;

    static final int ENDLESS = 1 << 20;

    /**
     * A repetition: state {@code first + i} has seen i of its elements.
     *
     * @param max {@link Integer#MAX_VALUE} without a bound; the state {@code first + min} repeats itself then
     */
    record Chain(int first, int min, int max) {
        int states() {
            return (max == Integer.MAX_VALUE ? min : max) + 1;
        }

        /** The state whose texts are the same as those of this one, as far as {@code bytes} bytes. */
        int representative(int state, int bytes) {
            int seen = state - first;
            if (seen < min) {
                return min - seen > bytes ? first : state;
            }
            return max == Integer.MAX_VALUE || max - seen > bytes ? first + min : state;
        }
    }

    static int call(int rule) {
        return -2 - rule;
    }

    static int called(int label) {
        return -2 - label;
    }

    boolean takes(int set, int b) {
        return (byteSets[set][b >> 6] >>> b & 1) != 0;
    }

    int states() {
        return last.length;
    }
}
