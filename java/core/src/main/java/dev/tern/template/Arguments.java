package dev.tern.template;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computed arguments. */
record Arguments(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());
    private static final Object ABSENT = new Object();

    /** Assigns the arguments to parameters, in this order and by these names. */
    Bound bind(String callee, String... parameters) {
        if (positional.size() > parameters.length) {
            throw new TemplateError(callee + " takes " + parameters.length + " arguments at most, not " + positional.size());
        }
        @Nullable Object[] values = new Object[parameters.length];
        Arrays.fill(values, ABSENT);
        for (int i = 0; i < positional.size(); i++) {
            values[i] = positional.get(i);
        }
        for (Map.Entry<String, @Nullable Object> entry : named.entrySet()) {
            int index = Arrays.asList(parameters).indexOf(entry.getKey());
            if (index < 0 || values[index] != ABSENT) {
                throw new TemplateError(callee + (index < 0 ? " takes no argument '" : " is given twice its argument '")
                        + entry.getKey() + "'");
            }
            values[index] = entry.getValue();
        }
        return new Bound(callee, parameters, values);
    }

    /** Arguments by parameter. */
    record Bound(String callee, String[] parameters, @Nullable Object[] values) {
        boolean has(int index) {
            return values[index] != ABSENT;
        }

        @Nullable Object get(int index, @Nullable Object fallback) {
            return has(index) ? values[index] : fallback;
        }

        @Nullable Object require(int index) {
            if (!has(index)) {
                throw new TemplateError(callee + " needs its argument '" + parameters[index] + "'");
            }
            return values[index];
        }

        boolean flag(int index, boolean fallback) {
            return has(index) ? Values.isTrue(values[index]) : fallback;
        }

        long integer(int index, long fallback) {
            return has(index) ? Values.integer(values[index], callee + "'s argument '" + parameters[index] + "'") : fallback;
        }

        String text(int index, String fallback) {
            return has(index) ? Values.text(values[index], callee + "'s argument '" + parameters[index] + "'") : fallback;
        }
    }
}
