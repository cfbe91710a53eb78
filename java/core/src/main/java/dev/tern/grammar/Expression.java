package dev.tern.grammar;

import java.util.List;

/** What a rule says. Expressions know rules by their number in a {@link RuleSet}. */
sealed interface Expression {
    Expression EMPTY = new Sequence(List.of());

    /** What no text is. */
    Expression NOTHING = new Choice(List.of());

    /** This text. */
    record Literal(String text) implements Expression {}

    /** One character of a set. */
    record Characters(CodePoints set) implements Expression {}

    /** All, one after the other. */
    record Sequence(List<Expression> parts) implements Expression {
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** One of them. */
    record Choice(List<Expression> alternatives) implements Expression {
        public Choice {
            alternatives = List.copyOf(alternatives);
        }
    }

    /**
     * {@code min} to {@code max} times.
     *
     * @param max {@link #UNBOUNDED} for any number
     */
    record Repeat(Expression body, int min, int max) implements Expression {
        static final int UNBOUNDED = -1;
    }

    /** What another rule says. */
    record Reference(int rule) implements Expression {}

    static Expression sequence(Expression... parts) {
        return new Sequence(List.of(parts));
    }

    static Expression choice(Expression... alternatives) {
        return new Choice(List.of(alternatives));
    }

    static Expression optional(Expression body) {
        return new Repeat(body, 0, 1);
    }

    static Expression anyNumber(Expression body) {
        return new Repeat(body, 0, Repeat.UNBOUNDED);
    }
}
