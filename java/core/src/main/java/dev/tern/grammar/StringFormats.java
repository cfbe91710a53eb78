package dev.tern.grammar;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The strings of JSON Schema's {@code format}, as patterns. Where a format allows what is rare, less is written: years
 * have four digits and begin with 1 or more, seconds end at 59, hosts of addresses have letters at their end.
 */
final class StringFormats {
    private static final String MONTH_DAY = "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
            + "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))";

    /** Divisible by four, and by 400 where by 100. */
    private static final String LEAP_YEAR =
            "(?:[1-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)";

    private static final String DATE = "(?:[1-9][0-9]{3}-" + MONTH_DAY + "|" + LEAP_YEAR + "-02-29)";
    private static final String TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?"
            + "(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])";
    private static final String LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?";
    private static final String HOST = "(?:" + LABEL + "\\.){1,4}[a-zA-Z]{2,8}";
    private static final String BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private static final String GROUP = "[0-9a-f]{1,4}";
    private static final String DAYS = "(?:[0-9]{1,3}Y(?:[0-9]{1,3}M(?:[0-9]{1,3}D)?)?|[0-9]{1,3}M(?:[0-9]{1,3}D)?"
            + "|[0-9]{1,3}D)";
    private static final String HOURS = "T(?:[0-9]{1,3}H(?:[0-9]{1,3}M(?:[0-9]{1,3}S)?)?|[0-9]{1,3}M(?:[0-9]{1,3}S)?"
            + "|[0-9]{1,3}S)";
    private static final String PATH = "(?:/[A-Za-z0-9_.~-]{1,40}){0,10}/?(?:\\?[A-Za-z0-9_.~=&-]{1,80})?"
            + "(?:#[A-Za-z0-9_.~-]{1,40})?";

    private static final Map<String, String> PATTERNS = Map.ofEntries(
            Map.entry("date", DATE),
            Map.entry("time", TIME),
            Map.entry("date-time", DATE + "T" + TIME),
            Map.entry("duration", "P(?:[0-9]{1,3}W|" + DAYS + "(?:" + HOURS + ")?|" + HOURS + ")"),
            Map.entry("uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            Map.entry("email", "[a-zA-Z0-9_+-]{1,20}(?:\\.[a-zA-Z0-9_+-]{1,20}){0,2}@" + HOST),
            Map.entry("hostname", HOST),
            Map.entry("ipv4", "(?:" + BYTE + "\\.){3}" + BYTE),
            Map.entry(
                    "ipv6",
                    "(?:(?:" + GROUP + ":){7}" + GROUP + "|(?:" + GROUP + ":){1,3}(?::" + GROUP + "){1,4}|::(?:" + GROUP
                            + ":){0,6}" + GROUP + ")"),
            Map.entry("uri", "(?:https?|ftp)://" + HOST + "(?::[1-9][0-9]{1,3})?" + PATH));

    /** Formats that the specification names and that are not written. */
    private static final Set<String> UNSUPPORTED = Set.of(
            "idn-email", "idn-hostname", "iri", "iri-reference", "json-pointer", "regex", "relative-json-pointer",
            "uri-reference", "uri-template");

    private StringFormats() {}

    /** The format's pattern, anchored; null for a word that is none of the specification's, which means nothing. */
    static @Nullable String pattern(String format) {
        String pattern = PATTERNS.get(format);
        return pattern == null ? null : "^(?:" + pattern + ")$";
    }

    static boolean unsupported(String format) {
        return UNSUPPORTED.contains(format);
    }
}
