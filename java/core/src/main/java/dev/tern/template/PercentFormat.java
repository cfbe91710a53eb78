package dev.tern.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's {@code 'text %s' % value}: %s %r %c %d %i %x %f %%, with a sign, width and precision. */
final class PercentFormat {
    private static final int MAX_WIDTH = 1000;
    private final Limits limits;

    PercentFormat(Limits limits) {
        this.limits = limits;
    }

    /** @param named the values by name, where the format has {@code %(name)s}; null where they have none */
    String format(String format, List<@Nullable Object> values, @Nullable Map<?, ?> named) {
        StringBuilder out = new StringBuilder();
        int used = 0;
        int at = 0;
        while (at < format.length()) {
            char c = format.charAt(at++);
            if (c != '%') {
                out.append(c);
                continue;
            }
            Object byName = null;
            boolean hasName = format.startsWith("(", at);
            if (hasName) {
                int end = format.indexOf(')', at);
                String name = end < 0 ? "" : format.substring(at + 1, end);
                if (named == null || !named.containsKey(name)) {
                    throw new TemplateError("the format '" + format + "' asks for a name that no dict has");
                }
                byName = named.get(name);
                at = end + 1;
            }
            boolean left = false;
            boolean zeros = false;
            boolean plus = false;
            for (; at < format.length() && "-0+ #".indexOf(format.charAt(at)) >= 0; at++) {
                left |= format.charAt(at) == '-';
                zeros |= format.charAt(at) == '0';
                plus |= format.charAt(at) == '+';
            }
            int digits = digits(format, at);
            int width = number(format, at, digits);
            at = digits;
            if (!hasName && at < format.length() && format.charAt(at) == '*') {
                if (used >= values.size()) {
                    throw new TemplateError("there are fewer values than % in the format '" + format + "'");
                }
                long given = Values.integer(values.get(used++), "a width");
                left |= given < 0;
                width = limits.product(1, Math.min(Math.abs(given), MAX_WIDTH));
                at++;
            }
            int precision = -1;
            if (at < format.length() && format.charAt(at) == '.') {
                digits = digits(format, at + 1);
                precision = number(format, at + 1, digits);
                at = digits;
            }
            if (at >= format.length()) {
                throw new TemplateError("the format '" + format + "' ends within a %");
            }
            char conversion = format.charAt(at++);
            if (conversion == '%') {
                out.append('%');
                continue;
            }
            if (!hasName && used >= values.size()) {
                throw new TemplateError("there are fewer values than % in the format '" + format + "'");
            }
            String text = convert(conversion, hasName ? byName : values.get(used++), precision, plus);
            boolean number = "src".indexOf(conversion) < 0;
            String padding = (zeros && number && !left ? "0" : " ").repeat(Math.max(0, width - text.length()));
            limits.charge(text.length() + padding.length());
            int sign = zeros && number && !left && !text.isEmpty() && (text.charAt(0) == '-' || text.charAt(0) == '+') ? 1 : 0;
            out.append(left ? text + padding : text.substring(0, sign) + padding + text.substring(sign));
        }
        if (used < values.size() && named == null) {
            throw new TemplateError("there are more values than % in the format '" + format + "'");
        }
        return out.toString();
    }

    private static String convert(char conversion, @Nullable Object value, int precision, boolean plus) {
        return switch (conversion) {
            case 's' -> cut(Values.str(value), precision);
            case 'r' -> cut(Values.repr(value), precision);
            case 'd', 'i', 'u' -> signed(
                    Long.toString(value instanceof Double d ? d.longValue() : Values.integer(value, "a value for %d")), plus);
            case 'c' -> value instanceof String s && Values.length(s) == 1
                    ? s
                    : Character.toString(Math.clamp(Values.integer(value, "a value for %c"), 0, Character.MAX_CODE_POINT));
            case 'x' -> {
                long n = Values.integer(value, "a value for %x");
                yield (n < 0 ? "-" : "") + Long.toHexString(Math.abs(n));
            }
            case 'X' -> convert('x', value, precision, plus).toUpperCase(java.util.Locale.ROOT);
            case 'o' -> Long.toString(Values.integer(value, "a value for %o"), 8);
            case 'f' -> {
                if (!Values.isNumber(value)) {
                    throw new TemplateError("a value for %f must be a number, not " + Values.type(value));
                }
                yield signed(fixed(Values.real(value), precision < 0 ? 6 : precision), plus);
            }
            default -> throw new TemplateError("there is no %" + conversion + " in this interpreter");
        };
    }

    static String fixed(double value, int precision) {
        if (!Double.isFinite(value)) {
            return Values.shortest(value);
        }
        String text = new BigDecimal(value).setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
        return value < 0 && !text.startsWith("-") ? "-" + text : text;
    }

    private static String signed(String number, boolean plus) {
        return plus && !number.startsWith("-") ? "+" + number : number;
    }

    private static String cut(String text, int precision) {
        return precision < 0 || precision >= text.length() ? text : text.substring(0, precision);
    }

    private static int digits(String text, int from) {
        int at = from;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at;
    }

    private static int number(String text, int from, int to) {
        if (to - from > 3) {
            throw new TemplateError("a width or precision in a format is over " + MAX_WIDTH);
        }
        return to == from ? 0 : Integer.parseInt(text.substring(from, to));
    }
}
