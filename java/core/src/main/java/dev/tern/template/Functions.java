package dev.tern.template;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template has: Jinja2's, and those that transformers adds. */
final class Functions {
    private Functions() {}

    static void define(Scope scope, Clock clock, Limits limits) {
        scope.set("range", (Callable) args -> range(args, limits));
        scope.set("dict", (Callable) args -> dict(args));
        scope.set("namespace", (Callable) args -> {
            Namespace namespace = new Namespace();
            dict(args).forEach((name, value) -> namespace.attributes.put(Values.text(name, "an attribute's name"), value));
            return namespace;
        });
        scope.set("cycler", (Callable) Cycler::new);
        scope.set("joiner", (Callable) args -> {
            String separator = args.bind("joiner", "sep").text(0, ", ");
            boolean[] used = new boolean[1];
            return (Callable) none -> {
                boolean first = !used[0];
                used[0] = true;
                return first ? "" : separator;
            };
        });
        scope.set("raise_exception", (Callable) args -> {
            throw new TemplateError("the template refuses: " + Values.str(args.bind("raise_exception", "message").get(0, "")));
        });
        scope.set("strftime_now", (Callable) args -> {
            Arguments.Bound bound = args.bind("strftime_now", "format");
            bound.require(0);
            return date(bound.text(0, ""), ZonedDateTime.now(clock));
        });
    }

    private static List<@Nullable Object> range(Arguments args, Limits limits) {
        if (args.positional().isEmpty() || args.positional().size() > 3 || !args.named().isEmpty()) {
            throw new TemplateError("range takes one to three integers");
        }
        boolean one = args.positional().size() == 1;
        long from = one ? 0 : Values.integer(args.positional().get(0), "a bound of range");
        long to = Values.integer(args.positional().get(one ? 0 : 1), "a bound of range");
        long step = args.positional().size() < 3 ? 1 : Values.integer(args.positional().get(2), "range's step");
        if (step == 0) {
            throw new TemplateError("range's step cannot be 0");
        }
        double count = Math.ceil(((double) to - from) / step);
        limits.chargeItems((long) Math.max(0, count));
        List<@Nullable Object> range = new ArrayList<>();
        for (long i = from; step > 0 ? i < to : i > to; i += step) {
            limits.step();
            range.add(i);
            if (step > 0 ? i > Long.MAX_VALUE - step : i < Long.MIN_VALUE - step) {
                break;
            }
        }
        return range;
    }

    private static Map<@Nullable Object, @Nullable Object> dict(Arguments args) {
        Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        for (Object source : args.positional()) {
            if (source instanceof Map<?, ?> entries) {
                map.putAll(entries);
            } else {
                for (Object entry : Values.items(source)) {
                    List<@Nullable Object> pair = Values.items(entry);
                    if (pair.size() != 2) {
                        throw new TemplateError("a dict is made of pairs");
                    }
                    map.put(Values.key(pair.get(0)), pair.get(1));
                }
            }
        }
        map.putAll(args.named());
        return map;
    }

    /** C's strftime in the C locale, as far as dates need it. */
    static String date(String format, ZonedDateTime now) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char field = format.charAt(++i);
            boolean bare = field == '-' && i + 1 < format.length();
            if (bare) {
                field = format.charAt(++i);
            }
            String text = switch (field) {
                case 'Y' -> pattern("uuuu", now);
                case 'y' -> pattern("uu", now);
                case 'm' -> pattern("MM", now);
                case 'd' -> pattern("dd", now);
                case 'e' -> "%2d".formatted(now.getDayOfMonth());
                case 'B' -> pattern("MMMM", now);
                case 'b', 'h' -> pattern("MMM", now);
                case 'A' -> pattern("EEEE", now);
                case 'a' -> pattern("EEE", now);
                case 'H' -> pattern("HH", now);
                case 'I' -> pattern("hh", now);
                case 'M' -> pattern("mm", now);
                case 'S' -> pattern("ss", now);
                case 'p' -> now.getHour() < 12 ? "AM" : "PM";
                case 'j' -> pattern("DDD", now);
                case 'w' -> Integer.toString(now.getDayOfWeek().getValue() % 7);
                case 'F' -> pattern("uuuu-MM-dd", now);
                case 'T' -> pattern("HH:mm:ss", now);
                case 'D' -> pattern("MM/dd/uu", now);
                case 'Z' -> pattern("zzz", now);
                case 'z' -> pattern("xx", now);
                case 'n' -> "\n";
                case 't' -> "\t";
                case '%' -> "%";
                default -> throw new TemplateError("there is no %" + field + " for dates in this interpreter");
            };
            out.append(bare ? text.replaceFirst("^[0 ]+(?=.)", "") : text);
        }
        return out.toString();
    }

    private static String pattern(String pattern, ZonedDateTime now) {
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
    }
}
