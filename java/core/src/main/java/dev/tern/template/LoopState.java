package dev.tern.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}. */
final class LoopState implements Attributed {
    private final List<@Nullable Object> items;
    private final long depth;
    private final @Nullable Callable recursion;
    private int index = -1;
    private @Nullable List<@Nullable Object> lastChecked;

    /**
     * @param depth from 1, of loops within themselves
     * @param recursion {@code loop(items)}; null where the loop is not recursive
     */
    LoopState(List<@Nullable Object> items, long depth, @Nullable Callable recursion) {
        this.items = items;
        this.depth = depth;
        this.recursion = recursion;
    }

    @Nullable Callable recursion() {
        return recursion;
    }

    void next() {
        index++;
    }

    @Override
    public @Nullable Object attribute(String name) {
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) items.size() - index;
            case "revindex0" -> items.size() - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == items.size() - 1;
            case "length" -> (long) items.size();
            case "depth" -> depth;
            case "depth0" -> depth - 1;
            case "previtem" -> index > 0 ? items.get(index - 1) : new Undefined("the item before the first");
            case "nextitem" -> index + 1 < items.size() ? items.get(index + 1) : new Undefined("the item after the last");
            case "cycle" -> (Callable) this::cycle;
            case "changed" -> (Callable) this::changed;
            default -> new Undefined("'" + name + "' of the loop");
        };
    }

    private @Nullable Object cycle(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw new TemplateError("loop.cycle needs values");
        }
        return arguments.positional().get(index % arguments.positional().size());
    }

    private Object changed(Arguments arguments) {
        boolean changed = lastChecked == null || !Values.equal(lastChecked, arguments.positional());
        lastChecked = arguments.positional();
        return changed;
    }
}
