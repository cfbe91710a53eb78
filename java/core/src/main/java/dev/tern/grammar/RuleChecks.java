package dev.tern.grammar;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;

/** Refuses rules that a text cannot be followed along, or never to an end. */
final class RuleChecks {
    private final StateGraph graph;
    private final Automaton automaton;
    private final String origin;

    RuleChecks(StateGraph graph, Automaton automaton, String origin) {
        this.graph = graph;
        this.automaton = automaton;
        this.origin = origin;
    }

    /**
     * A rule that begins with itself calls itself without end.
     *
     * @throws InputException naming the rules in the order in which they call each other
     */
    void refuseLeftRecursion() {
        int[][] begins = begins();
        byte[] seen = new byte[begins.length]; // 1 while it is on the path, 2 once all behind it is done
        int[] at = new int[begins.length];
        Ints path = new Ints();
        for (int root = 0; root < begins.length; root++) {
            if (seen[root] != 0) {
                continue;
            }
            path.add(root);
            seen[root] = 1;
            while (!path.isEmpty()) {
                int rule = path.get(path.size() - 1);
                if (at[rule] == begins[rule].length) {
                    seen[rule] = 2;
                    path.removeLast();
                    continue;
                }
                int next = begins[rule][at[rule]++];
                if (seen[next] == 1) {
                    throw leftRecursion(path, next);
                }
                if (seen[next] == 0) {
                    seen[next] = 1;
                    path.add(next);
                }
            }
        }
    }

    private InputException leftRecursion(Ints path, int rule) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < path.size(); i++) {
            if (path.get(i) == rule || !names.isEmpty()) {
                names.add(graph.name(path.get(i)));
            }
        }
        names.add(graph.name(rule));
        List<String> shown = names.size() > 12 ? names.subList(0, 12) : names;
        return InputException.at(origin)
                .problem("a rule begins with itself: " + String.join(" → ", shown))
                .cure("Write a repetition, or let the rule end with itself.")
                .exception();
    }

    /** The rules that each may call before it consumes a byte. */
    private int[][] begins() {
        int[] nothing = new Heights(automaton, false).compute();
        int[][] begins = new int[graph.rules()][];
        int[] visited = new int[automaton.states()];
        Ints open = new Ints();
        for (int rule = 0; rule < begins.length; rule++) {
            Ints called = new Ints();
            open.add(graph.start(rule));
            visited[graph.start(rule)] = rule + 1;
            while (!open.isEmpty()) {
                int state = open.removeLast();
                for (int e = automaton.first()[state]; e < automaton.first()[state + 1]; e++) {
                    int label = automaton.label()[e];
                    boolean on = label == Automaton.EPSILON;
                    if (label < Automaton.EPSILON) {
                        called.add(Automaton.called(label));
                        on = nothing[graph.start(Automaton.called(label))] != Automaton.ENDLESS;
                    }
                    int target = automaton.target()[e];
                    if (on && visited[target] != rule + 1) {
                        visited[target] = rule + 1;
                        open.add(target);
                    }
                }
            }
            begins[rule] = called.toArray();
        }
        return begins;
    }

    /** @throws InputException naming the first rule whose text has no end */
    void refuseEndlessRules() {
        for (int rule = 0; rule < graph.rules(); rule++) {
            if (endless(rule)) {
                throw InputException.at(origin)
                        .problem("no text that follows the rule '" + graph.name(rule) + "' ever ends")
                        .expected("an alternative that does not call the rule again, within " + Automaton.DEEPEST
                                + " calls")
                        .exception();
            }
        }
    }

    boolean endless(int rule) {
        return automaton.height()[graph.start(rule)] == Automaton.ENDLESS;
    }
}
