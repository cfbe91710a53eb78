package dev.tern.template;

import dev.tern.template.Expression.Actuals;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes expressions. Belongs to one rendering; not thread-safe. */
final class Evaluator {
    private final Limits limits;
    private final Operators operators;
    private final Methods methods;
    private final Filters filters;
    private int at;

    Evaluator(Limits limits) {
        this.limits = limits;
        this.operators = new Operators(limits);
        this.methods = new Methods(this, limits);
        this.filters = new Filters(this, limits);
    }

    /** Where in the source the last thing was done that could fail. */
    int at() {
        return at;
    }

    void at(int position) {
        at = position;
    }

    @Nullable Object evaluate(Expression expression, Scope scope) {
        limits.step();
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.ListOf list -> all(list.items(), scope);
            case Expression.TupleOf tuple -> new Tuple(all(tuple.items(), scope));
            case Expression.DictOf dict -> dict(dict, scope);
            case Expression.Attribute attribute -> {
                Object target = evaluate(attribute.target(), scope);
                at = attribute.at();
                yield attribute(target, attribute.name());
            }
            case Expression.Item item -> {
                Object target = evaluate(item.target(), scope);
                Object index = evaluate(item.index(), scope);
                at = item.at();
                yield item(target, index);
            }
            case Expression.Slice slice -> {
                Object target = evaluate(slice.target(), scope);
                Object start = orNone(slice.start(), scope);
                Object stop = orNone(slice.stop(), scope);
                Object step = orNone(slice.step(), scope);
                at = slice.at();
                yield operators.slice(target, start, stop, step);
            }
            case Expression.Call call -> call(call, scope, null);
            case Expression.Filter filter -> filter(filter, scope, null);
            case Expression.Test test -> {
                Object target = evaluate(test.target(), scope);
                Arguments arguments = arguments(test.arguments(), scope);
                at = test.at();
                yield Tests.apply(test.name(), target, arguments);
            }
            case Expression.Not not -> !Values.isTrue(evaluate(not.operand(), scope));
            case Expression.Sign sign -> {
                Object operand = evaluate(sign.operand(), scope);
                at = sign.at();
                yield sign.negative() && operand instanceof Double d ? (Object) (-d) : operators.apply(sign.negative() ? "-" : "+", 0L, operand);
            }
            case Expression.Arithmetic arithmetic -> {
                Object left = evaluate(arithmetic.left(), scope);
                Object right = evaluate(arithmetic.right(), scope);
                at = arithmetic.at();
                yield operators.apply(arithmetic.operator(), left, right);
            }
            case Expression.Concatenation concatenation -> {
                StringBuilder text = new StringBuilder();
                for (Expression part : concatenation.parts()) {
                    String next = Values.str(evaluate(part, scope));
                    at = concatenation.at();
                    limits.charge(next.length());
                    text.append(next);
                }
                limits.charge(text.length());
                yield text.toString();
            }
            case Expression.Comparison comparison -> comparison(comparison, scope);
            case Expression.Logical logical -> {
                Object left = evaluate(logical.left(), scope);
                yield Values.isTrue(left) == logical.both() ? evaluate(logical.right(), scope) : left;
            }
            case Expression.Conditional conditional -> {
                if (Values.isTrue(evaluate(conditional.condition(), scope))) {
                    yield evaluate(conditional.then(), scope);
                }
                yield conditional.otherwise() == null
                        ? new Undefined("the value of an 'if' without 'else'")
                        : evaluate(conditional.otherwise(), scope);
            }
        };
    }

    private @Nullable Object orNone(@Nullable Expression expression, Scope scope) {
        return expression == null ? null : evaluate(expression, scope);
    }

    private List<@Nullable Object> all(List<Expression> expressions, Scope scope) {
        List<@Nullable Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    private Object dict(Expression.DictOf dict, Scope scope) {
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        for (Map.Entry<Expression, Expression> entry : dict.entries()) {
            Object key = evaluate(entry.getKey(), scope);
            Object value = evaluate(entry.getValue(), scope);
            at = dict.at();
            map.put(Values.key(key), value);
        }
        return map;
    }

    private boolean comparison(Expression.Comparison comparison, Scope scope) {
        Object left = evaluate(comparison.operands().getFirst(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = evaluate(comparison.operands().get(i + 1), scope);
            at = comparison.at();
            if (!compare(comparison.operators().get(i), left, right)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    static boolean compare(String operator, @Nullable Object left, @Nullable Object right) {
        return switch (operator) {
            case "==" -> Values.equal(left, right);
            case "!=" -> !Values.equal(left, right);
            case "in" -> Values.contains(right, left);
            case "not in" -> !Values.contains(right, left);
            default -> {
                int order = Values.compare(left, right);
                yield order != Values.UNORDERED
                        && switch (operator) {
                            case "<" -> order < 0;
                            case "<=" -> order <= 0;
                            case ">" -> order > 0;
                            default -> order >= 0;
                        };
            }
        };
    }

    /** {@code target.name}: a method before an item. */
    @Nullable Object attribute(@Nullable Object target, String name) {
        if (target instanceof Undefined u) {
            throw u.used();
        }
        if (target instanceof Namespace namespace) {
            return namespace.attributes.containsKey(name) ? namespace.attributes.get(name) : missing(target, name);
        }
        if (target instanceof Attributed attributed) {
            return attributed.attribute(name);
        }
        if (target instanceof Tuple tuple && tuple.group() && (name.equals("grouper") || name.equals("list"))) {
            return tuple.items().get(name.equals("list") ? 1 : 0);
        }
        Callable method = methods.find(target, name);
        if (method != null) {
            return method;
        }
        return target instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name) : missing(target, name);
    }

    /** {@code target | attr(name)}: never an item. */
    @Nullable Object ownAttribute(@Nullable Object target, String name) {
        return target instanceof Map && methods.find(target, name) == null ? missing(target, name) : attribute(target, name);
    }

    /** {@code target[index]}: an item before a method. */
    @Nullable Object item(@Nullable Object target, @Nullable Object index) {
        if (index instanceof String name && !(target instanceof Map<?, ?> map && map.containsKey(name))) {
            return attribute(target, name);
        }
        return operators.item(target, index);
    }

    private static Undefined missing(@Nullable Object target, String name) {
        return new Undefined("'" + name + "' of " + Values.type(target));
    }

    /** Calls; a macro can be given a {@code caller}. */
    @Nullable Object call(Expression.Call call, Scope scope, @Nullable Callable caller) {
        Object callee = evaluate(call.callee(), scope);
        Arguments arguments = arguments(call.arguments(), scope);
        if (caller != null) {
            Map<String, @Nullable Object> named = new LinkedHashMap<>(arguments.named());
            named.put("caller", caller);
            arguments = new Arguments(arguments.positional(), named);
        }
        at = call.at();
        if (callee instanceof LoopState loop && loop.recursion() != null) {
            callee = loop.recursion();
        }
        if (callee instanceof Callable function) {
            Object result = function.call(arguments);
            at = call.at();
            return result;
        }
        throw callee instanceof Undefined u ? u.used() : new TemplateError(Values.type(callee) + " cannot be called");
    }

    /** Applies a filter, or a chain of them whose first takes {@code input}. */
    @Nullable Object filter(Expression.Filter filter, Scope scope, @Nullable Object input) {
        Object target = filter.target() == null
                ? input
                : filter.target() instanceof Expression.Filter inner
                        ? filter(inner, scope, input)
                        : evaluate(filter.target(), scope);
        Arguments arguments = arguments(filter.arguments(), scope);
        at = filter.at();
        limits.step();
        return filters.apply(filter.name(), target, arguments);
    }

    private Arguments arguments(Actuals actuals, Scope scope) {
        if (actuals == Actuals.NONE) {
            return Arguments.NONE;
        }
        List<@Nullable Object> positional = all(actuals.positional(), scope);
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        for (Map.Entry<String, Expression> entry : actuals.named().entrySet()) {
            named.put(entry.getKey(), evaluate(entry.getValue(), scope));
        }
        if (actuals.spread() != null) {
            positional.addAll(Values.items(evaluate(actuals.spread(), scope)));
        }
        if (actuals.namedSpread() != null) {
            if (!(evaluate(actuals.namedSpread(), scope) instanceof Map<?, ?> map)) {
                throw new TemplateError("'**' needs a dict");
            }
            map.forEach((key, value) -> named.put(Values.text(key, "an argument's name"), value));
        }
        return new Arguments(positional, named);
    }
}
