package dev.tern.grammar;

import dev.tern.grammar.Expression.Characters;
import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Reference;
import dev.tern.grammar.Expression.Repeat;
import dev.tern.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntBinaryOperator;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * A set of strings as a deterministic automaton over code points, for what expressions cannot say: both of two, and all
 * but one. State 0 is the first; there is a next state for every character. Immutable.
 */
final class Dfa {
    /** Beyond this a combination of patterns is refused. */
    static final int MOST_STATES = 20_000;

    private final int[] begins; // of the intervals of code points, ascending from 0
    private final int[][] next; // [state][interval]
    private final BitSet accepting;

    private Dfa(int[] begins, int[][] next, BitSet accepting) {
        this.begins = begins;
        this.next = next;
        this.accepting = accepting;
    }

    /** The strings that an expression without references says. */
    static Dfa of(Expression expression, Effort effort) {
        TreeSet<Integer> begins = new TreeSet<>(List.of(0));
        collect(expression, begins);
        int[] intervals = begins.stream().mapToInt(Integer::intValue).toArray();
        DfaSource source = new DfaSource(effort);
        int end = source.connect(expression, source.state());
        // Subsets of states, numbered as they are met.
        return explore(intervals, source.closure(0), (subset, interval) -> source.next(subset, intervals[interval]),
                subset -> subset.get(end), effort);
    }

    private static void collect(Expression expression, TreeSet<Integer> begins) {
        switch (expression) {
            case Literal literal -> literal.text().codePoints().forEach(c -> {
                begins.add(c);
                begins.add(c + 1);
            });
            case Characters characters -> {
                for (int i = 0; i < characters.set().ranges(); i++) {
                    begins.add(characters.set().first(i));
                    begins.add(characters.set().last(i) + 1);
                }
            }
            case Sequence sequence -> sequence.parts().forEach(part -> collect(part, begins));
            case Choice choice -> choice.alternatives().forEach(part -> collect(part, begins));
            case Repeat repeat -> collect(repeat.body(), begins);
            case Reference reference -> throw new IllegalArgumentException("a rule in a pattern");
        }
    }

    /**
     * A set of strings by hand.
     *
     * @param begins of intervals of code points that are treated alike, ascending from 0
     * @param next of a state and the first code point of an interval: the next state, or negative for none
     */
    static Dfa of(int[] begins, IntBinaryOperator next, IntPredicate accepts, Effort effort) {
        return explore(begins, 0, (state, interval) -> state < 0 ? -1 : next.applyAsInt(state, begins[interval]),
                state -> state >= 0 && accepts.test(state), effort);
    }

    private interface Step<S> {
        S next(S state, int interval);
    }

    private static <S> Dfa explore(
            int[] begins, S first, Step<S> step, Predicate<S> accepts, Effort effort) {
        Map<S, Integer> numbers = new HashMap<>(Map.of(first, 0));
        List<S> states = new ArrayList<>(List.of(first));
        List<int[]> rows = new ArrayList<>();
        BitSet accepting = new BitSet();
        for (int state = 0; state < states.size(); state++) {
            int[] row = new int[begins.length];
            effort.spend(row.length);
            for (int interval = 0; interval < row.length; interval++) {
                S to = step.next(states.get(state), interval);
                Integer number = numbers.putIfAbsent(to, states.size());
                if (number == null) {
                    number = states.size();
                    states.add(to);
                    if (number * (long) row.length > 100L * MOST_STATES || number == MOST_STATES) {
                        throw effort.tooLarge();
                    }
                }
                row[interval] = number;
            }
            rows.add(row);
            accepting.set(state, accepts.test(states.get(state)));
        }
        return new Dfa(begins, rows.toArray(int[][]::new), accepting);
    }

    Dfa complement() {
        BitSet others = (BitSet) accepting.clone();
        others.flip(0, next.length);
        return new Dfa(begins, next, others);
    }

    Dfa intersect(Dfa other, Effort effort) {
        TreeSet<Integer> both = new TreeSet<>();
        Arrays.stream(begins).forEach(both::add);
        Arrays.stream(other.begins).forEach(both::add);
        int[] merged = both.stream().mapToInt(Integer::intValue).toArray();
        return explore(
                merged,
                0L,
                (pair, interval) -> (long) next((int) (pair >> 32), merged[interval]) << 32
                        | other.next((int) (long) pair, merged[interval]),
                pair -> accepting.get((int) (pair >> 32)) && other.accepting.get((int) (long) pair),
                effort);
    }

    private int next(int state, int codePoint) {
        int interval = Arrays.binarySearch(begins, codePoint);
        return next[state][interval >= 0 ? interval : -interval - 2];
    }

    boolean matches(String text) {
        int state = 0;
        for (int c : text.codePoints().toArray()) {
            state = next(state, c);
        }
        return accepting.get(state);
    }

    /** Whether there is no string; surrogates make none. */
    boolean isEmpty() {
        return !useful().get(0);
    }

    /** States from which a string can be brought to an end. */
    private BitSet useful() {
        BitSet useful = (BitSet) accepting.clone();
        for (boolean more = true; more; ) {
            more = false;
            for (int state = next.length - 1; state >= 0; state--) {
                if (!useful.get(state) && !edges(state, useful).isEmpty()) {
                    useful.set(state);
                    more = true;
                }
            }
        }
        return useful;
    }

    /** By next state, of those that are useful, the characters that lead there. */
    private TreeMap<Integer, CodePoints> edges(int state, BitSet useful) {
        TreeMap<Integer, CodePoints.Builder> builders = new TreeMap<>();
        for (int interval = 0; interval < begins.length && begins[interval] <= Character.MAX_CODE_POINT; interval++) {
            int last = interval + 1 == begins.length ? Character.MAX_CODE_POINT : begins[interval + 1] - 1;
            if (useful.get(next[state][interval])) {
                builders.computeIfAbsent(next[state][interval], to -> new CodePoints.Builder())
                        .add(begins[interval], Math.min(last, Character.MAX_CODE_POINT));
            }
        }
        TreeMap<Integer, CodePoints> edges = new TreeMap<>();
        builders.forEach((to, builder) -> {
            CodePoints set = builder.build();
            if (!set.isEmpty()) {
                edges.put(to, set);
            }
        });
        return edges;
    }

    /** The strings as rules, one a state, whose characters are written as JSON writes them. */
    Expression toRules(RuleSet rules, JsonText json, String name) {
        BitSet useful = useful();
        if (!useful.get(0)) {
            return Expression.NOTHING;
        }
        int[] numbers = new int[next.length];
        useful.stream().forEach(state -> numbers[state] = rules.declare(name));
        useful.stream().forEach(state -> {
            List<Expression> alternatives = new ArrayList<>();
            if (accepting.get(state)) {
                alternatives.add(Expression.EMPTY);
            }
            edges(state, useful).forEach((to, set) -> alternatives.add(
                    Expression.sequence(json.characters(set), new Reference(numbers[to]))));
            rules.define(numbers[state], new Choice(alternatives));
        });
        return new Reference(numbers[0]);
    }
}
