package dev.tern.grammar;

import dev.tern.grammar.Expression.Characters;
import dev.tern.grammar.Expression.Choice;
import dev.tern.grammar.Expression.Literal;
import dev.tern.grammar.Expression.Repeat;
import dev.tern.grammar.Expression.Sequence;
import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Reads the regular expressions of JSON Schema's {@code pattern}: those of ECMA-262 without what is no regular
 * language. Alternatives, groups of every name, repetitions (lazy ones say the same), classes, {@code \d \w \s} and
 * their opposites, general categories ({@code \p{L}}), and anchors at the ends. References back, looking around, word
 * boundaries and anchors elsewhere are refused. As a pattern may be found anywhere in a string, what is not anchored
 * has any text around it.
 */
final class Regex {
    private static final int DEEPEST = 100;
    private static final int MOST_REPETITIONS = 10_000;
    private static final Expression ANY = Expression.anyNumber(new Characters(CodePoints.ALL));
    private static final CodePoints LINE_ENDS = CodePoints.ofAll("\n\r\u2028\u2029");

    private final String text;
    private final String where;
    private final RegexClasses classes;
    private int at;
    private int depth;

    private Regex(String text, String where) {
        this.text = text;
        this.where = where;
        this.classes = new RegexClasses(this, text);
    }

    /**
     * The strings in which the pattern is found.
     *
     * @param where for errors
     * @throws InputException when it is none, or not of the kinds above
     */
    static Expression read(String pattern, String where) {
        Regex regex = new Regex(pattern, where);
        Expression found = regex.wholeAlternatives();
        if (regex.at < pattern.length()) {
            throw regex.error("')' closes nothing");
        }
        return found;
    }

    /** Alternatives that may be anchored. */
    private Expression wholeAlternatives() {
        List<Expression> alternatives = new ArrayList<>();
        do {
            boolean begins = take("^");
            Expression body = sequence();
            boolean ends = take("$");
            List<Expression> parts = new ArrayList<>();
            if (!begins) {
                parts.add(ANY);
            }
            parts.add(body);
            if (!ends) {
                parts.add(ANY);
            }
            if (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
                throw error("an anchor stands inside");
            }
            alternatives.add(new Sequence(parts));
        } while (take("|"));
        return alternatives.size() == 1 ? alternatives.getFirst() : new Choice(alternatives);
    }

    private Expression alternatives() {
        List<Expression> alternatives = new ArrayList<>();
        do {
            alternatives.add(sequence());
        } while (take("|"));
        return alternatives.size() == 1 ? alternatives.getFirst() : new Choice(alternatives);
    }

    private Expression sequence() {
        List<Expression> parts = new ArrayList<>();
        while (at < text.length() && "|)$".indexOf(text.charAt(at)) < 0) {
            parts.add(repeated(atom()));
        }
        return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
    }

    private Expression atom() {
        char c = text.charAt(at);
        switch (c) {
            case '(' -> {
                return group();
            }
            case '[' -> {
                at++;
                return new Characters(classes.bracketed());
            }
            case '.' -> {
                at++;
                return new Characters(LINE_ENDS.complement());
            }
            case '^' -> throw error("an anchor stands inside");
            case '*', '+', '?' -> throw error("'" + c + "' repeats nothing");
            case '\\' -> {
                at++;
                return new Characters(classes.escape(false));
            }
            default -> {
                int codePoint = text.codePointAt(at);
                at += Character.charCount(codePoint);
                if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
                    throw error("half of a surrogate pair");
                }
                return new Literal(Character.toString(codePoint));
            }
        }
    }

    private Expression group() {
        if (++depth > DEEPEST) {
            throw error("groups are nested more than " + DEEPEST + " deep");
        }
        at++;
        if (take("?")) {
            if (Stream.of("=", "!", "<=", "<!").anyMatch(sign -> text.startsWith(sign, at))) {
                throw error("looking around is not supported");
            }
            if (take("<")) {
                int end = text.indexOf('>', at);
                at = end < 0 ? text.length() : end + 1;
            } else if (!take(":")) {
                throw error("unknown kind of group");
            }
        }
        Expression body = alternatives();
        if (at < text.length() && text.charAt(at) == '$') {
            throw error("an anchor stands inside");
        }
        if (!take(")")) {
            throw error("a group is not closed");
        }
        depth--;
        return body;
    }

    private Expression repeated(Expression atom) {
        Expression body = atom;
        int min;
        int max;
        if (take("*")) {
            min = 0;
            max = Repeat.UNBOUNDED;
        } else if (take("+")) {
            min = 1;
            max = Repeat.UNBOUNDED;
        } else if (take("?")) {
            min = 0;
            max = 1;
        } else if (counted()) {
            at++;
            min = number();
            max = min;
            if (take(",")) {
                max = text.startsWith("}", at) ? Repeat.UNBOUNDED : number();
            }
            if (!take("}") || max != Repeat.UNBOUNDED && max < min) {
                throw error("a repetition is none");
            }
        } else {
            return body;
        }
        take("?");
        return new Repeat(body, min, max);
    }

    /** A brace that counts nothing is itself, as in ECMA-262's annex B. */
    private boolean counted() {
        return text.startsWith("{", at) && at + 1 < text.length() && Character.digit(text.charAt(at + 1), 10) >= 0;
    }

    private int number() {
        int from = at;
        int value = 0;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            value = Math.min(10 * value + text.charAt(at++) - '0', MOST_REPETITIONS + 1);
        }
        if (at == from) {
            throw error("a repetition is none");
        }
        if (value > MOST_REPETITIONS) {
            throw error("more than " + MOST_REPETITIONS + " repetitions");
        }
        return value;
    }

    boolean take(String token) {
        boolean there = text.startsWith(token, at);
        at += there ? token.length() : 0;
        return there;
    }

    int position() {
        return at;
    }

    void position(int next) {
        at = next;
    }

    InputException error(String problem) {
        return InputException.at(where)
                .problem("pattern: " + problem + ", at character " + (at + 1))
                .found("'" + (text.length() > 100 ? text.substring(0, 100) + "…" : text) + "'")
                .exception();
    }
}
