package dev.tern.grammar;

import dev.tern.grammar.Expression.Characters;
import dev.tern.grammar.Expression.Repeat;
import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;

/**
 * What strings a JSON Schema allows.
 *
 * @param minLength in characters (code points)
 * @param maxLength {@link Repeat#UNBOUNDED} for none
 * @param patterns all of which are to be found; formats are patterns, too
 */
record StringSchema(int minLength, int maxLength, List<Expression> patterns) {
    static final StringSchema ANY = new StringSchema(0, Repeat.UNBOUNDED, List.of());

    /** A string is not made longer than this, where it may be. */
    private static final int LONGEST = 16_384;

    /** The same with patterns, where each length has states of its own. */
    private static final int LONGEST_WITH_PATTERN = 1_000;

    StringSchema {
        patterns = List.copyOf(patterns);
    }

    StringSchema and(StringSchema other) {
        List<Expression> both = new ArrayList<>(patterns);
        both.addAll(other.patterns);
        int max = maxLength < 0 || other.maxLength < 0
                ? Math.max(maxLength, other.maxLength)
                : Math.min(maxLength, other.maxLength);
        return new StringSchema(Math.max(minLength, other.minLength), max, both);
    }

    boolean any() {
        return equals(ANY);
    }

    /** The strings as JSON. */
    Expression expression(RuleSet rules, JsonText json, Effort effort, String where) {
        if (maxLength >= 0 && minLength > maxLength) {
            return Expression.NOTHING;
        }
        if (any()) {
            return json.string();
        }
        int longest = patterns.isEmpty() ? LONGEST : LONGEST_WITH_PATTERN;
        if (minLength > longest) {
            throw InputException.at(where)
                    .problem("'minLength' is too large")
                    .expected("at most " + longest)
                    .found(minLength)
                    .exception();
        }
        if (patterns.isEmpty()) {
            return json.string(minLength, maxLength < 0 ? maxLength : Math.min(maxLength, LONGEST));
        }
        if (patterns.size() == 1 && minLength == 0 && maxLength < 0) {
            return JsonText.quoted(json.spelled(patterns.getFirst()));
        }
        return JsonText.quoted(dfa(effort.at(where)).toRules(rules, json, "string at " + where));
    }

    /** The strings as an automaton; where they may be long, a part of them. */
    private Dfa dfa(Effort effort) {
        int max = maxLength < 0 ? maxLength : Math.min(maxLength, LONGEST_WITH_PATTERN);
        return dfa(max, effort);
    }

    private Dfa dfa(int max, Effort effort) {
        Dfa all = Dfa.of(new Repeat(new Characters(CodePoints.ALL), minLength, max), effort);
        for (Expression pattern : patterns) {
            all = all.intersect(Dfa.of(pattern, effort), effort);
        }
        return all;
    }

    /** Whether the string is among them. */
    boolean admits(String value, Effort effort) {
        int length = value.codePointCount(0, value.length());
        return length >= minLength
                && (maxLength < 0 || length <= maxLength)
                && patterns.stream().allMatch(pattern -> Dfa.of(pattern, effort).matches(value));
    }

    /** Whether no string is among both. */
    boolean excludes(StringSchema other, Effort effort) {
        StringSchema both = and(other);
        return both.maxLength >= 0 && both.minLength > both.maxLength
                || !both.patterns.isEmpty()
                        && both.minLength <= LONGEST_WITH_PATTERN
                        && both.dfa(both.maxLength > LONGEST_WITH_PATTERN ? Repeat.UNBOUNDED : both.maxLength, effort)
                                .isEmpty();
    }
}
