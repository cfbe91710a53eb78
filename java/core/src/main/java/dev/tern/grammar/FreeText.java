package dev.tern.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.IntSupplier;

/**
 * Text that follows no rules until one of some strings stands in it (Aho and Corasick's automaton, 1975): each state is
 * the longest end of the text that one of them begins with.
 */
final class FreeText {
    private static final int ABSENT = -1;

    private final List<int[]> next = new ArrayList<>();
    private final List<Boolean> found = new ArrayList<>();

    FreeText(List<String> triggers) {
        node();
        for (String trigger : triggers) {
            int at = 0;
            for (byte b : trigger.getBytes(StandardCharsets.UTF_8)) {
                if (next.get(at)[b & 0xFF] == ABSENT) {
                    next.get(at)[b & 0xFF] = node();
                }
                at = next.get(at)[b & 0xFF];
            }
            found.set(at, true);
        }
        complete();
    }

    private int node() {
        int[] row = new int[256];
        Arrays.fill(row, ABSENT);
        next.add(row);
        found.add(false);
        return next.size() - 1;
    }

    /** Gives every byte its next state, nearest to the root first. */
    private void complete() {
        int[] ends = new int[next.size()];
        ArrayDeque<Integer> open = new ArrayDeque<>(List.of(0));
        while (!open.isEmpty()) {
            int node = open.remove();
            if (found.get(ends[node])) {
                found.set(node, true);
            }
            for (int b = 0; b < 256; b++) {
                int[] row = next.get(node);
                int otherwise = node == 0 ? 0 : next.get(ends[node])[b];
                if (row[b] == ABSENT) {
                    row[b] = otherwise;
                } else {
                    ends[row[b]] = otherwise;
                    open.add(row[b]);
                }
            }
        }
    }

    /**
     * Adds the rule, whose text may end anywhere before a trigger; behind one comes another rule's text, and then the
     * end. It has to be the graph's first rule.
     *
     * @param rule gives the number of the rule behind a trigger, once the states of this one stand
     * @return how many states, from 0, are of text without rules
     */
    int addTo(StateGraph graph, IntSupplier rule) {
        int root = graph.rule("text before a trigger");
        int[] states = new int[next.size()];
        states[0] = graph.start(root);
        for (int node = 1; node < states.length; node++) {
            states[node] = graph.state();
        }
        int free = graph.size();
        int triggered = graph.state();
        for (int node = 0; node < states.length; node++) {
            if (!found.get(node)) {
                graph.epsilon(states[node], graph.end(root));
                edges(graph, node, states, triggered);
            }
        }
        graph.call(triggered, rule.getAsInt(), graph.end(root));
        return free;
    }

    private void edges(StateGraph graph, int node, int[] states, int triggered) {
        TreeMap<Integer, long[]> sets = new TreeMap<>();
        for (int b = 0; b < 256; b++) {
            int to = next.get(node)[b];
            sets.computeIfAbsent(found.get(to) ? triggered : states[to], t -> new long[4])[b >> 6] |= 1L << b;
        }
        sets.forEach((to, set) -> graph.bytes(states[node], set, to));
    }
}
