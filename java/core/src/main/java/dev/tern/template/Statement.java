package dev.tern.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a template does. {@code at} is the index in the source that errors name. */
sealed interface Statement {
    int at();

    record Text(int at, String text) implements Statement {}

    record Output(int at, Expression value) implements Statement {}

    record If(int at, Expression condition, List<Statement> then, List<Statement> otherwise) implements Statement {}

    record For(
            int at,
            Target target,
            Expression items,
            @Nullable Expression condition,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    record Break(int at) implements Statement {}

    record Continue(int at) implements Statement {}

    record SetValue(int at, Target target, Expression value) implements Statement {}

    /** {@code {% set x %}…{% endset %}}, the text going through a filter if there is one. */
    record SetText(int at, Target target, Expression.@Nullable Filter filter, List<Statement> body) implements Statement {}

    record Macro(int at, String name, Parameters parameters, List<Statement> body) implements Statement {}

    /** {@code {% call(…) macro(…) %}…{% endcall %}}. */
    record CallBlock(int at, Parameters parameters, Expression.Call call, List<Statement> body) implements Statement {}

    record FilterBlock(int at, Expression.Filter filter, List<Statement> body) implements Statement {}

    /** {@code {% with a = 1 %}…{% endwith %}}. */
    record With(int at, List<SetValue> values, List<Statement> body) implements Statement {}

    /** Statements that belong together, such as those of transformers' {@code {% generation %}}. */
    record Block(int at, List<Statement> body) implements Statement {}

    /**
     * A macro's parameters.
     *
     * @param defaults belong to the last of {@code names}
     * @param takesMore whether the body uses {@code varargs}, the rest of the arguments
     * @param takesNamed whether the body uses {@code kwargs}, the rest of the named arguments
     * @param takesCaller whether the body uses {@code caller}
     */
    record Parameters(
            List<String> names, List<Expression> defaults, boolean takesMore, boolean takesNamed, boolean takesCaller) {}

    /** What is assigned to. */
    sealed interface Target {
        record Variable(String name) implements Target {}

        /** An attribute of a namespace. */
        record Member(String variable, String name) implements Target {}

        record Several(List<Target> targets) implements Target {}
    }
}
