package dev.tern.grammar;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Rules on the way to an automaton, each with a name for errors. Not thread-safe. */
final class RuleSet {
    /** Rules of one grammar; the largest schemas in use have some hundred. */
    static final int MOST_RULES = 50_000;

    private final String origin;
    private final List<String> names = new ArrayList<>();
    private final List<@Nullable Expression> bodies = new ArrayList<>();

    /** @param origin what the rules were made from, for errors */
    RuleSet(String origin) {
        this.origin = origin;
    }

    /** A rule that is said later. */
    int declare(String name) {
        if (names.size() == MOST_RULES) {
            throw tooLarge(origin, "rules", MOST_RULES);
        }
        names.add(name);
        bodies.add(null);
        return names.size() - 1;
    }

    void define(int rule, Expression body) {
        bodies.set(rule, body);
    }

    Expression.Reference add(String name, Expression body) {
        int rule = declare(name);
        define(rule, body);
        return new Expression.Reference(rule);
    }

    boolean defined(int rule) {
        return bodies.get(rule) != null;
    }

    Expression body(int rule) {
        return Objects.requireNonNull(bodies.get(rule), () -> "rule without a body: " + names.get(rule));
    }

    String name(int rule) {
        return names.get(rule);
    }

    int size() {
        return names.size();
    }

    String origin() {
        return origin;
    }

    static InputException tooLarge(String origin, String what, int most) {
        return InputException.at(origin)
                .problem("too large")
                .expected("at most " + most + " " + what)
                .cure("Make it smaller: fewer alternatives, and smaller numbers of repetitions.")
                .exception();
    }
}
