package dev.tern.grammar;

import static dev.tern.grammar.Expression.anyNumber;
import static dev.tern.grammar.Expression.choice;
import static dev.tern.grammar.Expression.optional;
import static dev.tern.grammar.Expression.sequence;

import dev.tern.grammar.Expression.Characters;
import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Reference;
import dev.tern.grammar.Expression.Repeat;
import dev.tern.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rules of JSON (RFC 8259). Blanks may stand behind brackets, commas and colons and before closing brackets: one
 * space, or the end of a line and up to 20 blanks, so that no text is blank without end. Escaped surrogates stand in
 * pairs. Not thread-safe.
 */
final class JsonText {
    static final CodePoints DIGIT = CodePoints.of('0', '9');
    private static final int MOST_INDENTATION = 20;

    /** What stands in a string as it is. */
    private static final CodePoints RAW = CodePoints.ofAll("\"\\")
            .union(CodePoints.of(0, 0x1F))
            .complement();

    private final RuleSet rules;
    private final Map<CodePoints, Expression> spelled = new HashMap<>();
    final Expression blanks;
    private @Nullable Reference value;
    private @Nullable Reference object;
    private @Nullable Reference string;
    private @Nullable Reference character;

    JsonText(RuleSet rules) {
        this.rules = rules;
        Expression line = sequence(
                new Literal("\n"), new Repeat(new Characters(CodePoints.ofAll(" \t")), 0, MOST_INDENTATION));
        blanks = rules.add("blanks", choice(Expression.EMPTY, new Literal(" "), line));
    }

    /** Any value. */
    Reference value() {
        Reference found = value;
        if (found == null) {
            found = new Reference(rules.declare("value"));
            value = found;
            rules.define(
                    found.rule(),
                    choice(
                            object(),
                            array(found, 0, Repeat.UNBOUNDED),
                            string(),
                            number(),
                            bool(),
                            new Literal("null")));
        }
        return found;
    }

    /** Any object. */
    Reference object() {
        Reference found = object;
        if (found == null) {
            found = new Reference(rules.declare("object"));
            object = found;
            Expression members = separated(member(string(), value()), 0, Repeat.UNBOUNDED);
            rules.define(found.rule(), braces(members));
        }
        return found;
    }

    Expression braces(Expression members) {
        return sequence(new Literal("{"), blanks, members, blanks, new Literal("}"));
    }

    Expression member(Expression key, Expression itsValue) {
        return sequence(key, new Literal(":"), blanks, itsValue);
    }

    Expression array(Expression element, int min, int max) {
        return brackets(separated(element, min, max));
    }

    Expression brackets(Expression elements) {
        return sequence(new Literal("["), blanks, elements, blanks, new Literal("]"));
    }

    /** So many, with commas between them. */
    Expression separated(Expression element, int min, int max) {
        if (max == 0) {
            return Expression.EMPTY;
        }
        Expression more = new Repeat(
                sequence(comma(), element), Math.max(min - 1, 0), max == Repeat.UNBOUNDED ? max : max - 1);
        Expression some = sequence(element, more);
        return min == 0 ? optional(some) : some;
    }

    Expression comma() {
        return sequence(new Literal(","), blanks);
    }

    static Expression bool() {
        return choice(new Literal("true"), new Literal("false"));
    }

    /** Any number, of so many digits that a double has it, nearly. */
    static Expression number() {
        Expression digits = new Characters(DIGIT);
        Expression whole = choice(
                new Literal("0"),
                sequence(new Characters(CodePoints.of('1', '9')), new Repeat(digits, 0, NumberRules.MOST_DIGITS - 1)));
        Expression fraction = sequence(new Literal("."), new Repeat(digits, 1, NumberRules.MOST_DIGITS));
        Expression exponent = sequence(
                new Characters(CodePoints.ofAll("eE")),
                optional(new Characters(CodePoints.ofAll("+-"))),
                new Repeat(digits, 1, 2));
        return sequence(optional(new Literal("-")), whole, optional(fraction), optional(exponent));
    }

    /** Any string. */
    Reference string() {
        Reference found = string;
        if (found == null) {
            found = rules.add("string", quoted(anyNumber(choice(new Characters(RAW), escape()))));
            string = found;
        }
        return found;
    }

    /** A string of so many characters. */
    Expression string(int min, int max) {
        Reference one = character;
        if (one == null) {
            one = rules.add("character of a string", choice(new Characters(RAW), escape()));
            character = one;
        }
        return quoted(new Repeat(one, min, max));
    }

    static Expression quoted(Expression content) {
        return sequence(new Literal("\""), content, new Literal("\""));
    }

    private static Expression escape() {
        CodePoints hex = CodePoints.ofAll("0123456789abcdefABCDEF");
        Characters digit = new Characters(hex);
        Characters d = new Characters(CodePoints.ofAll("dD"));
        Expression notD = sequence(new Characters(hex.minus(CodePoints.ofAll("dD"))), digit, digit, digit);
        Expression belowSurrogates = sequence(d, new Characters(CodePoints.of('0', '7')), digit, digit);
        Expression pair = sequence(
                d, new Characters(CodePoints.ofAll("89abAB")), digit, digit,
                new Literal("\\u"), d, new Characters(CodePoints.ofAll("cdefCDEF")), digit, digit);
        return sequence(
                new Literal("\\"),
                choice(
                        new Characters(CodePoints.ofAll("\"\\/bfnrt")),
                        sequence(new Literal("u"), choice(notD, belowSurrogates, pair))));
    }

    /**
     * An expression over the characters of a string as one over JSON's text of it. Each character has one way to be
     * written: as it is, or escaped where that is needed.
     */
    Expression spelled(Expression expression) {
        return switch (expression) {
            case Literal literal -> new Literal(escaped(literal.text()));
            case Characters characters -> characters(characters.set());
            case Sequence sequence -> new Sequence(sequence.parts().stream().map(this::spelled).toList());
            case Choice choice -> new Choice(choice.alternatives().stream().map(this::spelled).toList());
            case Repeat repeat -> new Repeat(spelled(repeat.body()), repeat.min(), repeat.max());
            case Reference reference -> throw new IllegalArgumentException("a rule in a pattern");
        };
    }

    /** One character of the set, as JSON writes it in a string. */
    Expression characters(CodePoints set) {
        return spelled.computeIfAbsent(set, s -> {
            CodePoints escaped = s.minus(RAW);
            if (escaped.isEmpty()) {
                return new Characters(s);
            }
            List<Expression> escapes = new ArrayList<>();
            for (int range = 0; range < escaped.ranges(); range++) {
                for (int c = escaped.first(range); c <= escaped.last(range); c++) {
                    escapes.add(new Literal(escaped(Character.toString(c))));
                }
            }
            return rules.add("characters", choice(new Characters(s.intersect(RAW)), new Choice(escapes)));
        });
    }

    /** A string's text without its quotes. */
    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 8);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '"' -> escaped.append("\\\"");
                case '\\' -> escaped.append("\\\\");
                case '\b' -> escaped.append("\\b");
                case '\f' -> escaped.append("\\f");
                case '\n' -> escaped.append("\\n");
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                default -> {
                    if (c < 0x20) {
                        escaped.append("\\u%04x".formatted(c));
                    } else {
                        escaped.appendCodePoint(c);
                    }
                }
            }
        });
        return escaped.toString();
    }
}
