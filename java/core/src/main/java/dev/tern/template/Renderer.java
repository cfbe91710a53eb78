package dev.tern.template;

import dev.tern.template.Statement.Parameters;
import dev.tern.template.Statement.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Does what a template says, once. Not thread-safe. */
final class Renderer {
    private static final int MAX_CALLS = 100;

    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private final Limits limits;
    private final Evaluator evaluator;
    private int calls;

    Renderer(Limits limits, Evaluator evaluator) {
        this.limits = limits;
        this.evaluator = evaluator;
    }

    String render(List<Statement> statements, Scope scope) {
        StringBuilder out = new StringBuilder();
        run(statements, scope, out);
        limits.charge(out.length());
        return out.toString();
    }

    private Flow run(List<Statement> statements, Scope scope, StringBuilder out) {
        for (Statement statement : statements) {
            Flow flow = run(statement, scope, out);
            if (flow != Flow.NEXT) {
                return flow;
            }
        }
        return Flow.NEXT;
    }

    private Flow run(Statement statement, Scope scope, StringBuilder out) {
        limits.step();
        evaluator.at(statement.at());
        switch (statement) {
            case Statement.Text text -> write(text.text(), out);
            case Statement.Output output -> write(Values.str(evaluator.evaluate(output.value(), scope)), out);
            case Statement.If choice -> {
                return run(
                        Values.isTrue(evaluator.evaluate(choice.condition(), scope)) ? choice.then() : choice.otherwise(),
                        scope,
                        out);
            }
            case Statement.For loop -> {
                return loop(loop, scope, out);
            }
            case Statement.Break b -> {
                return Flow.BREAK;
            }
            case Statement.Continue c -> {
                return Flow.CONTINUE;
            }
            case Statement.SetValue set -> {
                Object value = evaluator.evaluate(set.value(), scope);
                evaluator.at(set.at());
                assign(set.target(), value, scope);
            }
            case Statement.SetText set -> {
                Object text = render(set.body(), new Scope(scope));
                if (set.filter() != null) {
                    text = evaluator.filter(set.filter(), scope, text);
                }
                assign(set.target(), text, scope);
            }
            case Statement.Macro macro -> scope.set(macro.name(), callable(macro.name(), macro.parameters(), macro.body(), scope));
            case Statement.CallBlock block -> {
                Callable caller = callable("caller", block.parameters(), block.body(), scope);
                write(Values.str(evaluator.call(block.call(), scope, caller)), out);
            }
            case Statement.FilterBlock block -> {
                String text = render(block.body(), new Scope(scope));
                write(Values.str(evaluator.filter(block.filter(), scope, text)), out);
            }
            case Statement.With with -> {
                Scope inner = new Scope(scope);
                List<@Nullable Object> values = new ArrayList<>();
                for (Statement.SetValue set : with.values()) {
                    values.add(evaluator.evaluate(set.value(), scope));
                }
                for (int i = 0; i < values.size(); i++) {
                    assign(with.values().get(i).target(), values.get(i), inner);
                }
                return run(with.body(), inner, out);
            }
            case Statement.Block block -> {
                return run(block.body(), scope, out);
            }
        }
        return Flow.NEXT;
    }

    private void write(String text, StringBuilder out) {
        limits.charge(text.length());
        out.append(text);
    }

    private Flow loop(Statement.For loop, Scope scope, StringBuilder out) {
        return loop(loop, Values.items(evaluator.evaluate(loop.items(), scope)), 1, scope, out);
    }

    private Flow loop(
            Statement.For loop, List<@Nullable Object> given, long depth, Scope scope, StringBuilder out) {
        List<@Nullable Object> items = given;
        if (loop.condition() != null) {
            List<@Nullable Object> chosen = new ArrayList<>();
            for (Object item : items) {
                Scope inner = new Scope(scope);
                assign(loop.target(), item, inner);
                if (Values.isTrue(evaluator.evaluate(loop.condition(), inner))) {
                    chosen.add(item);
                }
            }
            items = chosen;
        }
        if (items.isEmpty()) {
            return run(loop.otherwise(), new Scope(scope), out);
        }
        LoopState state = new LoopState(items, depth, loop.recursive() ? recursion(loop, depth, scope) : null);
        for (Object item : items) {
            limits.step();
            state.next();
            Scope inner = new Scope(scope);
            inner.set("loop", state);
            evaluator.at(loop.at());
            assign(loop.target(), item, inner);
            if (run(loop.body(), inner, out) == Flow.BREAK) {
                break;
            }
        }
        return Flow.NEXT;
    }

