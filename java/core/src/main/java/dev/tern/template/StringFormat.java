package dev.tern.template;

import org.jspecify.annotations.Nullable;

/**
 * Python's {@code 'text {} {0} {name.key[0]!r:>8.2f}'.format(…)}: fields by order, number or name, with items of them,
 * and specifications of fill, alignment, sign, zeros, width, thousands, precision and the types s, d, f, x, X, o, b, %
 * and c.
 */
final class StringFormat {
    private static final int MAX_WIDTH = 1000;

    private final String format;
    private final Arguments arguments;
    private final Evaluator evaluator;
    private final Limits limits;
    private int at;
    private int next; // of fields without a number; -1 once a field has one

    StringFormat(String format, Arguments arguments, Evaluator evaluator, Limits limits) {
        this.format = format;
        this.arguments = arguments;
        this.evaluator = evaluator;
        this.limits = limits;
    }

    String formatted() {
        StringBuilder out = new StringBuilder();
        while (at < format.length()) {
            char c = format.charAt(at++);
            if (c != '{' && c != '}') {
                out.append(c);
            } else if (at < format.length() && format.charAt(at) == c) {
                out.append(c);
                at++;
            } else if (c == '{') {
                String text = field();
                limits.charge(text.length());
                out.append(text);
            } else {
                throw wrong("has a '}' that closes nothing");
            }
        }
        limits.charge(out.length());
        return out.toString();
    }

    private TemplateError wrong(String problem) {
        return new TemplateError("the format '" + format + "' " + problem);
    }

    private String field() {
        int end = at;
        for (int open = 1; open > 0; end++) {
            if (end == format.length()) {
                throw wrong("ends within a field");
            }
            open += format.charAt(end) == '{' ? 1 : format.charAt(end) == '}' ? -1 : 0;
        }
        String field = format.substring(at, end - 1);
        at = end;
        int colon = field.indexOf(':');
        String name = colon < 0 ? field : field.substring(0, colon);
        String specification = colon < 0 ? "" : field.substring(colon + 1);
        if (specification.indexOf('{') >= 0) {
            throw wrong("has a field within a field, which this interpreter does not know");
        }
        int conversion = name.indexOf('!');
        Object value = value(conversion < 0 ? name : name.substring(0, conversion));
        if (conversion >= 0) {
            value = switch (name.substring(conversion + 1)) {
                case "r" -> Values.repr(value);
                case "s" -> Values.str(value);
                default -> throw wrong("has a conversion that is neither !r nor !s");
            };
        }
        return FormatSpecification.parse(specification).format(value, specification);
    }

