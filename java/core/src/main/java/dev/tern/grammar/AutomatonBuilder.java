package dev.tern.grammar;

import dev.tern.grammar.Expression.Characters;
import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Reference;
import dev.tern.grammar.Expression.Repeat;
import dev.tern.grammar.Expression.Sequence;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Makes the states of rules, by Thompson's construction. Used once; not thread-safe. */
final class AutomatonBuilder {
    private static final int UNBOUNDED = Repeat.UNBOUNDED;

    /** Literals that are alternatives share what they begin with, from so many on. */
    private static final int FEW = 4;

    private final RuleSet rules;
    final StateGraph graph;
    private final Map<Integer, Integer> numbers = new HashMap<>();
    private final Map<Expression, Integer> repeated = new HashMap<>();
    private final Map<CodePoints, Integer> multibyte = new HashMap<>();
    private final List<Runnable> pending = new ArrayList<>();

    AutomatonBuilder(RuleSet rules) {
        this.rules = rules;
        this.graph = new StateGraph(rules.origin());
    }

    /** The rules that the root needs; its number is returned. */
    int build(int root) {
        int number = number(root);
        while (!pending.isEmpty()) {
            pending.removeLast().run();
        }
        return number;
    }

    private int number(int rule) {
        return numbers.computeIfAbsent(rule, r -> later(rules.name(r), () -> rules.body(r)));
    }

    private int later(String name, Supplier<Expression> body) {
        int number = graph.rule(name);
        pending.add(() -> {
            int end = connect(body.get(), graph.start(number));
            graph.epsilon(end, graph.end(number));
        });
        return number;
    }

    /** Adds what the expression says behind a state; returns the state behind that. */
    private int connect(Expression expression, int from) {
        return switch (expression) {
            case Literal literal -> literal(literal.text(), from);
            case Sequence sequence -> {
                int at = from;
                for (Expression part : sequence.parts()) {
                    at = connect(part, at);
                }
                yield at;
            }
            case Choice choice when choice.alternatives().size() > FEW && literals(choice) -> words(choice, from);
            case Choice choice -> {
                int to = graph.state();
                for (Expression alternative : choice.alternatives()) {
                    int begin = graph.state();
                    graph.epsilon(from, begin);
                    graph.epsilon(connect(alternative, begin), to);
                }
                yield to;
            }
            case Repeat repeat -> repeat(repeat, from);
            case Characters characters -> edge(characters, from, graph.state());
            case Reference reference -> edge(reference, from, graph.state());
        };
    }

    private int literal(String text, int from) {
        int at = from;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            int to = graph.state();
            graph.bytes(at, b & 0xFF, b & 0xFF, to);
            at = to;
        }
        return at;
    }

    private static boolean literals(Choice choice) {
        return choice.alternatives().stream().allMatch(a -> a instanceof Literal);
    }

    /** A tree of bytes, so that one state stands for all words that go on from a place. */
    private int words(Choice choice, int from) {
        int root = graph.state();
        graph.epsilon(from, root);
        int to = graph.state();
        Map<Long, Integer> tree = new HashMap<>();
        for (Expression alternative : choice.alternatives()) {
            int at = root;
            for (byte b : ((Literal) alternative).text().getBytes(StandardCharsets.UTF_8)) {
                int before = at;
                at = tree.computeIfAbsent((long) at << 8 | b & 0xFF, key -> {
                    int state = graph.state();
                    graph.bytes(before, b & 0xFF, b & 0xFF, state);
                    return state;
                });
            }
            graph.epsilon(at, to);
        }
        return to;
    }

    private int repeat(Repeat repeat, int from) {
        int min = repeat.min();
        int max = repeat.max();
        if (max == UNBOUNDED && min <= 1) {
            int loop = graph.state();
            graph.epsilon(from, loop);
            int end = connect(repeat.body(), loop);
            graph.epsilon(end, loop);
            int to = graph.state();
            graph.epsilon(min == 0 ? loop : end, to);
            return to;
        }
        if (min == 0 && max == 1) {
            int begin = graph.state();
            graph.epsilon(from, begin);
            int to = connect(repeat.body(), begin);
            int behind = graph.state();
            graph.epsilon(to, behind);
            graph.epsilon(from, behind);
            return behind;
        }
        Expression element = repeat.body();
        Automaton.Chain chain = new Automaton.Chain(graph.size(), min, max == UNBOUNDED ? Integer.MAX_VALUE : max);
        int count = chain.states();
        graph.chain(chain, count);
        graph.epsilon(from, chain.first());
        for (int i = 0; i + 1 < count; i++) {
            edge(element, chain.first() + i, chain.first() + i + 1);
        }
        int to = graph.state();
        for (int i = min; i < count; i++) {
            graph.epsilon(chain.first() + i, to);
        }
        if (max == UNBOUNDED) {
            edge(element, chain.first() + min, chain.first() + min);
        }
        return to;
    }

    /**
     * Adds an edge or two from one state to another: a set of characters, or a call. What is neither is written out
     * once, as a rule to call.
     */
    private int edge(Expression expression, int from, int to) {
        if (!(expression instanceof Characters characters)) {
            int rule = expression instanceof Reference reference
                    ? number(reference.rule())
                    : repeated.computeIfAbsent(expression, body -> later("repetition", () -> body));
            graph.call(from, rule, to);
            return to;
        }
        CodePoints set = characters.set();
        CodePoints ascii = set.intersect(CodePoints.of(0, 0x7F));
        if (!ascii.isEmpty()) {
            graph.bytes(from, ascii, to);
        }
        CodePoints rest = set.minus(ascii);
        if (!rest.isEmpty()) {
            graph.call(from, multibyte.computeIfAbsent(rest, this::multibyteRule), to);
        }
        return to;
    }

    private int multibyteRule(CodePoints set) {
        int number = graph.rule("character");
        Utf8Ranges ranges = new Utf8Ranges(graph, graph.end(number));
        for (int i = 0; i < set.ranges(); i++) {
            ranges.add(graph.start(number), set.first(i), set.last(i));
        }
        return number;
    }
}
