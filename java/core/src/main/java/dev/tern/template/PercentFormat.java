package dev.tern.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's {@code 'text %s' % value}: %s %r %c %d %i %x %f %%, with a sign, width and precision. */
final class PercentFormat {
    private static final int MAX_WIDTH = 1000;
    private final Limits limits;

    PercentFormat(Limits limits) {
        this.limits = limits;
    }

    String format(String format, List<@Nullable Object> values) {
        StringBuilder out = new StringBuilder();
        int used = 0;
        int at = 0;
        while (at < format.length()) {
            char c = format.charAt(at++);
            if (c != '%') {
                out.append(c);
                continue;
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
            if (used >= values.size()) {
                throw new TemplateError("there are fewer values than % in the format '" + format + "'");
            }
            String text = convert(conversion, values.get(used++), precision, plus);
            boolean number = "src".indexOf(conversion) < 0;
            String padding = (zeros && number && !left ? "0" : " ").repeat(Math.max(0, width - text.length()));
            limits.charge(text.length() + padding.length());
            int sign = zeros && number && !left && !text.isEmpty() && (text.charAt(0) == '-' || text.charAt(0) == '+') ? 1 : 0;
            out.append(left ? text + padding : text.substring(0, sign) + padding + text.substring(sign));
        }
        if (used < values.size()) {
            throw new TemplateError("there are more values than % in the format '" + format + "'");
        }
        return out.toString();
    }

    private static String convert(char conversion, @Nullable Object value, int precision, boolean plus) {
        return switch (conversion) {
            case 's' -> cut(Values.str(value), precision);
            case 'r' -> cut(Values.repr(value), precision);
            case 'd', 'i' -> signed(
                    Long.toString(value instanceof Double d ? d.longValue() : Values.integer(value, "a value for %d")), plus);
            case 'c' -> value instanceof String s && Values.length(s) == 1
                    ? s
                    : Character.toString(Math.clamp(Values.integer(value, "a value for %c"), 0, Character.MAX_CODE_POINT));
            case 'x' -> {
                long n = Values.integer(value, "a value for %x");
                yield (n < 0 ? "-" : "") + Long.toHexString(Math.abs(n));
            }
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
