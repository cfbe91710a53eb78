package dev.tern.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a template computes. {@code at} is the index in the source that errors name. */
sealed interface Expression {
    int at();

    record Literal(int at, @Nullable Object value) implements Expression {}

    record Name(int at, String name) implements Expression {}

    record ListOf(int at, List<Expression> items) implements Expression {}

    record TupleOf(int at, List<Expression> items) implements Expression {}

    record DictOf(int at, List<Map.Entry<Expression, Expression>> entries) implements Expression {}

    /** {@code target.name}: a method, or else an item. */
    record Attribute(int at, Expression target, String name) implements Expression {}

    /** {@code target[index]}: an item, or else a method. */
    record Item(int at, Expression target, Expression index) implements Expression {}

    /** {@code target[start:stop:step]}. */
    record Slice(
            int at,
            Expression target,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step)
            implements Expression {}

    record Call(int at, Expression callee, Actuals arguments) implements Expression {}

    /** {@code target | name(arguments)}; without a target in {@code {% filter %}} and {@code {% set x | name %}}. */
    record Filter(int at, @Nullable Expression target, String name, Actuals arguments) implements Expression {}

    record Test(int at, Expression target, String name, Actuals arguments) implements Expression {}

    record Not(int at, Expression operand) implements Expression {}

    /** {@code -x}, or {@code +x}. */
    record Sign(int at, boolean negative, Expression operand) implements Expression {}

    record Arithmetic(int at, String operator, Expression left, Expression right) implements Expression {}

    /** {@code a ~ b ~ c}. */
    record Concatenation(int at, List<Expression> parts) implements Expression {}

    /** {@code a < b <= c}: one more operand than operators. */
    record Comparison(int at, List<Expression> operands, List<String> operators) implements Expression {}

    /** {@code and}, if {@code both}, or {@code or}; the value is an operand's. */
    record Logical(int at, boolean both, Expression left, Expression right) implements Expression {}

    record Conditional(int at, Expression condition, Expression then, @Nullable Expression otherwise) implements Expression {}

    /** Arguments of a call, not yet computed; {@code *spread} and {@code **spread} may follow. */
    record Actuals(
            List<Expression> positional,
            Map<String, Expression> named,
            @Nullable Expression spread,
            @Nullable Expression namedSpread) {
        static final Actuals NONE = new Actuals(List.of(), Map.of(), null, null);
    }
}
