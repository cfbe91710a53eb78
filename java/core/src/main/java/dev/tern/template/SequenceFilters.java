package dev.tern.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Filters that put the items of a sequence together: {@code batch}, {@code slice}, {@code groupby}. */
final class SequenceFilters {
    private SequenceFilters() {}

    /** Rows of so many items. */
    static List<@Nullable Object> batch(@Nullable Object value, Arguments.Bound bound, Limits limits) {
        bound.require(0);
        long size = bound.integer(0, 1);
        if (size < 1) {
            throw new TemplateError("'batch' needs a size of 1 or more");
        }
        List<@Nullable Object> batches = new ArrayList<>();
        List<@Nullable Object> batch = new ArrayList<>();
        for (Object item : Values.items(value)) {
            if (batch.size() == size) {
                batches.add(batch);
                batch = new ArrayList<>();
            }
            batch.add(item);
        }
        if (!batch.isEmpty()) {
            if (bound.get(1, null) != null) {
                limits.charge(size - batch.size());
                while (batch.size() < size) {
                    batch.add(bound.require(1));
                }
            }
            batches.add(batch);
        }
        return batches;
    }

    /** So many columns, the first ones longer by one where the items do not come out even. */
    static List<@Nullable Object> slice(@Nullable Object value, Arguments.Bound bound, Limits limits) {
        bound.require(0);
        long slices = bound.integer(0, 1);
        if (slices < 1) {
            throw new TemplateError("'slice' needs a number of 1 or more");
        }
        limits.chargeItems(slices);
        List<@Nullable Object> items = Values.items(value);
        int each = (int) (items.size() / slices);
        int longer = (int) (items.size() % slices);
        List<@Nullable Object> columns = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < slices; i++) {
            int to = from + each + (i < longer ? 1 : 0);
            List<@Nullable Object> column = new ArrayList<>(items.subList(from, to));
            if (bound.get(1, null) != null && i >= longer) {
                column.add(bound.require(1));
            }
            columns.add(column);
            from = to;
        }
        return columns;
    }

    /**
     * Groups of neighbours with the same key, each a tuple of the first one's key and the items.
     *
     * @param items in the order of their keys
     * @param keys of these, as they are compared
     * @param names of these, as the groups show them
     */
    static List<@Nullable Object> groups(
            List<@Nullable Object> items, List<@Nullable Object> keys, List<@Nullable Object> names) {
        List<@Nullable Object> groups = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= items.size(); i++) {
            if (i == items.size() || !Values.equal(keys.get(i), keys.get(from))) {
                groups.add(Tuple.group(names.get(from), new ArrayList<>(items.subList(from, i))));
                from = i;
            }
        }
        return groups;
    }
}