    private @Nullable Object value(String path) {
        int end = 0;
        while (end < path.length() && path.charAt(end) != '.' && path.charAt(end) != '[') {
            end++;
        }
        Object value = argument(path.substring(0, end));
        while (end < path.length()) {
            boolean attribute = path.charAt(end) == '.';
            int from = end + 1;
            end = from;
            while (end < path.length() && (attribute ? ".[" : "]").indexOf(path.charAt(end)) < 0) {
                end++;
            }
            String key = path.substring(from, end);
            if (attribute) {
                value = evaluator.attribute(value, key);
            } else {
                value = evaluator.item(value, isNumber(key) ? (Object) Long.valueOf(key) : key);
                end++;
            }
            if (value instanceof Undefined u) {
                throw u.used();
            }
        }
        return value;
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty() && text.length() < 6 && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private @Nullable Object argument(String name) {
        if (!name.isEmpty() && !isNumber(name)) {
            if (!arguments.named().containsKey(name)) {
                throw wrong("asks for '" + name + "', which is not given");
            }
            return arguments.named().get(name);
        }
        if (name.isEmpty() ? next < 0 : next > 0) {
            throw wrong("mixes fields with and without numbers");
        }
        int index = name.isEmpty() ? next++ : Integer.parseInt(name);
        next = name.isEmpty() ? next : -1;
        if (index >= arguments.positional().size()) {
            throw wrong("asks for more values than are given");
        }
        return arguments.positional().get(index);
    }

    /** {@code [[fill]align][sign][0][width][,][.precision][type]}. */
    private record FormatSpecification(
            String fill, char align, char sign, boolean zeros, int width, char thousands, int precision, char type) {

        static FormatSpecification parse(String text) {
            int[] code = text.codePoints().toArray();
            int at = 0;
            String fill = " ";
            char align = 0;
            if (code.length > 1 && "<>^=".indexOf(code[1]) >= 0) {
                fill = Character.toString(code[0]);
                align = (char) code[1];
                at = 2;
            } else if (code.length > 0 && "<>^=".indexOf(code[0]) >= 0) {
                align = (char) code[0];
                at = 1;
            }
            char sign = at < code.length && "+- ".indexOf(code[at]) >= 0 ? (char) code[at++] : '-';
            boolean zeros = at < code.length && code[at] == '0';
            at += zeros ? 1 : 0;
            int width = 0;
            while (at < code.length && code[at] >= '0' && code[at] <= '9' && width <= MAX_WIDTH) {
                width = width * 10 + code[at++] - '0';
            }
            char thousands = at < code.length && (code[at] == ',' || code[at] == '_') ? (char) code[at++] : 0;
            int precision = -1;
            if (at < code.length && code[at] == '.') {
                precision = 0;
                int from = ++at;
                while (at < code.length && code[at] >= '0' && code[at] <= '9' && precision <= MAX_WIDTH) {
                    precision = precision * 10 + code[at++] - '0';
                }
                precision = at == from ? MAX_WIDTH + 1 : precision;
            }
            char type = at < code.length ? (char) code[at++] : 0;
            if (at < code.length || width > MAX_WIDTH || precision > MAX_WIDTH) {
                throw new TemplateError("the format specification '" + text + "' is none that this interpreter knows");
            }
            return new FormatSpecification(fill, align, sign, zeros, width, thousands, precision, type);
        }

        String format(@Nullable Object value, String text) {
            if (!Values.isNumber(value) || value instanceof Boolean && text.isEmpty()) {
                if (!(value instanceof String) && !text.isEmpty() && !(value instanceof Undefined)) {
                    throw new TemplateError(Values.type(value) + " cannot be formatted as '" + text + "'");
                }
                if (type != 0 && type != 's' || sign != '-' || thousands != 0 || align == '=') {
                    throw new TemplateError("a string cannot be formatted as '" + text + "'");
                }
                String s = Values.str(value);
                boolean longer = precision >= 0 && Values.length(s) > precision;
                String cut = longer ? s.substring(0, s.offsetByCodePoints(0, precision)) : s;
                return padded("", cut, zeros ? "0" : fill, align == 0 ? '<' : align);
            }
            String digits = digits(value, text);
            boolean negative = digits.startsWith("-");
            String front = negative ? "-" : sign == '-' ? "" : Character.toString(sign);
            return padded(
                    front,
                    negative ? digits.substring(1) : digits,
                    zeros && align == 0 ? "0" : fill,
                    align != 0 ? align : zeros ? '=' : '>');
        }

        private String digits(Object value, String text) {
            boolean real = value instanceof Double;
            switch (type) {
                case 'f', 'F', '%' -> {
                    double d = Values.real(value) * (type == '%' ? 100 : 1);
                    return grouped(PercentFormat.fixed(d, precision < 0 ? 6 : precision)) + (type == '%' ? "%" : "");
                }
                case 0 -> {
                    if (real && precision < 0) {
                        return grouped(Values.shortest((Double) value));
                    }
                }
                case 'd', 'n', 'x', 'X', 'o', 'b', 'c' -> { }
                default ->
                    throw new TemplateError("the format type '" + type + "' is none that this interpreter knows");
            }
            if (real || precision >= 0) {
                throw new TemplateError(Values.type(value) + " cannot be formatted as '" + text + "'");
            }
            long n = Values.integer(value, "");
            return switch (type) {
                case 'x' -> Long.toString(n, 16);
                case 'X' -> Long.toString(n, 16).toUpperCase(java.util.Locale.ROOT);
                case 'o' -> Long.toString(n, 8);
                case 'b' -> Long.toString(n, 2);
                case 'c' -> Character.toString(Math.clamp(n, 0, Character.MAX_CODE_POINT));
                default -> grouped(Long.toString(n));
            };
        }

        private String grouped(String number) {
            if (thousands == 0 || !number.matches("-?[0-9]+(\\.[0-9]+)?")) {
                return number;
            }
            int point = number.indexOf('.');
            String whole = point < 0 ? number : number.substring(0, point);
            return whole.replaceAll("(?<=[0-9])(?=([0-9]{3})+$)", Character.toString(thousands))
                    + (point < 0 ? "" : number.substring(point));
        }

        private String padded(String front, String text, String filling, char alignment) {
            int missing = (int) Math.max(0, width - Values.length(front) - Values.length(text));
            int left = switch (alignment) {
                case '<' -> 0;
                case '^' -> missing / 2;
                default -> missing;
            };
            return alignment == '='
                    ? front + filling.repeat(missing) + text
                    : filling.repeat(left) + front + text + filling.repeat(missing - left);
        }
    }
}
