package dev.tern.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What may follow {@code |}: Jinja2's filters, and transformers' {@code tojson}. */
final class Filters {
    private static final Set<String> NAMES = Set.of(
            "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first", "float", "format",
            "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr",
            "replace", "reverse", "round", "safe", "select", "selectattr", "slice", "sort", "string", "sum", "title", "tojson", "trim",
            "truncate", "unique", "upper", "wordcount");

    private final Evaluator evaluator;
    private final Limits limits;

    Filters(Evaluator evaluator, Limits limits) {
        this.evaluator = evaluator;
        this.limits = limits;
    }

    static boolean exists(String name) {
        return NAMES.contains(name);
    }

    @Nullable Object apply(String name, @Nullable Object value, Arguments args) {
        return switch (name) {
            case "upper" -> plain(name, value, args).toUpperCase(Locale.ROOT);
            case "lower" -> plain(name, value, args).toLowerCase(Locale.ROOT);
            case "capitalize" -> Text.capitalize(plain(name, value, args));
            case "title" -> Text.titleOfWords(plain(name, value, args));
            case "string", "safe" -> plain(name, value, args);
            case "trim" -> Methods.strip(Values.str(value), args.bind(name, "chars").get(0, null), true, true);
            case "length", "count" -> {
                args.bind(name);
                yield Values.length(value);
            }
            case "list" -> {
                args.bind(name);
                yield new ArrayList<>(Values.items(value));
            }
            case "default", "d" -> {
                Arguments.Bound bound = args.bind(name, "default_value", "boolean");
                boolean missing = value instanceof Undefined || bound.flag(1, false) && !Values.isTrue(value);
                yield missing ? bound.get(0, "") : value;
            }
            case "replace" -> {
                Arguments.Bound bound = args.bind(name, "old", "new", "count");
                bound.require(1);
                yield Text.replace(
                        Values.str(value), Values.str(bound.get(0, "")), Values.str(bound.get(1, "")), count(bound), limits);
            }
            case "escape", "e" -> escape(plain(name, value, args));
            case "first" -> {
                List<@Nullable Object> items = Values.items(value);
                yield items.isEmpty() ? new Undefined("the first item of nothing") : items.getFirst();
            }
            case "last" -> {
                List<@Nullable Object> items = Values.items(value);
                yield items.isEmpty() ? new Undefined("the last item of nothing") : items.getLast();
            }
            case "reverse" -> reversed(value);
            case "join" -> join(value, args.bind(name, "d", "attribute"));
            case "int" -> NumberFilters.integer(value, args.bind(name, "default", "base"));
            case "float" -> NumberFilters.real(value, args.bind(name, "default"));
            case "abs" -> NumberFilters.absolute(value);
            case "round" -> NumberFilters.round(value, args.bind(name, "precision", "method"));
            case "indent" -> indent(Values.str(value), args.bind(name, "width", "first", "blank"));
            case "center" -> Text.centered(Values.str(value), args.bind(name, "width").integer(0, 80), limits);
            case "format" -> new PercentFormat(limits)
                    .format(Values.str(value), args.positional(), args.named().isEmpty() ? null : args.named());
            case "wordcount" -> (long) Text.split(Values.str(value), Arguments.NONE, false).size();
            case "tojson" -> json(value, args.bind(name, "ensure_ascii", "indent", "separators", "sort_keys"));
            case "items" -> items(value);
            case "dictsort" -> dictSort(value, args.bind(name, "case_sensitive", "by", "reverse"));
            case "sort" -> sort(value, args.bind(name, "reverse", "case_sensitive", "attribute"));
            case "unique" -> unique(value, args.bind(name, "case_sensitive", "attribute"));
            case "sum" -> sum(value, args.bind(name, "attribute", "start"));
            case "min" -> extreme(value, args.bind(name, "case_sensitive", "attribute"), -1);
            case "max" -> extreme(value, args.bind(name, "case_sensitive", "attribute"), 1);
            case "batch" -> SequenceFilters.batch(value, args.bind(name, "linecount", "fill_with"), limits);
            case "slice" -> SequenceFilters.slice(value, args.bind(name, "slices", "fill_with"), limits);
            case "groupby" -> groupBy(value, args.bind(name, "attribute", "default", "case_sensitive"));
            case "attr" -> evaluator.ownAttribute(value, Values.text(args.bind(name, "name").require(0), "an attribute's name"));
            case "truncate" -> Text.truncated(Values.str(value), args.bind(name, "length", "killwords", "end", "leeway"));
            case "map" -> map(value, args);
            case "select" -> chosen(value, each -> test(each, args, 0));
            case "reject" -> chosen(value, each -> !test(each, args, 0));
            case "selectattr" -> chosen(value, each -> test(path(each, attribute(args)), args, 1));
            case "rejectattr" -> chosen(value, each -> !test(path(each, attribute(args)), args, 1));
            default -> throw new TemplateError("there is no filter '" + name + "' in this interpreter");
        };
    }

    private static String plain(String name, @Nullable Object value, Arguments args) {
        args.bind("the filter '" + name + "'");
        return Values.str(value);
    }

