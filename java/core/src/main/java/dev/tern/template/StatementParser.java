package dev.tern.template;

import dev.tern.io.InputException;
import dev.tern.template.Statement.Parameters;
import dev.tern.template.Statement.Target;
import dev.tern.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses a template into statements. */
final class StatementParser {
    private final Tokens tokens;
    private final ExpressionParser expressions;
    private int loops;

    StatementParser(Source source) {
        tokens = new Tokens(source);
        expressions = new ExpressionParser(tokens);
    }

    List<Statement> template() {
        List<Statement> statements = statements(Set.of());
        tokens.expect(Kind.END, "the end of the template");
        return statements;
    }

    /** Statements up to {@code {% end %}} for one of these ends, which is left in place behind its {@code {%}. */
    private List<Statement> statements(Set<String> ends) {
        tokens.enter();
        List<Statement> statements = new ArrayList<>();
        while (true) {
            Token token = tokens.take();
            switch (token.kind()) {
                case TEXT -> statements.add(new Statement.Text(token.at(), token.text()));
                case OUTPUT_BEGIN -> {
                    statements.add(new Statement.Output(token.at(), expressions.tuple(true)));
                    tokens.expect(Kind.OUTPUT_END, "'}}'");
                }
                case STATEMENT_BEGIN -> {
                    if (tokens.peek().kind() == Kind.NAME && ends.contains(tokens.peek().text())) {
                        tokens.leave();
                        return statements;
                    }
                    statements.add(statement());
                }
                default -> {
                    if (!ends.isEmpty()) {
                        throw tokens.error(token.at(), "the template ends where " + named(ends) + " is still to come");
                    }
                    tokens.leave();
                    return statements;
                }
            }
        }
    }

    private static String named(Set<String> ends) {
        return String.join(" or ", ends.stream().sorted().map(end -> "{% " + end + " %}").toList());
    }

    private Statement statement() {
        Token keyword = tokens.expect(Kind.NAME, "a statement's name");
        int at = keyword.at();
        return switch (keyword.text()) {
            case "if" -> ifStatement(at);
            case "for" -> forStatement(at);
            case "set" -> set(at);
            case "macro" -> macro(at);
            case "call" -> call(at);
            case "filter" -> {
                Expression.Filter filter = expressions.filterChain(false);
                yield new Statement.FilterBlock(at, filter, body("endfilter"));
            }
            case "with" -> with(at);
            case "generation" -> new Statement.Block(at, body("endgeneration"));
            case "break", "continue" -> {
                if (loops == 0) {
                    throw tokens.error(at, "'" + keyword.text() + "' outside a loop");
                }
                end();
                yield keyword.text().equals("break") ? new Statement.Break(at) : new Statement.Continue(at);
            }
            default -> throw unknown(keyword);
        };
    }

    private InputException unknown(Token keyword) {
        return tokens.error(keyword.at(), "there is no statement '" + keyword.text() + "' here in this interpreter");
    }

    private void end() {
        tokens.expect(Kind.STATEMENT_END, "'%}'");
    }

    /** What stands between this tag's end and the end tag, which is taken too. */
    private List<Statement> body(String endName) {
        end();
        List<Statement> body = statements(Set.of(endName));
        tokens.take();
        if (tokens.peek().kind() == Kind.NAME) {
            tokens.take(); // {% endmacro name %}
        }
        end();
        return body;
    }

    private Statement ifStatement(int at) {
        Expression condition = expressions.tuple(false);
        end();
        List<Statement> then = statements(Set.of("elif", "else", "endif"));
        Token next = tokens.take();
        List<Statement> otherwise = List.of();
        if (next.text().equals("elif")) {
            tokens.enter();
            otherwise = List.of(ifStatement(next.at()));
            tokens.leave();
            return new Statement.If(at, condition, then, otherwise);
        }
        if (next.text().equals("else")) {
            otherwise = body("endif");
        } else {
            end();
        }
        return new Statement.If(at, condition, then, otherwise);
    }

