package dev.tern.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Python's tuple.
 *
 * @param group whether it is one of {@code groupby}, whose items have the names {@code grouper} and {@code list}
 */
record Tuple(List<@Nullable Object> items, boolean group) {
    Tuple(List<@Nullable Object> items) {
        this(items, false);
    }

    static Tuple group(@Nullable Object grouper, List<@Nullable Object> list) {
        List<@Nullable Object> items = new ArrayList<>();
        items.add(grouper);
        items.add(list);
        return new Tuple(items, true);
    }
}