    private static long count(Arguments.Bound bound) {
        return bound.get(2, null) == null ? -1 : bound.integer(2, -1);
    }

    private static String escape(String s) {
        return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;").replace("\"", "&#34;");
    }

    private static Object reversed(@Nullable Object value) {
        if (value instanceof String s) {
            StringBuilder out = new StringBuilder(s.length());
            for (int end = s.length(); end > 0; end -= Character.charCount(s.codePointBefore(end))) {
                out.appendCodePoint(s.codePointBefore(end));
            }
            return out.toString();
        }
        List<@Nullable Object> items = new ArrayList<>(Values.items(value));
        Collections.reverse(items);
        return items;
    }

    private String join(@Nullable Object value, Arguments.Bound bound) {
        String separator = Values.str(bound.get(0, ""));
        StringBuilder out = new StringBuilder();
        boolean first = true;
        for (Object item : Values.items(value)) {
            String text = Values.str(bound.get(1, null) != null ? path(item, bound.require(1)) : item);
            limits.charge(separator.length() + (long) text.length());
            out.append(first ? "" : separator).append(text);
            first = false;
        }
        limits.charge(out.length());
        return out.toString();
    }

    private String indent(String s, Arguments.Bound bound) {
        Object width = bound.get(0, 4L);
        String indent = width instanceof String text ? text : " ".repeat(limits.product(1, Values.integer(width, "a width")));
        boolean blank = bound.flag(2, false);
        List<@Nullable Object> lines = Text.lines(s + "\n", false);
        limits.product(indent.length() + 1L, lines.size());
        StringBuilder out = new StringBuilder(bound.flag(1, false) ? indent : "");
        for (int i = 0; i < lines.size(); i++) {
            String line = Values.str(lines.get(i));
            out.append(i > 0 ? "\n" : "").append(i > 0 && (blank || !line.isEmpty()) ? indent : "").append(line);
        }
        return out.toString();
    }

    private String json(@Nullable Object value, Arguments.Bound bound) {
        Object indent = bound.get(1, null);
        String spaces = indent == null
                ? null
                : indent instanceof String text ? text : " ".repeat(limits.product(1, Values.integer(indent, "an indent")));
        Object separators = bound.get(2, null);
        List<@Nullable Object> pair = separators == null ? List.of(spaces == null ? ", " : ",", ": ") : Values.items(separators);
        if (pair.size() != 2) {
            throw new TemplateError("'tojson' takes two separators");
        }
        return new Json(
                        bound.flag(0, false),
                        spaces,
                        Values.text(pair.get(0), "a separator"),
                        Values.text(pair.get(1), "a separator"),
                        bound.flag(3, false),
                        limits)
                .write(value);
    }

    private static List<@Nullable Object> items(@Nullable Object value) {
        List<@Nullable Object> items = new ArrayList<>();
        if (value instanceof Undefined) {
            return items;
        }
        if (!(value instanceof Map<?, ?> map)) {
            throw new TemplateError("'items' takes a dict, not " + Values.type(value));
        }
        map.forEach((k, v) -> items.add(new Tuple(java.util.Arrays.asList(k, v))));
        return items;
    }

    private List<@Nullable Object> dictSort(@Nullable Object value, Arguments.Bound bound) {
        int by = switch (bound.text(1, "key")) {
            case "key" -> 0;
            case "value" -> 1;
            default -> throw new TemplateError("'dictsort' sorts by key or by value");
        };
        List<@Nullable Object> items = items(value);
        return sorted(items, item -> folded(((Tuple) item).items().get(by), bound.flag(0, false)), bound.flag(2, false));
    }

    private List<@Nullable Object> sort(@Nullable Object value, Arguments.Bound bound) {
        boolean caseSensitive = bound.flag(1, false);
        Object attribute = bound.get(2, null);
        return sorted(
                Values.items(value),
                item -> sortKey(item, attribute, caseSensitive),
                bound.flag(0, false));
    }

    /** By several attributes where commas stand between them. */
    private @Nullable Object sortKey(@Nullable Object item, @Nullable Object attribute, boolean caseSensitive) {
        if (attribute instanceof String names && names.indexOf(',') >= 0) {
            List<@Nullable Object> keys = new ArrayList<>();
            for (String name : names.split(",", -1)) {
                keys.add(folded(path(item, name), caseSensitive));
            }
            return keys;
        }
        return folded(attribute == null ? item : path(item, attribute), caseSensitive);
    }

    private List<@Nullable Object> sorted(
            List<@Nullable Object> items, java.util.function.UnaryOperator<@Nullable Object> key, boolean reverse) {
        limits.charge(items.size());
        Comparator<@Nullable Object> order = (a, b) -> Values.compare(key.apply(a), key.apply(b));
        List<@Nullable Object> sorted = new ArrayList<>(items);
        sorted.sort(reverse ? order.reversed() : order);
        return sorted;
    }

    private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
        return value instanceof String s && !caseSensitive ? s.toLowerCase(Locale.ROOT) : value;
    }

    private List<@Nullable Object> unique(@Nullable Object value, Arguments.Bound bound) {
        Map<@Nullable Object, @Nullable Object> seen = new LinkedHashMap<>();
        for (Object item : Values.items(value)) {
            Object by = bound.get(1, null) == null ? item : path(item, bound.require(1));
            seen.putIfAbsent(Values.identity(folded(by, bound.flag(0, false))), item);
        }
        return new ArrayList<>(seen.values());
    }

    private @Nullable Object sum(@Nullable Object value, Arguments.Bound bound) {
        Object sum = bound.get(1, 0L);
        Operators operators = new Operators(limits);
        for (Object item : Values.items(value)) {
            sum = operators.apply("+", sum, bound.get(0, null) == null ? item : path(item, bound.require(0)));
        }
        return sum;
    }

    private @Nullable Object extreme(@Nullable Object value, Arguments.Bound bound, int sign) {
        Object best = null;
        Object bestKey = null;
        boolean first = true;
        for (Object item : Values.items(value)) {
            Object key = folded(bound.get(1, null) == null ? item : path(item, bound.require(1)), bound.flag(0, false));
            if (first || Values.compare(key, bestKey) == sign) {
                best = item;
                bestKey = key;
                first = false;
            }
        }
        return first ? new Undefined("the least or largest item of nothing") : best;
    }

    private List<@Nullable Object> groupBy(@Nullable Object value, Arguments.Bound bound) {
        Object attribute = bound.require(0);
        Object missing = bound.get(1, null);
        boolean caseSensitive = bound.flag(2, false);
        List<@Nullable Object> items = sorted(
                Values.items(value), item -> folded(path(item, attribute, missing), caseSensitive), false);
        List<@Nullable Object> names = new ArrayList<>();
        List<@Nullable Object> keys = new ArrayList<>();
        for (Object item : items) {
            Object name = path(item, attribute, missing);
            names.add(name);
            keys.add(folded(name, caseSensitive));
        }
        return SequenceFilters.groups(items, keys, names);
    }

    private List<@Nullable Object> map(@Nullable Object value, Arguments args) {
        List<@Nullable Object> mapped = new ArrayList<>();
        boolean byAttribute = args.positional().isEmpty() && args.named().containsKey("attribute");
        if (!byAttribute && args.positional().isEmpty()) {
            throw new TemplateError("'map' needs a filter's name or attribute=");
        }
        for (Object item : Values.isTrue(value) ? Values.items(value) : List.of()) {
            limits.step();
            if (byAttribute) {
                mapped.add(path(item, args.named().get("attribute"), args.named().get("default")));
            } else {
                String filter = Values.text(args.positional().getFirst(), "a filter's name");
                List<@Nullable Object> rest = args.positional().subList(1, args.positional().size());
                mapped.add(apply(filter, item, new Arguments(rest, args.named())));
            }
        }
        return mapped;
    }

    private List<@Nullable Object> chosen(@Nullable Object value, Predicate<@Nullable Object> choice) {
        List<@Nullable Object> chosen = new ArrayList<>();
        for (Object item : Values.isTrue(value) ? Values.items(value) : List.of()) { // none, too, has no items here
            limits.step();
            if (choice.test(item)) {
                chosen.add(item);
            }
        }
        return chosen;
    }

    private static @Nullable Object attribute(Arguments args) {
        if (args.positional().isEmpty()) {
            throw new TemplateError("an attribute's name is missing");
        }
        return args.positional().getFirst();
    }

    /** Whether the test that {@code args} name from {@code first} on holds; without one, whether the value is true. */
    private static boolean test(@Nullable Object value, Arguments args, int first) {
        if (args.positional().size() <= first) {
            return Values.isTrue(value);
        }
        String operator = Values.text(args.positional().get(first), "a test's name");
        String name = switch (operator) {
            case "==" -> "eq";
            case "!=" -> "ne";
            case "<" -> "lt";
            case "<=" -> "le";
            case ">" -> "gt";
            case ">=" -> "ge";
            default -> operator;
        };
        return Tests.apply(
                name, value, new Arguments(args.positional().subList(first + 1, args.positional().size()), args.named()));
    }

    private @Nullable Object path(@Nullable Object value, @Nullable Object attribute) {
        return path(value, attribute, null);
    }

    /** {@code a.b.0}: an item of an item; {@code fallback}, if there is one, for what is missing on the way. */
    private @Nullable Object path(@Nullable Object value, @Nullable Object attribute, @Nullable Object fallback) {
        if (!(attribute instanceof String names)) {
            Object item = evaluator.item(value, attribute);
            return item instanceof Undefined && fallback != null ? fallback : item;
        }
        Object at = value;
        for (String name : names.split("\\.", -1)) {
            boolean number = !name.isEmpty() && name.length() < 10 && name.chars().allMatch(c -> c >= '0' && c <= '9');
            at = evaluator.item(at, number ? (Object) Long.valueOf(name) : name);
            at = at instanceof Undefined && fallback != null ? fallback : at;
        }
        return at;
    }
}