    private Statement forStatement(int at) {
        Target target = target(false);
        if (!tokens.takeName("in")) {
            throw tokens.unexpected("'in'");
        }
        Expression items = expressions.tuple(false);
        Expression condition = tokens.takeName("if") ? expressions.expression() : null;
        boolean recursive = tokens.takeName("recursive");
        end();
        loops++;
        List<Statement> body = statements(Set.of("else", "endfor"));
        loops--;
        List<Statement> otherwise = List.of();
        if (tokens.take().text().equals("else")) {
            otherwise = body("endfor");
        } else {
            end();
        }
        return new Statement.For(at, target, items, condition, recursive, body, otherwise);
    }

    private Statement set(int at) {
        Target target = target(true);
        if (tokens.takeOperator("=")) {
            Expression value = expressions.tuple(true);
            end();
            return new Statement.SetValue(at, target, value);
        }
        if (target instanceof Target.Several) {
            throw tokens.unexpected("'='");
        }
        Expression.Filter filter = tokens.peek().isOperator("|") ? expressions.filterChain(true) : null;
        return new Statement.SetText(at, target, filter, body("endset"));
    }

    private Target target(boolean members) {
        Target first = oneTarget(members);
        if (!tokens.peek().isOperator(",")) {
            return first;
        }
        List<Target> targets = new ArrayList<>(List.of(first));
        while (tokens.takeOperator(",")) {
            if (tokens.peek().kind() != Kind.NAME || tokens.peek().isName("in")) {
                break;
            }
            targets.add(oneTarget(members));
        }
        return new Target.Several(targets);
    }

    private Target oneTarget(boolean members) {
        if (tokens.takeOperator("(")) {
            tokens.enter();
            Target target = target(members);
            tokens.leave();
            tokens.expectOperator(")");
            return target;
        }
        String name = variable();
        if (members && tokens.takeOperator(".")) {
            return new Target.Member(name, tokens.expect(Kind.NAME, "an attribute's name").text());
        }
        return new Target.Variable(name);
    }

    private String variable() {
        Token name = tokens.expect(Kind.NAME, "a variable's name");
        if (Set.of("true", "false", "none", "True", "False", "None").contains(name.text())) {
            throw tokens.error(name.at(), "'" + name.text() + "' cannot be assigned to");
        }
        if (loops > 0 && name.text().equals("loop")) {
            throw tokens.error(name.at(), "'loop' cannot be assigned to within a loop");
        }
        return name.text();
    }

    private Statement macro(int at) {
        String name = variable();
        Parameters parameters = parameters();
        int begin = tokens.position();
        List<Statement> body = outsideLoops("endmacro");
        return new Statement.Macro(at, name, completed(parameters, begin), body);
    }

    private Statement call(int at) {
        Parameters parameters =
                tokens.peek().isOperator("(") ? parameters() : new Parameters(List.of(), List.of(), false, false, false);
        int callAt = tokens.peek().at();
        if (expressions.expression() instanceof Expression.Call call) {
            int begin = tokens.position();
            List<Statement> body = outsideLoops("endcall");
            return new Statement.CallBlock(at, completed(parameters, begin), call, body);
        }
        throw tokens.error(callAt, "a macro's call must stand here");
    }

    private Parameters completed(Parameters parameters, int begin) {
        return new Parameters(
                parameters.names(),
                parameters.defaults(),
                tokens.namedSince(begin, "varargs"),
                tokens.namedSince(begin, "kwargs"),
                tokens.namedSince(begin, "caller"));
    }

    private List<Statement> outsideLoops(String endName) {
        int outer = loops;
        loops = 0;
        List<Statement> body = body(endName);
        loops = outer;
        return body;
    }

    private Parameters parameters() {
        tokens.expectOperator("(");
        List<String> names = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        while (!tokens.takeOperator(")")) {
            if (!names.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.takeOperator(")")) {
                    break;
                }
            }
            names.add(variable());
            if (tokens.takeOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw tokens.error(tokens.peek().at(), "a parameter without a default follows one with a default");
            }
        }
        return new Parameters(names, defaults, false, false, false);
    }

    private Statement with(int at) {
        List<Statement.SetValue> values = new ArrayList<>();
        while (tokens.peek().kind() != Kind.STATEMENT_END) {
            if (!values.isEmpty()) {
                tokens.expectOperator(",");
            }
            int valueAt = tokens.peek().at();
            Target target = oneTarget(false);
            tokens.expectOperator("=");
            values.add(new Statement.SetValue(valueAt, target, expressions.expression()));
        }
        return new Statement.With(at, values, body("endwith"));
    }
}
