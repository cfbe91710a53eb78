package dev.tern.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's json.dumps, whose spaces models have seen in training. */
final class Json {
    private static final int MAX_DEPTH = 200;

    private final boolean asciiOnly;
    private final @Nullable String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean sorted;
    private final Limits limits;
    private final StringBuilder out = new StringBuilder();

    Json(
            boolean asciiOnly,
            @Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean sorted,
            Limits limits) {
        this.asciiOnly = asciiOnly;
        this.indent = indent;
        this.itemSeparator = itemSeparator;
        this.keySeparator = keySeparator;
        this.sorted = sorted;
        this.limits = limits;
    }

    String write(@Nullable Object value) {
        write(value, 0);
        limits.charge(out.length());
        return out.toString();
    }

    private void write(@Nullable Object value, int depth) {
        limits.step();
        if (depth > MAX_DEPTH) {
            throw new TemplateError("a value is nested more than " + MAX_DEPTH + " levels deep");
        }
        switch (value) {
            case null -> out.append("null");
            case Boolean b -> out.append(b);
            case Long n -> out.append(n);
            case BigInteger n -> out.append(n);
            case Double d -> out.append(real(d));
            case String s -> string(s);
            case List<?> list -> array(list, depth);
            case Tuple tuple -> array(tuple.items(), depth);
            case Map<?, ?> map -> object(map, depth);
            default -> throw new TemplateError(Values.type(value) + " has no JSON form");
        }
    }

    private static String real(double d) {
        return Double.isNaN(d) ? "NaN" : Double.isInfinite(d) ? (d > 0 ? "Infinity" : "-Infinity") : Values.shortest(d);
    }

    private void array(List<?> items, int depth) {
        out.append('[');
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            line(depth + 1);
            write(item, depth + 1);
            separator = itemSeparator;
        }
        if (!items.isEmpty()) {
            line(depth);
        }
        out.append(']');
    }

    private void object(Map<?, ?> map, int depth) {
        List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
        if (sorted) {
            entries.sort(Comparator.comparing(Map.Entry::getKey, Values::compare));
        }
        out.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : entries) {
            out.append(separator);
            line(depth + 1);
            string(key(entry.getKey()));
            out.append(keySeparator);
            write(entry.getValue(), depth + 1);
            separator = itemSeparator;
        }
        if (!entries.isEmpty()) {
            line(depth);
        }
        out.append('}');
    }

    private static String key(@Nullable Object key) {
        return switch (key) {
            case null -> "null";
            case String s -> s;
            case Boolean b -> b.toString();
            case Long n -> n.toString();
            case Double d -> real(d);
            default -> throw new TemplateError(Values.type(key) + " cannot be a key in JSON");
        };
    }

    private void line(int depth) {
        if (indent != null) {
            limits.product(indent.length(), depth);
            out.append('\n').repeat(indent, depth);
        }
    }

    private void string(String s) {
        out.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ' || asciiOnly && c > '~') {
                        out.append("\\u%04x".formatted((int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
