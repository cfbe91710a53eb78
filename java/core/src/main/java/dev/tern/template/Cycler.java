package dev.tern.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code cycler('odd', 'even')}: its values in turns. */
final class Cycler implements Attributed {
    private final List<@Nullable Object> values;
    private int at;

    Cycler(Arguments arguments) {
        values = arguments.positional();
        if (values.isEmpty()) {
            throw new TemplateError("cycler needs values");
        }
    }

    @Override
    public @Nullable Object attribute(String name) {
        return switch (name) {
            case "current" -> values.get(at);
            case "next" -> (Callable) none -> {
                Object value = values.get(at);
                at = (at + 1) % values.size();
                return value;
            };
            case "reset" -> (Callable) none -> {
                at = 0;
                return null;
            };
            default -> new Undefined("'" + name + "' of a cycler");
        };
    }
}
