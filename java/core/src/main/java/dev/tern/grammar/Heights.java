package dev.tern.grammar;

import static dev.tern.grammar.Automaton.DEEPEST;
import static dev.tern.grammar.Automaton.ENDLESS;

import java.util.Arrays;

/**
 * How many calls must be open at once to come from a state to the end of its rule: the least height of the stack, found
 * by going back from the ends, one height after the other. Where a text is only continued as long as this height is
 * left beneath the limit, it can always be brought to its end. Not thread-safe.
 */
final class Heights {
    private final Automaton automaton;
    private final boolean bytes;
    private final int[] height;
    private final int[] firstInto;
    private final int[] into;
    private final int[] source;
    private final int[] ruleOfStart;
    private final int[] firstCall;
    private final int[] calls;
    private final Ints open = new Ints();
    private Ints nextHeight = new Ints();
    private int level;

    /**
     * @param bytes whether edges may be taken that consume a byte; without them a height says that nothing is needed
     */
    Heights(Automaton automaton, boolean bytes) {
        this.automaton = automaton;
        this.bytes = bytes;
        int states = automaton.states();
        int[] label = automaton.label();
        int[] target = automaton.target();
        height = new int[states];
        Arrays.fill(height, ENDLESS);
        source = new int[label.length];
        for (int state = 0; state < states; state++) {
            Arrays.fill(source, automaton.first()[state], automaton.first()[state + 1], state);
        }
        firstInto = new int[states + 1];
        into = grouped(firstInto, target);
        ruleOfStart = new int[states];
        Arrays.fill(ruleOfStart, -1);
        for (int rule = 0; rule < automaton.start().length; rule++) {
            ruleOfStart[automaton.start()[rule]] = rule;
        }
        // Edges that call nothing are gathered behind the last rule.
        int rules = automaton.start().length;
        firstCall = new int[rules + 2];
        calls = grouped(
                firstCall,
                Arrays.stream(label).map(l -> l < Automaton.EPSILON ? Automaton.called(l) : rules).toArray());
    }

    /** Edges by key; {@code first} gets where those of each key begin. */
    private static int[] grouped(int[] first, int[] keys) {
        for (int key : keys) {
            first[key + 1]++;
        }
        for (int i = 1; i < first.length; i++) {
            first[i] += first[i - 1];
        }
        int[] at = first.clone();
        int[] edges = new int[keys.length];
        for (int edge = 0; edge < keys.length; edge++) {
            edges[at[keys[edge]]++] = edge;
        }
        return edges;
    }

    /** By state; {@link Automaton#ENDLESS} where the end cannot be reached with {@link Automaton#DEEPEST} calls. */
    int[] compute() {
        for (int state = 0; state < height.length; state++) {
            if (automaton.last()[state]) {
                reach(state);
            }
        }
        back();
        while (level < DEEPEST && !nextHeight.isEmpty()) {
            level++;
            Ints edges = nextHeight;
            nextHeight = new Ints();
            for (int i = 0; i < edges.size(); i++) {
                if (height[automaton.target()[edges.get(i)]] != ENDLESS) {
                    reach(source[edges.get(i)]);
                }
            }
            back();
        }
        return height;
    }

    private void reach(int state) {
        if (height[state] == ENDLESS) {
            height[state] = level;
            open.add(state);
        }
    }

    private void back() {
        while (!open.isEmpty()) {
            int state = open.removeLast();
            for (int i = firstInto[state]; i < firstInto[state + 1]; i++) {
                int edge = into[i];
                int label = automaton.label()[edge];
                boolean usable = label >= 0
                        ? bytes
                        : label == Automaton.EPSILON
                                || height[automaton.start()[Automaton.called(label)]] + pushes(edge) <= level;
                if (usable) {
                    reach(source[edge]);
                }
            }
            int rule = ruleOfStart[state];
            for (int i = rule < 0 ? 0 : firstCall[rule]; rule >= 0 && i < firstCall[rule + 1]; i++) {
                if (pushes(calls[i]) > 0) {
                    nextHeight.add(calls[i]);
                } else if (height[automaton.target()[calls[i]]] != ENDLESS) {
                    reach(source[calls[i]]);
                }
            }
        }
    }

    private int pushes(int edge) {
        return automaton.tail()[edge] ? 0 : 1;
    }
}
