package dev.tern.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Filters that make numbers, of text or of numbers: {@code int}, {@code float}, {@code abs}, {@code round}. */
final class NumberFilters {
    private NumberFilters() {}

    static @Nullable Object integer(@Nullable Object value, Arguments.Bound bound) {
        if (value instanceof Undefined u) {
            throw u.used();
        }
        if (value instanceof Double d && Double.isFinite(d)) {
            return d.longValue();
        }
        if (Values.isNumber(value) && !(value instanceof Double)) {
            return Values.integer(value, "");
        }
        if (value instanceof String s) {
            String digits = Methods.strip(s, null, true, true).replace("_", "");
            int radix = Math.clamp(bound.integer(1, 10), 2, 36);
            try {
                String prefix = radix == 16 ? "0x" : radix == 8 ? "0o" : radix == 2 ? "0b" : "\0";
                return Long.parseLong(digits.toLowerCase(Locale.ROOT).replaceFirst("^([-+]?)" + prefix, "$1"), radix);
            } catch (NumberFormatException notAnInteger) {
                Double d = parsed(s);
                if (d != null && Double.isFinite(d)) {
                    return d.longValue();
                }
            }
        }
        return bound.get(0, 0L);
    }

    static @Nullable Object real(@Nullable Object value, Arguments.Bound bound) {
        if (value instanceof Undefined u) {
            throw u.used();
        }
        if (Values.isNumber(value)) {
            return Values.real(value);
        }
        Double d = value instanceof String s ? parsed(s) : null;
        return d != null ? d : bound.get(0, 0.0);
    }

    private static @Nullable Double parsed(String s) {
        String text = Methods.strip(s, null, true, true).replace("_", "");
        String lower = text.toLowerCase(Locale.ROOT).replaceFirst("^[-+]", "");
        if (lower.equals("inf") || lower.equals("infinity") || lower.equals("nan")) {
            return lower.equals("nan") ? Double.NaN : text.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        // Java alone would read "1f", "0x1p3" and "NaN", too.
        return text.matches("[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?") ? Double.valueOf(text) : null;
    }

    static Object absolute(@Nullable Object value) {
        if (value instanceof Double d) {
            return Math.abs(d);
        }
        return Math.absExact(Values.integer(value, "what 'abs' takes"));
    }

    static Object round(@Nullable Object value, Arguments.Bound bound) {
        if (!Values.isNumber(value)) {
            throw value instanceof Undefined u ? u.used() : new TemplateError("'round' takes a number, not " + Values.type(value));
        }
        int precision = Math.clamp(bound.integer(0, 0), -400, 400);
        String method = bound.text(1, "common");
        RoundingMode mode = switch (method) {
            case "common" -> RoundingMode.HALF_EVEN;
            case "ceil" -> RoundingMode.CEILING;
            case "floor" -> RoundingMode.FLOOR;
            default -> throw new TemplateError("'round' knows common, ceil and floor, not '" + method + "'");
        };
        if (!(value instanceof Double) && method.equals("common")) {
            long n = Values.integer(value, "");
            return precision >= 0 ? n : BigDecimal.valueOf(n).setScale(precision, mode).longValue();
        }
        double d = Values.real(value);
        return Double.isFinite(d) ? new BigDecimal(d).setScale(precision, mode).doubleValue() : d;
    }
}
