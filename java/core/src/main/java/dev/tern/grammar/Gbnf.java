package dev.tern.grammar;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads GBNF, the format of llama.cpp's grammar files: {@code name ::= alternatives}, literals in double quotes,
 * classes in brackets, {@code .} for any character, groups, {@code * + ? {m} {m,} {m,n}}, comments from {@code #}. A
 * rule goes on on the next line inside a group, after {@code |} and before it. Tokens as terminals ({@code <think>})
 * are refused.
 */
final class Gbnf {
    private static final int MOST_CHARACTERS = 1 << 20;
    private static final int DEEPEST = 200;

    private final GbnfCursor cursor;
    private final RuleSet rules = new RuleSet("grammar");
    private final Map<String, Integer> byName = new HashMap<>();
    private final Map<Integer, Integer> firstUse = new HashMap<>();
    private int depth;

    private Gbnf(String text) {
        if (text.length() > MOST_CHARACTERS) {
            throw RuleSet.tooLarge("grammar", "characters", MOST_CHARACTERS);
        }
        cursor = new GbnfCursor(text);
    }

    /** The rules, {@code root} with the number 0. */
    static RuleSet read(String text) {
        return new Gbnf(text).read();
    }

    private RuleSet read() {
        rule("root");
        cursor.skipBlanks(true);
        while (!cursor.atEnd()) {
            definition();
            cursor.skipBlanks(true);
        }
        if (!rules.defined(0)) {
            throw InputException.at("grammar")
                    .problem("no rule 'root', where every text begins")
                    .expected("root ::= …")
                    .exception();
        }
        for (int rule = 0; rule < rules.size(); rule++) {
            if (!rules.defined(rule)) {
                throw cursor.error(firstUse.getOrDefault(rule, 0))
                        .problem("no rule has the name '" + rules.name(rule) + "'")
                        .exception();
            }
        }
        return rules;
    }

    private void definition() {
        int at = cursor.position();
        int rule = rule(cursor.name("the name of a rule"));
        if (rules.defined(rule)) {
            throw cursor.error(at)
                    .problem("the rule '" + rules.name(rule) + "' stands twice")
                    .exception();
        }
        cursor.skipBlanks(false);
        cursor.require("::=");
        cursor.skipBlanks(true);
        rules.define(rule, alternatives(false));
        if (!cursor.atEnd() && !cursor.at('\n') && !cursor.at('\r')) {
            throw cursor.unexpected("the end of the line, or more of the rule");
        }
    }

    private int rule(String name) {
        return byName.computeIfAbsent(name, rules::declare);
    }

    private Expression alternatives(boolean nested) {
        if (++depth > DEEPEST) {
            throw cursor.error(cursor.position())
                    .problem("groups are nested too deeply")
                    .expected("at most " + DEEPEST + " in each other")
                    .exception();
        }
        List<Expression> alternatives = new ArrayList<>();
        alternatives.add(sequence(nested));
        while (anotherAlternative()) {
            cursor.skipBlanks(true);
            alternatives.add(sequence(nested));
        }
        depth--;
        return alternatives.size() == 1 ? alternatives.getFirst() : new Expression.Choice(alternatives);
    }

    /** Whether a bar follows; it may begin a line, too. */
    private boolean anotherAlternative() {
        int at = cursor.position();
        cursor.skipBlanks(true);
        if (cursor.take('|')) {
            return true;
        }
        cursor.back(at);
        return false;
    }

    private Expression sequence(boolean nested) {
        List<Expression> parts = new ArrayList<>();
        while (!cursor.atEnd() && !cursor.at('|') && !cursor.at(')') && !cursor.at('\n') && !cursor.at('\r')) {
            Expression part = symbol();
            cursor.skipBlanks(nested);
            while (repeatable()) {
                part = repeated(part);
                cursor.skipBlanks(nested);
            }
            parts.add(part);
        }
        return parts.size() == 1 ? parts.getFirst() : new Expression.Sequence(parts);
    }

    private Expression symbol() {
        int at = cursor.position();
        if (cursor.take('"')) {
            return new Expression.Literal(cursor.literal(at));
        }
        if (cursor.take('[')) {
            return new Expression.Characters(cursor.characterClass(at));
        }
        if (cursor.take('.')) {
            return new Expression.Characters(CodePoints.ALL);
        }
        if (cursor.take('(')) {
            cursor.skipBlanks(true);
            Expression group = alternatives(true);
            if (!cursor.take(')')) {
                throw cursor.unexpected("')' for the '(' at " + cursor.place(at));
            }
            return group;
        }
        if (cursor.at('<') || cursor.at('!')) {
            throw cursor.error(at)
                    .problem("tokens as terminals are not supported")
                    .cure("Write the text of the token as a literal.")
                    .exception();
        }
        int rule = rule(cursor.name("a literal, a class, a group or the name of a rule"));
        firstUse.putIfAbsent(rule, at);
        return new Expression.Reference(rule);
    }

    private boolean repeatable() {
        return cursor.at('*') || cursor.at('+') || cursor.at('?') || cursor.at('{');
    }

    private Expression repeated(Expression body) {
        if (cursor.take('*')) {
            return Expression.anyNumber(body);
        }
        if (cursor.take('+')) {
            return new Expression.Repeat(body, 1, Expression.Repeat.UNBOUNDED);
        }
        if (cursor.take('?')) {
            return Expression.optional(body);
        }
        int at = cursor.position();
        cursor.require("{");
        cursor.skipBlanks(false);
        int min = cursor.at(',') ? 0 : cursor.number();
        int max = min;
        cursor.skipBlanks(false);
        if (cursor.take(',')) {
            cursor.skipBlanks(false);
            max = cursor.at('}') ? Expression.Repeat.UNBOUNDED : cursor.number();
            cursor.skipBlanks(false);
        }
        cursor.require("}");
        if (max != Expression.Repeat.UNBOUNDED && max < min) {
            throw cursor.error(at)
                    .problem("a repetition ends before it begins")
                    .expected("{m,n} with m at most n")
                    .found("{" + min + "," + max + "}")
                    .exception();
        }
        return new Expression.Repeat(body, min, max);
    }
}