    /** {@code loop(items)}: the same loop over these items, as text. */
    private Callable recursion(Statement.For loop, long depth, Scope scope) {
        return arguments -> {
            List<@Nullable Object> items = Values.items(arguments.bind("loop", "iterable").require(0));
            enter();
            StringBuilder out = new StringBuilder();
            loop(loop, items, depth + 1, scope, out);
            calls--;
            limits.charge(out.length());
            return out.toString();
        };
    }

    private void enter() {
        if (++calls > MAX_CALLS) {
            throw new TemplateError("macros or loops call each other more than " + MAX_CALLS + " levels deep");
        }
    }

    private void assign(Target target, @Nullable Object value, Scope scope) {
        switch (target) {
            case Target.Variable variable -> scope.set(variable.name(), value);
            case Target.Member member -> {
                if (!(scope.get(member.variable()) instanceof Namespace namespace)) {
                    throw new TemplateError("only a namespace's attributes can be set, and '" + member.variable() + "' is none");
                }
                namespace.attributes.put(member.name(), value);
            }
            case Target.Several several -> {
                List<@Nullable Object> values = Values.items(value);
                if (values.size() != several.targets().size()) {
                    throw new TemplateError(
                            several.targets().size() + " names are given, but " + values.size() + " values");
                }
                for (int i = 0; i < values.size(); i++) {
                    assign(several.targets().get(i), values.get(i), scope);
                }
            }
        }
    }

    /** A macro: sees the variables of where it is defined, as they are when it is called. */
    private Callable callable(String name, Parameters parameters, List<Statement> body, Scope definedIn) {
        return new Macro(name, parameters.names(), arguments -> {
            enter();
            Scope scope = new Scope(definedIn);
            bind(name, parameters, arguments, scope);
            String text = render(body, scope);
            calls--;
            return text;
        });
    }

    private void bind(String name, Parameters parameters, Arguments arguments, Scope scope) {
        List<String> names = parameters.names();
        Map<String, @Nullable Object> named = new LinkedHashMap<>(arguments.named());
        int given = arguments.positional().size();
        int firstDefault = names.size() - parameters.defaults().size();
        if (parameters.takesCaller()) {
            scope.set("caller", named.containsKey("caller") ? named.remove("caller") : new Undefined("'caller'"));
        }
        for (int i = 0; i < names.size(); i++) {
            String parameter = names.get(i);
            if (i < given) {
                if (named.containsKey(parameter)) {
                    throw new TemplateError("the macro '" + name + "' is given twice its argument '" + parameter + "'");
                }
                scope.set(parameter, arguments.positional().get(i));
            } else if (named.containsKey(parameter)) {
                scope.set(parameter, named.remove(parameter));
            } else if (i >= firstDefault) {
                scope.set(parameter, evaluator.evaluate(parameters.defaults().get(i - firstDefault), scope));
            } else {
                scope.set(parameter, new Undefined("the parameter '" + parameter + "'"));
            }
        }
        List<@Nullable Object> rest = given > names.size() ? arguments.positional().subList(names.size(), given) : List.of();
        if (!rest.isEmpty() && !parameters.takesMore()) {
            throw new TemplateError("the macro '" + name + "' takes " + names.size() + " arguments at most, not " + given);
        }
        if (!named.isEmpty() && !parameters.takesNamed()) {
            throw new TemplateError("the macro '" + name + "' takes no argument '" + named.keySet().iterator().next() + "'");
        }
        scope.set("varargs", new Tuple(new ArrayList<>(rest)));
        scope.set("kwargs", named);
    }
}
