package dev.tern.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A macro, or what stands in a call block. */
record Macro(String name, List<String> parameters, Callable body) implements Callable, Attributed {
    @Override
    public @Nullable Object call(Arguments arguments) {
        return body.call(arguments);
    }

    @Override
    public @Nullable Object attribute(String attribute) {
        return switch (attribute) {
            case "name" -> name;
            case "arguments" -> new Tuple(List.copyOf(parameters));
            default -> new Undefined("'" + attribute + "' of a macro");
        };
    }
}
