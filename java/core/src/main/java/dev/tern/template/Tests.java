package dev.tern.template;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What may follow {@code is}. */
final class Tests {
    private static final Set<String> NAMES = Set.of(
            "defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "integer", "float", "boolean",
            "true", "false", "odd", "even", "divisibleby", "in", "callable", "sameas", "lower", "upper", "filter", "test", "eq",
            "equalto", "ne", "lt", "lessthan", "le", "gt", "greaterthan", "ge");

    private Tests() {}

    static boolean exists(String name) {
        return NAMES.contains(name);
    }

    static boolean apply(String name, @Nullable Object value, Arguments arguments) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "mapping" -> value instanceof Map;
            case "sequence", "iterable" -> value instanceof String
                    || value instanceof List
                    || value instanceof Tuple
                    || value instanceof Map
                    || value instanceof Undefined;
            case "number" -> Values.isNumber(value) || value instanceof BigInteger;
            case "integer" -> value instanceof Long || value instanceof BigInteger;
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "odd" -> Math.floorMod(Values.integer(value, "what is odd"), 2) == 1;
            case "even" -> Math.floorMod(Values.integer(value, "what is even"), 2) == 0;
            case "divisibleby" -> {
                long divisor = Values.integer(argument(name, arguments), "a divisor");
                if (divisor == 0) {
                    throw new TemplateError("division by zero");
                }
                yield Values.integer(value, "what is divided") % divisor == 0;
            }
            case "callable" -> value instanceof Callable;
            case "lower" -> Text.isCased(Values.str(value)) && Values.str(value).equals(Values.str(value).toLowerCase(java.util.Locale.ROOT));
            case "upper" -> Text.isCased(Values.str(value)) && Values.str(value).equals(Values.str(value).toUpperCase(java.util.Locale.ROOT));
            case "filter" -> value instanceof String filter && Filters.exists(filter);
            case "test" -> value instanceof String test && exists(test);
            case "sameas" -> {
                Object other = argument(name, arguments);
                // Python keeps one object of each short string and small integer; a test for more would be by chance.
                yield value == other
                        || (value instanceof Boolean || value instanceof String || value instanceof Long) && value.equals(other);
            }
            case "in" -> Evaluator.compare("in", value, argument(name, arguments));
            case "eq", "equalto" -> Evaluator.compare("==", value, argument(name, arguments));
            case "ne" -> Evaluator.compare("!=", value, argument(name, arguments));
            case "lt", "lessthan" -> Evaluator.compare("<", value, argument(name, arguments));
            case "le" -> Evaluator.compare("<=", value, argument(name, arguments));
            case "gt", "greaterthan" -> Evaluator.compare(">", value, argument(name, arguments));
            case "ge" -> Evaluator.compare(">=", value, argument(name, arguments));
            default -> throw new TemplateError("there is no test '" + name + "' in this interpreter");
        };
    }

    private static @Nullable Object argument(String name, Arguments arguments) {
        return arguments.bind("the test '" + name + "'", "other").require(0);
    }
}
