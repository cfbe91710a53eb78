package dev.tern.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Values as Python has them: null is None; then Boolean, Long, Double, String, List, {@link Tuple}, Map,
 * {@link Namespace}, {@link Callable}, {@link Undefined}. Strings are sequences of code points. Integers beyond 64
 * bits, which arguments of a tool may be, are BigInteger and can be printed and compared, no more.
 */
final class Values {
    /** Deeper values than this are no chat's, and could not be printed. */
    private static final int MAX_DEPTH = 200;

    /** What {@link #compare} says of NaN. */
    static final int UNORDERED = 2;

    private Values() {}

    /** A value from Java's world: numbers of any width, any collection and map. */
    static @Nullable Object ofJava(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case Boolean b -> b;
            case String s -> s;
            case Long n -> n;
            case Double d -> d;
            case Integer n -> n.longValue();
            case Short n -> n.longValue();
            case Byte n -> n.longValue();
            case Float f -> f.doubleValue();
            case BigInteger n -> n.bitLength() < Long.SIZE ? (Object) n.longValue() : n;
            case ChatMessage message -> ofJson(message.json());
            case JsonNode json -> ofJson(json);
            case Map<?, ?> map -> {
                Map<@Nullable Object, @Nullable Object> copy = new LinkedHashMap<>();
                map.forEach((k, v) -> copy.put(ofJava(k), ofJava(v)));
                yield copy;
            }
            case Collection<?> items -> {
                List<@Nullable Object> copy = new ArrayList<>();
                items.forEach(item -> copy.add(ofJava(item)));
                yield copy;
            }
            default -> throw new IllegalArgumentException("a template cannot take a " + value.getClass().getName());
        };
    }

    /** JSON as Python's json.loads reads it; objects keep their order. */
    private static @Nullable Object ofJson(JsonNode json) {
        if (json.isObject()) {
            Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
            json.properties().forEach(entry -> map.put(entry.getKey(), ofJson(entry.getValue())));
            return map;
        }
        if (json.isArray()) {
            List<@Nullable Object> list = new ArrayList<>(json.size());
            json.forEach(item -> list.add(ofJson(item)));
            return list;
        }
        return json.isString()
                ? json.stringValue()
                : json.isBoolean()
                        ? (Object) json.booleanValue()
                        : json.isIntegralNumber()
                                ? ofJava(json.bigIntegerValue())
                                : json.isNumber() ? (Object) json.doubleValue() : null;
    }

    static boolean isTrue(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean b -> b;
            case Long n -> n != 0;
            case Double d -> d != 0;
            case String s -> !s.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Tuple tuple -> !tuple.items().isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case Undefined u -> false;
            default -> true;
        };
    }

    /** Python's name of the type, for errors. */
    static String type(@Nullable Object value) {
        return switch (value) {
            case null -> "None";
            case Boolean b -> "a boolean";
            case Long n -> "an integer";
            case BigInteger n -> "an integer beyond 64 bits";
            case Double d -> "a float";
            case String s -> "a string";
            case List<?> list -> "a list";
            case Tuple tuple -> "a tuple";
            case Map<?, ?> map -> "a dict";
            case Undefined u -> "undefined";
            case Namespace n -> "a namespace";
            default -> "a function";
        };
    }

    static String text(@Nullable Object value, String what) {
        if (value instanceof String text) {
            return text;
        }
        throw value instanceof Undefined u ? u.used() : new TemplateError(what + " must be a string, not " + type(value));
    }

    static long integer(@Nullable Object value, String what) {
        return switch (value) {
            case Long n -> n;
            case Boolean b -> b ? 1 : 0;
            case Undefined u -> throw u.used();
            case null, default -> throw new TemplateError(what + " must be an integer, not " + type(value));
        };
    }

    /** What a loop over the value sees. */
    static List<@Nullable Object> items(@Nullable Object value) {
        return switch (value) {
            case List<?> list -> new ArrayList<>(list);
            case Tuple tuple -> tuple.items();
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case String s -> s.codePoints().<@Nullable Object>mapToObj(Character::toString).toList();
            case Undefined u -> List.of();
            case null, default -> throw new TemplateError(type(value) + " cannot be iterated over");
        };
    }

    static long length(@Nullable Object value) {
        return switch (value) {
            case String s -> s.codePointCount(0, s.length());
            case List<?> list -> list.size();
            case Tuple tuple -> tuple.items().size();
            case Map<?, ?> map -> map.size();
            case Undefined u -> 0;
            case null, default -> throw new TemplateError(type(value) + " has no length");
        };
    }

    // ---- str and repr

    /** Python's str(). */
    static String str(@Nullable Object value) {
        if (value instanceof String s) {
            return s;
        }
        if (value instanceof Undefined) {
            return "";
        }
        StringBuilder out = new StringBuilder();
        repr(value, out, 0);
        return out.toString();
    }

    static String repr(@Nullable Object value) {
        StringBuilder out = new StringBuilder();
        repr(value, out, 0);
        return out.toString();
    }

    private static void repr(@Nullable Object value, StringBuilder out, int depth) {
        if (depth > MAX_DEPTH) {
            throw tooDeep();
        }
        if (out.length() > Limits.MAX_SIZE) {
            throw tooLarge();
        }
        switch (value) {
            case null -> out.append("None");
            case Boolean b -> out.append(b ? "True" : "False");
            case Long n -> out.append(n);
            case BigInteger n -> out.append(n);
            case Double d -> out.append(shortest(d));
            case String s -> repr(s, out);
            case List<?> list -> sequence(list, '[', ']', out, depth);
            case Tuple tuple -> {
                sequence(tuple.items(), '(', ')', out, depth);
                if (tuple.items().size() == 1) {
                    out.insert(out.length() - 1, ',');
                }
            }
            case Map<?, ?> map -> dict(map, out, depth);
            case Namespace n -> {
                out.append("<Namespace ");
                dict(n.attributes, out, depth);
                out.append('>');
            }
            case Undefined u -> out.append("Undefined");
            default -> out.append("<function>");
        }
    }

    private static void sequence(List<?> items, char open, char close, StringBuilder out, int depth) {
        out.append(open);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            repr(item, out, depth + 1);
            separator = ", ";
        }
        out.append(close);
    }

    private static void dict(Map<?, ?> map, StringBuilder out, int depth) {
        out.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            repr(entry.getKey(), out, depth + 1);
            out.append(": ");
            repr(entry.getValue(), out, depth + 1);
            separator = ", ";
        }
        out.append('}');
    }

    private static void repr(String s, StringBuilder out) {
        char quote = s.indexOf('\'') >= 0 && s.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        s.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                case '\r' -> out.append("\\r");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append('\\').append(quote);
                    } else if (isPrintable(c)) {
                        out.appendCodePoint(c);
                    } else {
                        out.append(c < 0x100 ? "\\x%02x".formatted(c) : c < 0x10000 ? "\\u%04x".formatted(c) : "\\U%08x".formatted(c));
                    }
                }
            }
        });
        out.append(quote);
    }

    private static boolean isPrintable(int c) {
        return c == ' '
                || switch (Character.getType(c)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.SURROGATE,
                            Character.PRIVATE_USE,
                            Character.UNASSIGNED,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SPACE_SEPARATOR -> false;
                    default -> true;
                };
    }

    /** Python's shortest form: 1.0, 0.0001, 1e-05, 1e+16. */
    static String shortest(double d) {
        if (Double.isNaN(d)) {
            return "nan";
        }
        if (Double.isInfinite(d)) {
            return d > 0 ? "inf" : "-inf";
        }
        if (d == 0) {
            return 1 / d < 0 ? "-0.0" : "0.0";
        }
        BigDecimal exact = new BigDecimal(Double.toString(d)).stripTrailingZeros();
        if (exact.precision() == 2) { // Java never writes fewer digits than two, as in 4.9E-324
            BigDecimal shorter = exact.round(new MathContext(1));
            exact = shorter.doubleValue() == d ? shorter : exact;
        }
        int exponent = exact.precision() - exact.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = exact.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = exact.unscaledValue().abs().toString();
        return (d < 0 ? "-" : "")
                + digits.charAt(0)
                + (digits.length() > 1 ? "." + digits.substring(1) : "")
                + (exponent < 0 ? "e-" : "e+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }

    // ---- comparison

    static boolean isNumber(@Nullable Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static double real(Object number) {
        return number instanceof Double d ? d : number instanceof Boolean b ? (b ? 1 : 0) : (Long) number;
    }

    private static int compareNumbers(Object a, Object b) {
        if (a instanceof Double || b instanceof Double) {
            double x = real(a);
            double y = real(b);
            return x < y ? -1 : x > y ? 1 : x == y ? 0 : UNORDERED;
        }
        return Long.compare(integer(a, ""), integer(b, ""));
    }

    /** Python's ==. */
    static boolean equal(@Nullable Object a, @Nullable Object b) {
        return equal(a, b, 0, new int[1]);
    }

    private static boolean equal(@Nullable Object a, @Nullable Object b, int depth, int[] steps) {
        if (depth > MAX_DEPTH) {
            throw tooDeep();
        }
        if (++steps[0] > Limits.MAX_SIZE) {
            throw tooLarge();
        }
        if (a == null || b == null) {
            return a == b;
        }
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b) == 0;
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            return equalItems(x, y, depth, steps);
        }
        if (a instanceof Tuple x && b instanceof Tuple y) {
            return equalItems(x.items(), y.items(), depth, steps);
        }
        if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
            if (x.size() != y.size()) {
                return false;
            }
            for (Map.Entry<?, ?> entry : x.entrySet()) {
                if (!y.containsKey(entry.getKey()) || !equal(entry.getValue(), y.get(entry.getKey()), depth + 1, steps)) {
                    return false;
                }
            }
            return true;
        }
        return a == b || (a instanceof String || a instanceof BigInteger) && a.equals(b) || a instanceof Undefined && b instanceof Undefined;
    }

    private static boolean equalItems(List<?> a, List<?> b, int depth, int[] steps) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!equal(a.get(i), b.get(i), depth + 1, steps)) {
                return false;
            }
        }
        return true;
    }

    /** Order, where Python has one: numbers, strings, lists and tuples among themselves. */
    static int compare(@Nullable Object a, @Nullable Object b) {
        if (isNumber(a) && isNumber(b)) {
            return compareNumbers(a, b);
        }
        if (a instanceof String x && b instanceof String y) {
            return compareCodePoints(x, y);
        }
        List<?> x = a instanceof List<?> list ? list : a instanceof Tuple t && b instanceof Tuple ? t.items() : null;
        List<?> y = b instanceof List<?> list ? list : b instanceof Tuple t && a instanceof Tuple ? t.items() : null;
        if (x != null && y != null) {
            for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
                if (!equal(x.get(i), y.get(i))) {
                    return compare(x.get(i), y.get(i));
                }
            }
            return Integer.compare(x.size(), y.size());
        }
        if (a instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (b instanceof Undefined undefined) {
            throw undefined.used();
        }
        throw new TemplateError(type(a) + " and " + type(b) + " have no order");
    }

    private static int compareCodePoints(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // Surrogates stand for code points above all others, though not above U+E000…U+FFFF as numbers.
                boolean xHigh = Character.isSurrogate(x);
                return xHigh == Character.isSurrogate(y) ? (x < y ? -1 : 1) : xHigh ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    /** Python's in. */
    static boolean contains(@Nullable Object container, @Nullable Object item) {
        return switch (container) {
            case String s -> s.contains(text(item, "what is looked for in a string"));
            case Map<?, ?> map -> map.containsKey(key(item));
            case List<?> list -> list.stream().anyMatch(each -> equal(each, item));
            case Tuple tuple -> tuple.items().stream().anyMatch(each -> equal(each, item));
            case Undefined u -> false;
            case null, default -> throw new TemplateError("'in' needs something to look in, not " + type(container));
        };
    }

    /** A value by which equal ones are found: 1 and 1.0 are one. */
    static @Nullable Object identity(@Nullable Object value) {
        return value instanceof Double d && d == Math.rint(d) && Math.abs(d) < 1e18 ? (Object) d.longValue() : key(value);
    }

    /** A value as a dict's key. */
    static @Nullable Object key(@Nullable Object value) {
        if (value instanceof List || value instanceof Map) {
            throw new TemplateError(type(value) + " cannot be a key of a dict");
        }
        return value;
    }

    // ---- text

    /** Python's str.isspace. */
    static boolean isSpace(int c) {
        return c == ' '
                || c >= 9 && c <= 13
                || c >= 0x1C && c <= 0x1F
                || c == 0x85
                || c == 0xA0
                || c >= 0x1680 && (Character.getType(c) == Character.SPACE_SEPARATOR || c == 0x2028 || c == 0x2029);
    }

    static String stripStart(String s) {
        int from = 0;
        while (from < s.length() && isSpace(s.charAt(from))) {
            from++;
        }
        return s.substring(from);
    }

    static String stripEnd(String s) {
        int to = s.length();
        while (to > 0 && isSpace(s.charAt(to - 1))) {
            to--;
        }
        return s.substring(0, to);
    }

    private static TemplateError tooLarge() {
        return new TemplateError("a value is larger than any chat needs");
    }

    private static TemplateError tooDeep() {
        return new TemplateError("a value is nested more than " + MAX_DEPTH + " levels deep");
    }
}
