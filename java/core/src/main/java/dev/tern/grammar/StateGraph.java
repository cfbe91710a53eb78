package dev.tern.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** States and edges as they are added, in any order. Not thread-safe. */
final class StateGraph {
    /** States of one grammar; a state and its edges take some 60 bytes. */
    static final int MOST_STATES = 200_000;

    /** Edges of one grammar: two a state are usual. */
    static final int MOST_EDGES = 1_000_000;

    private final String origin;
    private int size;
    private final Ints sources = new Ints();
    private final Ints labels = new Ints();
    private final Ints targets = new Ints();
    private final Ints starts = new Ints();
    private final Ints ends = new Ints();
    private final List<String> names = new ArrayList<>();
    private final List<long[]> byteSets = new ArrayList<>();
    private final Map<List<Long>, Integer> setNumbers = new HashMap<>();
    private final List<Automaton.Chain> chains = new ArrayList<>();

    StateGraph(String origin) {
        this.origin = origin;
    }

    int state() {
        return states(1);
    }

    private int states(int count) {
        if (count > MOST_STATES - size) {
            throw RuleSet.tooLarge(origin, "states", MOST_STATES);
        }
        size += count;
        return size - count;
    }

    int size() {
        return size;
    }

    /** A rule with a start and an end of its own. */
    int rule(String name) {
        names.add(name);
        starts.add(state());
        ends.add(state());
        return names.size() - 1;
    }

    int rules() {
        return names.size();
    }

    String name(int rule) {
        return names.get(rule);
    }

    int start(int rule) {
        return starts.get(rule);
    }

    int end(int rule) {
        return ends.get(rule);
    }

    /** The states of a repetition, which begin with the next. */
    void chain(Automaton.Chain chain, int states) {
        states(states);
        chains.add(chain);
    }

    void epsilon(int from, int to) {
        edge(from, Automaton.EPSILON, to);
    }

    void call(int from, int rule, int to) {
        edge(from, Automaton.call(rule), to);
    }

    void bytes(int from, int first, int last, int to) {
        long[] set = new long[4];
        for (int b = first; b <= last; b++) {
            set[b >> 6] |= 1L << b;
        }
        bytes(from, set, to);
    }

    /** @param ascii code points below 128 */
    void bytes(int from, CodePoints ascii, int to) {
        long[] set = new long[4];
        for (int i = 0; i < ascii.ranges(); i++) {
            for (int b = ascii.first(i); b <= ascii.last(i); b++) {
                set[b >> 6] |= 1L << b;
            }
        }
        bytes(from, set, to);
    }

    void bytes(int from, long[] set, int to) {
        List<Long> key = List.of(set[0], set[1], set[2], set[3]);
        Integer number = setNumbers.get(key);
        if (number == null) {
            number = byteSets.size();
            byteSets.add(set);
            setNumbers.put(key, number);
        }
        edge(from, number, to);
    }

    private void edge(int from, int label, int to) {
        if (sources.size() == MOST_EDGES) {
            throw RuleSet.tooLarge(origin, "edges", MOST_EDGES);
        }
        sources.add(from);
        labels.add(label);
        targets.add(to);
    }

    /**
     * All of it, once it is whole.
     *
     * @param free how many states, from 0, are of free text
     */
    Automaton automaton(int free) {
        int[] first = new int[size + 1];
        for (int e = 0; e < sources.size(); e++) {
            first[sources.get(e) + 1]++;
        }
        for (int state = 0; state < size; state++) {
            first[state + 1] += first[state];
        }
        int[] at = Arrays.copyOf(first, size);
        int[] label = new int[sources.size()];
        int[] target = new int[sources.size()];
        for (int e = 0; e < sources.size(); e++) {
            int place = at[sources.get(e)]++;
            label[place] = labels.get(e);
            target[place] = targets.get(e);
        }
        boolean[] last = new boolean[size];
        for (int rule = 0; rule < rules(); rule++) {
            last[end(rule)] = true;
        }
        boolean[] tail = new boolean[label.length];
        for (int e = 0; e < label.length; e++) {
            tail[e] = label[e] < Automaton.EPSILON && leadsToTheEndOnly(target[e], first, label, target, last);
        }
        byte[] classes = new byte[256];
        int classCount = classes(classes);
        int[] start = starts.toArray();
        Automaton.Chain[] repetitions = chains.toArray(Automaton.Chain[]::new);
        long[][] sets = byteSets.toArray(long[][]::new);
        Automaton open = new Automaton(
                first, label, target, tail, last, start, sets, classes, classCount, new int[0], repetitions, free);
        int[] height = new Heights(open, true).compute();
        return new Automaton(
                first, label, target, tail, last, start, sets, classes, classCount, height, repetitions, free);
    }

    private static boolean leadsToTheEndOnly(int state, int[] first, int[] label, int[] target, boolean[] last) {
        for (int steps = 0; steps < 1000; steps++) {
            int edges = first[state + 1] - first[state];
            if (last[state]) {
                return edges == 0;
            }
            if (edges != 1 || label[first[state]] != Automaton.EPSILON) {
                return false;
            }
            state = target[first[state]];
        }
        return false;
    }

    private int classes(byte[] classes) {
        Map<List<Integer>, Integer> numbers = new HashMap<>();
        for (int b = 0; b < 256; b++) {
            List<Integer> in = new ArrayList<>();
            for (int set = 0; set < byteSets.size(); set++) {
                if ((byteSets.get(set)[b >> 6] >>> b & 1) != 0) {
                    in.add(set);
                }
            }
            Integer number = numbers.putIfAbsent(in, numbers.size());
            classes[b] = (byte) (number == null ? numbers.size() - 1 : number);
        }
        return numbers.size();
    }
}
