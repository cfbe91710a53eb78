package dev.tern.grammar;

import dev.tern.grammar.Expression.Characters;
import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Reference;
import dev.tern.grammar.Expression.Repeat;
import dev.tern.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A nondeterministic automaton over code points, by Thompson's construction; sets of its states are a {@link Dfa}'s.
 */
final class DfaSource {
    private final Effort effort;
    private final List<Ints> silent = new ArrayList<>();
    private final List<List<CodePoints>> sets = new ArrayList<>();
    private final List<Ints> targets = new ArrayList<>();

    DfaSource(Effort effort) {
        this.effort = effort;
    }

    int state() {
        if (silent.size() == Dfa.MOST_STATES) {
            throw effort.tooLarge();
        }
        silent.add(new Ints());
        sets.add(new ArrayList<>(1));
        targets.add(new Ints());
        return silent.size() - 1;
    }

    private void edge(int from, CodePoints set, int to) {
        sets.get(from).add(set);
        targets.get(from).add(to);
    }

    /** Adds what the expression says behind a state; returns a new state behind that. */
    int connect(Expression expression, int from) {
        return switch (expression) {
            case Literal literal -> {
                int at = from;
                for (int c : literal.text().codePoints().toArray()) {
                    int to = state();
                    edge(at, CodePoints.of(c), to);
                    at = to;
                }
                yield silently(at);
            }
            case Characters characters -> {
                int to = state();
                edge(from, characters.set(), to);
                yield to;
            }
            case Sequence sequence -> {
                int at = from;
                for (Expression part : sequence.parts()) {
                    at = connect(part, at);
                }
                yield silently(at);
            }
            case Choice choice -> {
                int to = state();
                for (Expression alternative : choice.alternatives()) {
                    silent.get(connect(alternative, silently(from))).add(to);
                }
                yield to;
            }
            case Repeat repeat -> repeat(repeat, from);
            case Reference reference -> throw new IllegalArgumentException("a rule in a pattern");
        };
    }

    private int repeat(Repeat repeat, int from) {
        int at = silently(from);
        for (int i = 0; i < repeat.min(); i++) {
            at = connect(repeat.body(), at);
        }
        int to = state();
        if (repeat.max() == Repeat.UNBOUNDED) {
            int loop = silently(at);
            silent.get(connect(repeat.body(), loop)).add(loop);
            at = loop;
        } else {
            for (int i = repeat.min(); i < repeat.max(); i++) {
                silent.get(at).add(to);
                at = connect(repeat.body(), at);
            }
        }
        silent.get(at).add(to);
        return to;
    }

    private int silently(int from) {
        int to = state();
        silent.get(from).add(to);
        return to;
    }

    BitSet closure(int state) {
        BitSet reached = new BitSet();
        reach(state, reached);
        return reached;
    }

    private void reach(int state, BitSet reached) {
        Ints open = new Ints();
        open.add(state);
        while (!open.isEmpty()) {
            int at = open.removeLast();
            if (!reached.get(at)) {
                reached.set(at);
                effort.spend(1);
                for (int i = 0; i < silent.get(at).size(); i++) {
                    open.add(silent.get(at).get(i));
                }
            }
        }
    }

    BitSet next(BitSet from, int codePoint) {
        BitSet reached = new BitSet();
        from.stream().forEach(state -> {
            effort.spend(1);
            for (int i = 0; i < sets.get(state).size(); i++) {
                if (sets.get(state).get(i).contains(codePoint)) {
                    reach(targets.get(state).get(i), reached);
                }
            }
        });
        return reached;
    }
}
