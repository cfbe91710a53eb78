package dev.tern.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The methods of strings, dicts and lists that change nothing; those that would are not there, as in Jinja2's sandbox.
 */
final class Methods {
    private final Evaluator evaluator;
    private final Limits limits;

    Methods(Evaluator evaluator, Limits limits) {
        this.evaluator = evaluator;
        this.limits = limits;
    }

    @Nullable Callable find(@Nullable Object target, String name) {
        return switch (target) {
            case String s -> ofString(s, name);
            case Map<?, ?> map -> ofDict(map, name);
            case List<?> list -> ofSequence(list, name);
            case Tuple tuple -> ofSequence(tuple.items(), name);
            case null, default -> null;
        };
    }

    private @Nullable Callable ofDict(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> args -> {
                List<@Nullable Object> items = new ArrayList<>();
                map.forEach((key, value) -> items.add(new Tuple(java.util.Arrays.asList(key, value))));
                return items;
            };
            case "keys" -> args -> new ArrayList<@Nullable Object>(map.keySet());
            case "values" -> args -> new ArrayList<@Nullable Object>(map.values());
            case "get" -> args -> {
                Arguments.Bound bound = args.bind("get", "key", "default");
                Object key = Values.key(bound.require(0));
                return map.containsKey(key) ? map.get(key) : bound.get(1, null);
            };
            case "copy" -> args -> new LinkedHashMap<@Nullable Object, @Nullable Object>(map);
            default -> null;
        };
    }

    private @Nullable Callable ofSequence(List<?> list, String name) {
        return switch (name) {
            case "index" -> args -> {
                Object sought = args.bind("index", "value").require(0);
                for (int i = 0; i < list.size(); i++) {
                    if (Values.equal(list.get(i), sought)) {
                        return (long) i;
                    }
                }
                throw new TemplateError(Values.repr(sought) + " is not in the list");
            };
            case "count" -> args -> {
                Object sought = args.bind("count", "value").require(0);
                return list.stream().filter(item -> Values.equal(item, sought)).count();
            };
            case "copy" -> args -> new ArrayList<@Nullable Object>(list);
            default -> null;
        };
    }

    private @Nullable Callable ofString(String s, String name) {
        return switch (name) {
            case "strip" -> args -> strip(s, args.bind(name, "chars").get(0, null), true, true);
            case "lstrip" -> args -> strip(s, args.bind(name, "chars").get(0, null), true, false);
            case "rstrip" -> args -> strip(s, args.bind(name, "chars").get(0, null), false, true);
            case "upper" -> plain(name, () -> s.toUpperCase(Locale.ROOT));
            case "lower" -> plain(name, () -> s.toLowerCase(Locale.ROOT));
            case "capitalize" -> plain(name, () -> Text.capitalize(s));
            case "title" -> plain(name, () -> Text.title(s));
            case "swapcase" -> plain(name, () -> Text.swapCase(s));
            case "isdigit" -> plain(name, () -> allAre(s, Methods::isDigit));
            case "isalpha" -> plain(name, () -> allAre(s, Character::isLetter));
            case "isalnum" -> plain(name, () -> allAre(s, c -> Character.isLetter(c) || Character.isDigit(c) || isNumber(c)));
            case "isspace" -> plain(name, () -> allAre(s, Values::isSpace));
            case "isupper" -> plain(name, () -> Text.isCased(s) && s.equals(s.toUpperCase(Locale.ROOT)));
            case "islower" -> plain(name, () -> Text.isCased(s) && s.equals(s.toLowerCase(Locale.ROOT)));
            case "startswith" -> args -> affix(s, args, name, String::startsWith);
            case "endswith" -> args -> affix(s, args, name, String::endsWith);
            case "find" -> args -> Sought.in(s, args, name).position(false);
            case "rfind" -> args -> Sought.in(s, args, name).position(true);
            case "index" -> args -> {
                long at = Sought.in(s, args, name).position(false);
                if (at < 0) {
                    throw new TemplateError("the string does not contain what is looked for");
                }
                return at;
            };
            case "count" -> args -> Sought.in(s, args, name).count();
            case "center" -> args -> Text.centered(s, width(args, name), limits);
            case "ljust" -> args -> s + " ".repeat(limits.product(1, width(args, name) - Values.length(s)));
            case "rjust" -> args -> " ".repeat(limits.product(1, width(args, name) - Values.length(s))) + s;
            case "removeprefix" -> args -> {
                String prefix = text(args, name, "prefix");
                return s.startsWith(prefix) ? s.substring(prefix.length()) : s;
            };
            case "removesuffix" -> args -> {
                String suffix = text(args, name, "suffix");
                return s.endsWith(suffix) ? s.substring(0, s.length() - suffix.length()) : s;
            };
            case "replace" -> args -> {
                Arguments.Bound bound = args.bind(name, "old", "new", "count");
                bound.require(1);
                return Text.replace(s, bound.text(0, ""), bound.text(1, ""), bound.integer(2, -1), limits);
            };
            case "split" -> args -> Text.split(s, args, false);
            case "rsplit" -> args -> Text.split(s, args, true);
            case "splitlines" -> args -> Text.lines(s, args.bind(name, "keepends").flag(0, false));
            case "partition" -> args -> partition(s, text(args, name, "sep"), s.indexOf(text(args, name, "sep")), false);
            case "rpartition" -> args -> partition(s, text(args, name, "sep"), s.lastIndexOf(text(args, name, "sep")), true);
            case "join" -> args -> {
                StringBuilder joined = new StringBuilder();
                String separator = "";
                for (Object item : Values.items(args.bind(name, "iterable").require(0))) {
                    String text = Values.text(item, "each item to join");
                    limits.charge(separator.length() + (long) text.length());
                    joined.append(separator).append(text);
                    separator = s;
                }
                return joined.toString();
            };
            case "format" -> args -> new StringFormat(s, args, evaluator, limits).formatted();
            case "casefold" -> plain(name, () -> s.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT));
            case "isascii" -> plain(name, () -> s.chars().allMatch(c -> c < 0x80));
            case "isdecimal" -> plain(name, () -> allAre(s, Character::isDigit));
            case "isnumeric" -> plain(name, () -> allAre(s, c -> Character.isDigit(c) || isNumber(c)));
            case "isidentifier" -> plain(name, () -> isIdentifier(s));
            case "istitle" -> plain(name, () -> Text.isCased(s) && s.equals(Text.title(s)));
            case "rindex" -> args -> {
                long at = Sought.in(s, args, name).position(true);
                if (at < 0) {
                    throw new TemplateError("the string does not contain what is looked for");
                }
                return at;
            };
            case "expandtabs" -> args -> Text.withoutTabs(s, args.bind(name, "tabsize").integer(0, 8), limits);
            case "zfill" -> args -> {
                long width = width(args, name);
                int sign = s.startsWith("-") || s.startsWith("+") ? 1 : 0;
                int zeros = limits.product(1, width - Values.length(s));
                return s.substring(0, sign) + "0".repeat(zeros) + s.substring(sign);
            };
            default -> null;
        };
    }

    private static String text(Arguments args, String name, String parameter) {
        Arguments.Bound bound = args.bind(name, parameter);
        bound.require(0);
        return bound.text(0, "");
    }

    private static Callable plain(String name, java.util.function.Supplier<Object> result) {
        return args -> {
            args.bind(name);
            return result.get();
        };
    }

    private static long width(Arguments args, String name) {
        Arguments.Bound bound = args.bind(name, "width");
        bound.require(0);
        return bound.integer(0, 0);
    }

    private static Object affix(
            String s, Arguments args, String name, java.util.function.BiPredicate<String, String> matches) {
        Arguments.Bound bound = args.bind(name, "affix", "start", "end");
        Object affix = bound.require(0);
        String part = Sought.part(s, bound).text();
        return affix instanceof Tuple several
                ? several.items().stream().anyMatch(each -> matches.test(part, Values.text(each, name + "'s argument")))
                : matches.test(part, Values.text(affix, name + "'s argument"));
    }

    /** A string looked for in the part of another that {@code start} and {@code end} cut out. */
    private record Sought(String text, long offset, String sought) {
        static Sought in(String s, Arguments args, String name) {
            Arguments.Bound bound = args.bind(name, "sub", "start", "end");
            bound.require(0);
            Sought part = part(s, bound);
            return new Sought(part.text, part.offset, bound.text(0, ""));
        }

        static Sought part(String s, Arguments.Bound bound) {
            long length = Values.length(s);
            long start = bound.get(1, null) == null ? 0 : bound.integer(1, 0);
            long end = bound.get(2, null) == null ? length : bound.integer(2, length);
            start = Math.clamp(start < 0 ? start + length : start, 0, length);
            end = Math.clamp(end < 0 ? end + length : end, start, length);
            int from = s.offsetByCodePoints(0, (int) start);
            return new Sought(s.substring(from, s.offsetByCodePoints(from, (int) (end - start))), start, "");
        }

        long position(boolean last) {
            int at = last ? text.lastIndexOf(sought) : text.indexOf(sought);
            return at < 0 ? -1 : offset + text.codePointCount(0, at);
        }

        long count() {
            return Text.count(text, sought);
        }
    }

    static String strip(String s, @Nullable Object chars, boolean start, boolean end) {
        if (chars == null) {
            String stripped = start ? Values.stripStart(s) : s;
            return end ? Values.stripEnd(stripped) : stripped;
        }
        String set = Values.text(chars, "the characters to strip");
        int from = 0;
        int to = s.length();
        while (start && from < to && set.indexOf(s.codePointAt(from)) >= 0) {
            from += Character.charCount(s.codePointAt(from));
        }
        while (end && to > from && set.indexOf(s.codePointBefore(to)) >= 0) {
            to -= Character.charCount(s.codePointBefore(to));
        }
        return s.substring(from, to);
    }

    private static Tuple partition(String s, String separator, int at, boolean fromEnd) {
        if (separator.isEmpty()) {
            throw new TemplateError("the separator is empty");
        }
        if (at < 0) {
            return new Tuple(fromEnd ? List.of("", "", s) : List.of(s, "", ""));
        }
        return new Tuple(List.of(s.substring(0, at), separator, s.substring(at + separator.length())));
    }

    /** Decimal digits, and what is one digit in another form: superscripts, circled ones. */
    private static boolean isDigit(int c) {
        int value = Character.getNumericValue(c);
        return Character.isDigit(c) || Character.getType(c) == Character.OTHER_NUMBER && value >= 0 && value <= 9;
    }

    private static boolean isNumber(int c) {
        return Character.getType(c) == Character.OTHER_NUMBER || Character.getType(c) == Character.LETTER_NUMBER;
    }

    private static boolean isIdentifier(String s) {
        return !s.isEmpty()
                && (s.codePointAt(0) == '_' || Character.isUnicodeIdentifierStart(s.codePointAt(0)))
                && s.codePoints().allMatch(c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    private static boolean allAre(String s, java.util.function.IntPredicate test) {
        return !s.isEmpty() && s.codePoints().allMatch(test);
    }
}
