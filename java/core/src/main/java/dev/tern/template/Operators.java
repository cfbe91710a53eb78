package dev.tern.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Arithmetic, items and slices with Python's meaning. */
final class Operators {
    private final Limits limits;

    Operators(Limits limits) {
        this.limits = limits;
    }

    @Nullable Object apply(String operator, @Nullable Object a, @Nullable Object b) {
        if (a instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (b instanceof Undefined undefined) {
            throw undefined.used();
        }
        if (Values.isNumber(a) && Values.isNumber(b)) {
            return a instanceof Double || b instanceof Double || operator.equals("/")
                    ? real(operator, Values.real(a), Values.real(b))
                    : integer(operator, Values.integer(a, ""), Values.integer(b, ""));
        }
        switch (operator) {
            case "+" -> {
                if (a instanceof String x && b instanceof String y) {
                    limits.charge((long) x.length() + y.length());
                    return x + y;
                }
                if (a instanceof List<?> x && b instanceof List<?> y) {
                    return joined(x, y);
                }
                if (a instanceof Tuple x && b instanceof Tuple y) {
                    return new Tuple(joined(x.items(), y.items()));
                }
            }
            case "*" -> {
                Object sequence = Values.isNumber(a) ? b : a;
                Object count = Values.isNumber(a) ? a : b;
                if (count instanceof Long || count instanceof Boolean) {
                    long times = Math.max(0, Values.integer(count, ""));
                    if (sequence instanceof String s) {
                        limits.product(s.length(), times);
                        return s.isEmpty() ? s : s.repeat((int) times);
                    }
                    if (sequence instanceof List<?> list) {
                        return repeated(list, times);
                    }
                    if (sequence instanceof Tuple tuple) {
                        return new Tuple(repeated(tuple.items(), times));
                    }
                }
            }
            case "%" -> {
                if (a instanceof String format) {
                    return new PercentFormat(limits)
                            .format(
                                    format,
                                    b instanceof Tuple t ? t.items() : nullableList(b),
                                    b instanceof java.util.Map<?, ?> map ? map : null);
                }
            }
            default -> { }
        }
        throw new TemplateError("'" + operator + "' cannot take " + Values.type(a) + " and " + Values.type(b));
    }

    private static List<@Nullable Object> nullableList(@Nullable Object item) {
        List<@Nullable Object> list = new ArrayList<>(1);
        list.add(item);
        return list;
    }

    private List<@Nullable Object> joined(List<?> a, List<?> b) {
        limits.chargeItems((long) a.size() + b.size());
        List<@Nullable Object> joined = new ArrayList<>(a);
        joined.addAll(b);
        return joined;
    }

    private List<@Nullable Object> repeated(List<?> list, long times) {
        int size = limits.product(list.size(), times);
        limits.chargeItems(size);
        List<@Nullable Object> repeated = new ArrayList<>(size);
        while (repeated.size() < size) {
            repeated.addAll(list);
        }
        return repeated;
    }

    private static Object real(String operator, double a, double b) {
        if (b == 0 && !operator.equals("+") && !operator.equals("-") && !operator.equals("*") && !operator.equals("**")) {
            throw new TemplateError("division by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> {
                double rest = a % b;
                yield rest != 0 && rest < 0 != b < 0 ? rest + b : rest;
            }
            default -> Math.pow(a, b);
        };
    }

    private static Object integer(String operator, long a, long b) {
        try {
            return switch (operator) {
                case "+" -> Math.addExact(a, b);
                case "-" -> Math.subtractExact(a, b);
                case "*" -> Math.multiplyExact(a, b);
                case "//" -> Math.floorDivExact(a, b);
                case "%" -> Math.floorMod(a, b);
                default -> power(a, b);
            };
        } catch (ArithmeticException e) {
            throw new TemplateError(b == 0
                    ? "division by zero"
                    : "the result of '" + operator + "' is larger than this interpreter's integers, 64 bits");
        }
    }

    private static Object power(long a, long b) {
        if (b < 0) {
            return Math.pow(a, b);
        }
        if (b > 64 && Math.abs(a) > 1) {
            throw new ArithmeticException();
        }
        return BigInteger.valueOf(a).pow(Math.abs(a) > 1 ? (int) b : (int) Math.min(b, 2 + b % 2)).longValueExact();
    }

    /** {@code value[index]}, undefined where there is none. */
    @Nullable Object item(@Nullable Object value, @Nullable Object index) {
        switch (value) {
            case java.util.Map<?, ?> map -> {
                Object key = index instanceof List || index instanceof java.util.Map ? index : Values.key(index);
                return map.containsKey(key) ? map.get(key) : missing(index);
            }
            case Undefined u -> throw u.used();
            case String s when index instanceof Long || index instanceof Boolean -> {
                long at = position(Values.integer(index, ""), Values.length(s));
                if (at < 0) {
                    return missing(index);
                }
                int offset = s.offsetByCodePoints(0, (int) at);
                return Character.toString(s.codePointAt(offset));
            }
            case List<?> list when index instanceof Long || index instanceof Boolean -> {
                return element(list, index);
            }
            case Tuple tuple when index instanceof Long || index instanceof Boolean -> {
                return element(tuple.items(), index);
            }
            case null, default -> {
                return missing(index);
            }
        }
    }

    private static @Nullable Object element(List<?> list, Object index) {
        long at = position(Values.integer(index, ""), list.size());
        return at < 0 ? missing(index) : list.get((int) at);
    }

    private static long position(long index, long length) {
        long at = index < 0 ? index + length : index;
        return at < length ? at : -1;
    }

    static Undefined missing(@Nullable Object index) {
        return new Undefined("the item " + Values.repr(index));
    }

    Object slice(@Nullable Object value, @Nullable Object start, @Nullable Object stop, @Nullable Object step) {
        return switch (value) {
            case String s -> {
                int[] codePoints = s.codePoints().toArray();
                StringBuilder part = new StringBuilder();
                for (int i : indices(codePoints.length, start, stop, step)) {
                    part.appendCodePoint(codePoints[i]);
                }
                yield part.toString();
            }
            case List<?> list -> part(list, start, stop, step);
            case Tuple tuple -> new Tuple(part(tuple.items(), start, stop, step));
            case Undefined u -> throw u.used();
            case null, default -> throw new TemplateError(Values.type(value) + " cannot be sliced");
        };
    }

    private List<@Nullable Object> part(
            List<?> list, @Nullable Object start, @Nullable Object stop, @Nullable Object step) {
        List<@Nullable Object> part = new ArrayList<>();
        for (int i : indices(list.size(), start, stop, step)) {
            part.add(list.get(i));
        }
        return part;
    }

    private int[] indices(int length, @Nullable Object start, @Nullable Object stop, @Nullable Object step) {
        long by = step == null ? 1 : Values.integer(step, "a slice's step");
        if (by == 0) {
            throw new TemplateError("a slice's step cannot be 0");
        }
        long first = bound(start, length, by > 0 ? 0 : length - 1, by);
        long end = bound(stop, length, by > 0 ? length : -1, by);
        limits.charge(length);
        return by > 0
                ? java.util.stream.LongStream.iterate(first, i -> i < end, i -> by > length ? end : i + by).mapToInt(i -> (int) i).toArray()
                : java.util.stream.LongStream.iterate(first, i -> i > end, i -> -by > length || by == Long.MIN_VALUE ? end : i + by)
                        .mapToInt(i -> (int) i)
                        .toArray();
    }

    private static long bound(@Nullable Object index, int length, long fallback, long by) {
        if (index == null) {
            return fallback;
        }
        long at = Values.integer(index, "a slice's bound");
        if (at < 0) {
            at = at < -length ? -1 : at + length;
            return at < 0 ? (by > 0 ? 0 : -1) : at;
        }
        return Math.min(at, by > 0 ? length : length - 1);
    }
}
