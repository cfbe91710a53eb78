package dev.tern.template;

import dev.tern.template.Expression.Actuals;
import dev.tern.template.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses expressions by recursive descent, with Jinja2's precedences: a filter binds tighter than any operator. */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final Tokens tokens;

    ExpressionParser(Tokens tokens) {
        this.tokens = tokens;
    }

    /** An expression, or several with commas between them, which are a tuple. */
    Expression tuple(boolean conditional) {
        int at = tokens.peek().at();
        Expression first = conditional ? expression() : or();
        if (!tokens.peek().isOperator(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.takeOperator(",") && !endsTuple()) {
            items.add(conditional ? expression() : or());
        }
        return new Expression.TupleOf(at, items);
    }

    private boolean endsTuple() {
        Token next = tokens.peek();
        return next.kind() == Kind.OUTPUT_END
                || next.kind() == Kind.STATEMENT_END
                || next.isOperator(")")
                || next.isName("if")
                || next.isName("recursive");
    }

    Expression expression() {
        tokens.enter();
        Expression value = or();
        while (tokens.peek().isName("if")) {
            int at = tokens.take().at();
            Expression condition = or();
            Expression otherwise = tokens.takeName("else") ? expression() : null;
            value = new Expression.Conditional(at, condition, value, otherwise);
        }
        tokens.leave();
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (tokens.peek().isName("or")) {
            left = new Expression.Logical(tokens.take().at(), false, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.peek().isName("and")) {
            left = new Expression.Logical(tokens.take().at(), true, left, not());
        }
        return left;
    }

    private Expression not() {
        if (!tokens.peek().isName("not")) {
            return comparison();
        }
        tokens.enter();
        Expression negated = new Expression.Not(tokens.take().at(), not());
        tokens.leave();
        return negated;
    }

    private Expression comparison() {
        Expression first = sum();
        List<Expression> operands = new ArrayList<>(List.of(first));
        List<String> operators = new ArrayList<>();
        while (true) {
            Token next = tokens.peek();
            if (next.kind() == Kind.OPERATOR && COMPARISONS.contains(next.text()) || next.isName("in")) {
                operators.add(tokens.take().text());
            } else if (next.isName("not") && tokens.peekSecond().isName("in")) {
                tokens.take();
                tokens.take();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Expression.Comparison(first.at(), operands, operators);
            }
            operands.add(sum());
        }
    }

    private Expression sum() {
        Expression left = concatenation();
        while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
            Token operator = tokens.take();
            left = new Expression.Arithmetic(operator.at(), operator.text(), left, concatenation());
        }
        return left;
    }

    private Expression concatenation() {
        Expression first = product();
        if (!tokens.peek().isOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.takeOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concatenation(first.at(), parts);
    }

    private Expression product() {
        Expression left = power();
        while (tokens.peek().kind() == Kind.OPERATOR && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
            Token operator = tokens.take();
            left = new Expression.Arithmetic(operator.at(), operator.text(), left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (tokens.peek().isOperator("**")) {
            left = new Expression.Arithmetic(tokens.take().at(), "**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        tokens.enter();
        Token next = tokens.peek();
        Expression value;
        if (next.isOperator("-") || next.isOperator("+")) {
            tokens.take();
            value = new Expression.Sign(next.at(), next.text().equals("-"), unary(false));
        } else {
            value = primary();
        }
        value = postfix(value);
        tokens.leave();
        return withFilters ? filtered(value) : value;
    }

    private Expression primary() {
        Token token = tokens.peek();
        switch (token.kind()) {
            case NAME -> {
                tokens.take();
                return switch (token.text()) {
                    case "true", "True" -> new Expression.Literal(token.at(), true);
                    case "false", "False" -> new Expression.Literal(token.at(), false);
                    case "none", "None" -> new Expression.Literal(token.at(), null);
                    default -> new Expression.Name(token.at(), token.text());
                };
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.peek().kind() == Kind.STRING) {
                    text.append(tokens.take().text());
                }
                return new Expression.Literal(token.at(), text.toString());
            }
            case INTEGER -> {
                tokens.take();
                try {
                    return new Expression.Literal(token.at(), Long.parseLong(token.text()));
                } catch (NumberFormatException e) {
                    throw tokens.error(token.at(), "the integer is larger than this interpreter's, 64 bits");
                }
            }
            case FLOAT -> {
                tokens.take();
                return new Expression.Literal(token.at(), Double.parseDouble(token.text()));
            }
            default -> {
                if (tokens.takeOperator("(")) {
                    Expression value = tokens.peek().isOperator(")")
                            ? new Expression.TupleOf(token.at(), List.of())
                            : tuple(true);
                    tokens.expectOperator(")");
                    return value;
                }
                if (tokens.takeOperator("[")) {
                    return list(token.at());
                }
                if (tokens.takeOperator("{")) {
                    return dict(token.at());
                }
                throw tokens.unexpected("an expression");
            }
        }
    }

    private Expression list(int at) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.takeOperator("]")) {
            if (!items.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.takeOperator("]")) {
                    break;
                }
            }
            items.add(expression());
        }
        return new Expression.ListOf(at, items);
    }

    private Expression dict(int at) {
        List<Map.Entry<Expression, Expression>> entries = new ArrayList<>();
        while (!tokens.takeOperator("}")) {
            if (!entries.isEmpty()) {
                tokens.expectOperator(",");
                if (tokens.takeOperator("}")) {
                    break;
                }
            }
            Expression key = expression();
            tokens.expectOperator(":");
            entries.add(Map.entry(key, expression()));
        }
        return new Expression.DictOf(at, entries);
    }

    private Expression postfix(Expression start) {
        Expression value = start;
        while (true) {
            Token next = tokens.peek();
            if (tokens.takeOperator(".")) {
                Token name = tokens.take();
                value = switch (name.kind()) {
                    case NAME -> new Expression.Attribute(name.at(), value, name.text());
                    case INTEGER -> new Expression.Item(
                            name.at(), value, new Expression.Literal(name.at(), Long.parseLong(name.text())));
                    default -> throw tokens.error(name.at(), "a name must follow the dot");
                };
            } else if (tokens.takeOperator("[")) {
                value = subscript(next.at(), value);
            } else if (next.isOperator("(")) {
                value = new Expression.Call(next.at(), value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(int at, Expression target) {
        Expression start = tokens.peek().isOperator(":") ? null : tuple(true);
        if (start != null && tokens.takeOperator("]")) {
            return new Expression.Item(at, target, start);
        }
        tokens.expectOperator(":");
        Expression stop = tokens.peek().isOperator(":") || tokens.peek().isOperator("]") ? null : expression();
        Expression step = tokens.takeOperator(":") && !tokens.peek().isOperator("]") ? expression() : null;
        tokens.expectOperator("]");
        return new Expression.Slice(at, target, start, stop, step);
    }

    private Expression filtered(Expression start) {
        Expression value = start;
        while (true) {
            Token next = tokens.peek();
            if (next.isOperator("|")) {
                value = filter(value);
            } else if (next.isName("is")) {
                value = test(value);
            } else if (next.isOperator("(")) {
                value = new Expression.Call(next.at(), value, arguments());
            } else {
                return value;
            }
        }
    }

    /** {@code | name(…) | …}, the bar before the first being optional where a block begins with it. */
    Expression.Filter filterChain(boolean withBar) {
        if (withBar && !tokens.peek().isOperator("|")) {
            throw tokens.unexpected("'|'");
        }
        Expression.Filter chain = withBar ? filter(null) : named(null);
        while (tokens.peek().isOperator("|")) {
            chain = filter(chain);
        }
        return chain;
    }

    private Expression.Filter filter(@Nullable Expression target) {
        tokens.expectOperator("|");
        return named(target);
    }

    private Expression.Filter named(@Nullable Expression target) {
        Token name = tokens.expect(Kind.NAME, "a filter's name");
        if (!Filters.exists(name.text())) {
            throw tokens.error(name.at(), "there is no filter '" + name.text() + "' in this interpreter");
        }
        Actuals arguments = tokens.peek().isOperator("(") ? arguments() : Actuals.NONE;
        return new Expression.Filter(name.at(), target, name.text(), arguments);
    }

    private Expression test(Expression target) {
        tokens.take();
        boolean negated = tokens.takeName("not");
        Token name = tokens.take();
        if (name.kind() != Kind.NAME || !Tests.exists(name.text())) {
            throw tokens.error(name.at(), "there is no test '" + name.text() + "' in this interpreter");
        }
        Actuals arguments = Actuals.NONE;
        if (tokens.peek().isOperator("(")) {
            arguments = arguments();
        } else if (tokens.peek().isName("is")) {
            throw tokens.error(tokens.peek().at(), "tests cannot be chained");
        } else if (startsArgument(tokens.peek())) {
            arguments = new Actuals(List.of(postfix(primary())), Map.of(), null, null);
        }
        Expression test = new Expression.Test(name.at(), target, name.text(), arguments);
        return negated ? new Expression.Not(name.at(), test) : test;
    }

    private static boolean startsArgument(Token token) {
        return switch (token.kind()) {
            case NAME -> !Set.of("else", "or", "and", "if", "is", "in", "not").contains(token.text());
            case STRING, INTEGER, FLOAT -> true;
            default -> token.isOperator("[") || token.isOperator("{");
        };
    }

    private Actuals arguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        Expression spread = null;
        Expression namedSpread = null;
        boolean first = true;
        while (!tokens.takeOperator(")")) {
            if (!first) {
                tokens.expectOperator(",");
                if (tokens.takeOperator(")")) {
                    break;
                }
            }
            first = false;
            Token next = tokens.peek();
            if (tokens.takeOperator("**")) {
                namedSpread = expression();
            } else if (tokens.takeOperator("*")) {
                spread = expression();
            } else if (next.kind() == Kind.NAME && tokens.peekSecond().isOperator("=")) {
                tokens.take();
                tokens.take();
                named.put(next.text(), expression());
            } else if (named.isEmpty() && spread == null && namedSpread == null) {
                positional.add(expression());
            } else {
                throw tokens.error(next.at(), "an argument without a name follows one with a name");
            }
        }
        return new Actuals(positional, named, spread, namedSpread);
    }
}
