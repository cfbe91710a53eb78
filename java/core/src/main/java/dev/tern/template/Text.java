package dev.tern.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What Python's strings can do to themselves. */
final class Text {
    /** Where Jinja2's title filter sees the beginning of a word. */
    private static final Pattern WORD_BEGINNING = Pattern.compile("[-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

    private Text() {}

    static String capitalize(String s) {
        if (s.isEmpty()) {
            return s;
        }
        int first = s.offsetByCodePoints(0, 1);
        return titleCase(s.codePointAt(0)) + s.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String titleCase(int c) {
        int title = Character.toTitleCase(c);
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        // ß has no title case of its own: Ss. Others that grow are as rare.
        return title == c && upper.length() > 1 && !upper.equals(Character.toString(c))
                ? upper.charAt(0) + upper.substring(1).toLowerCase(Locale.ROOT)
                : Character.toString(title);
    }

    /** Python's str.title: capitals after all that is no letter. */
    static String title(String s) {
        StringBuilder out = new StringBuilder(s.length());
        boolean inWord = false;
        for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
            int c = s.codePointAt(i);
            boolean cased = Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
            out.append(inWord ? Character.toString(c).toLowerCase(Locale.ROOT) : cased ? titleCase(c) : Character.toString(c));
            inWord = cased;
        }
        return out.toString();
    }

    /** The title filter: capitals after spaces, hyphens and opening brackets only. */
    static String titleOfWords(String s) {
        StringBuilder out = new StringBuilder(s.length());
        Matcher beginnings = WORD_BEGINNING.matcher(s);
        int from = 0;
        while (beginnings.find()) {
            word(s.substring(from, beginnings.start()), out);
            out.append(beginnings.group());
            from = beginnings.end();
        }
        word(s.substring(from), out);
        return out.toString();
    }

    private static void word(String word, StringBuilder out) {
        if (!word.isEmpty()) {
            int first = word.offsetByCodePoints(0, 1);
            out.append(word.substring(0, first).toUpperCase(Locale.ROOT)).append(word.substring(first).toLowerCase(Locale.ROOT));
        }
    }

    static String swapCase(String s) {
        StringBuilder out = new StringBuilder(s.length());
        s.codePoints().forEach(c -> {
            String one = Character.toString(c);
            out.append(Character.isUpperCase(c) ? one.toLowerCase(Locale.ROOT) : one.toUpperCase(Locale.ROOT));
        });
        return out.toString();
    }

    static String centered(String s, long width, Limits limits) {
        int margin = limits.product(1, width - Values.length(s));
        // Python gives the odd space to the left when the width is odd.
        int left = margin / 2 + (margin & (int) width & 1);
        return " ".repeat(left) + s + " ".repeat(margin - left);
    }

    /**
     * The truncate filter: cut between words unless {@code killwords}, and only where it spares more than the leeway.
     */
    static String truncated(String s, Arguments.Bound bound) {
        long length = bound.integer(0, 255);
        String end = bound.text(2, "...");
        long leeway = bound.get(3, null) == null ? 5 : bound.integer(3, 5);
        long room = length - Values.length(end);
        if (room < 0 || leeway < 0) {
            throw new TemplateError("'truncate' needs a length of " + Values.length(end) + " or more, and no negative leeway");
        }
        if (Values.length(s) <= length + leeway) {
            return s;
        }
        String cut = s.substring(0, s.offsetByCodePoints(0, (int) room));
        int space = bound.flag(1, false) ? -1 : cut.lastIndexOf(' ');
        return (space < 0 ? cut : cut.substring(0, space)) + end;
    }

    static String withoutTabs(String s, long size, Limits limits) {
        StringBuilder out = new StringBuilder();
        long column = 0;
        for (int i = 0; i < s.length(); i += Character.charCount(s.codePointAt(i))) {
            int c = s.codePointAt(i);
            if (c == '\t') {
                int spaces = limits.product(1, size <= 0 ? 0 : size - column % size);
                out.append(" ".repeat(spaces));
                column += spaces;
            } else {
                out.appendCodePoint(c);
                column = c == '\n' || c == '\r' ? 0 : column + 1;
            }
        }
        return out.toString();
    }

    static boolean isCased(String s) {
        return s.codePoints().anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c));
    }

    static long count(String s, String sought) {
        if (sought.isEmpty()) {
            return Values.length(s) + 1;
        }
        long count = 0;
        for (int at = s.indexOf(sought); at >= 0; at = s.indexOf(sought, at + sought.length())) {
            count++;
        }
        return count;
    }

    static String replace(String s, String old, String replacement, long most, Limits limits) {
        long matches = count(s, old);
        long times = most < 0 ? matches : Math.min(matches, most);
        limits.product(times, Math.max(1, replacement.length()));
        limits.charge(s.length());
        if (times == matches) {
            return s.replace(old, replacement);
        }
        StringBuilder out = new StringBuilder();
        int from = 0;
        for (long i = 0; i < times; i++) {
            int at = old.isEmpty() ? (i == 0 ? 0 : s.offsetByCodePoints(from, 1)) : s.indexOf(old, from);
            out.append(s, from, at).append(replacement);
            from = at + old.length();
        }
        return out.append(s, from, s.length()).toString();
    }

    static List<@Nullable Object> split(String s, Arguments arguments, boolean fromEnd) {
        Arguments.Bound bound = arguments.bind("split", "sep", "maxsplit");
        long most = bound.integer(1, -1);
        long splits = most < 0 ? Long.MAX_VALUE : most;
        Object separator = bound.get(0, null);
        if (separator == null) {
            return fromEnd ? wordsFromEnd(s, splits) : words(s, splits);
        }
        String sep = Values.text(separator, "the separator");
        if (sep.isEmpty()) {
            throw new TemplateError("the separator is empty");
        }
        List<@Nullable Object> parts = new ArrayList<>();
        if (fromEnd) {
            int to = s.length();
            for (int at = s.lastIndexOf(sep, to - sep.length()); at >= 0 && parts.size() < splits;
                    at = to < sep.length() ? -1 : s.lastIndexOf(sep, to - sep.length())) {
                parts.addFirst(s.substring(at + sep.length(), to));
                to = at;
            }
            parts.addFirst(s.substring(0, to));
            return parts;
        }
        int from = 0;
        for (int at = s.indexOf(sep); at >= 0 && parts.size() < splits; at = s.indexOf(sep, from)) {
            parts.add(s.substring(from, at));
            from = at + sep.length();
        }
        parts.add(s.substring(from));
        return parts;
    }

    private static List<@Nullable Object> words(String s, long splits) {
        List<@Nullable Object> words = new ArrayList<>();
        String rest = Values.stripStart(s);
        int from = 0;
        while (from < rest.length()) {
            if (words.size() >= splits) {
                words.add(rest.substring(from));
                break;
            }
            int to = from;
            while (to < rest.length() && !Values.isSpace(rest.charAt(to))) {
                to++;
            }
            words.add(rest.substring(from, to));
            from = to;
            while (from < rest.length() && Values.isSpace(rest.charAt(from))) {
                from++;
            }
        }
        return words;
    }

    private static List<@Nullable Object> wordsFromEnd(String s, long splits) {
        List<@Nullable Object> words = new ArrayList<>();
        String rest = Values.stripEnd(s);
        while (!rest.isEmpty()) {
            if (words.size() >= splits) {
                words.addFirst(rest);
                break;
            }
            int from = rest.length();
            while (from > 0 && !Values.isSpace(rest.charAt(from - 1))) {
                from--;
            }
            words.addFirst(rest.substring(from));
            rest = Values.stripEnd(rest.substring(0, from));
        }
        return words;
    }

    /** Python's str.splitlines. */
    static List<@Nullable Object> lines(String s, boolean keepEnds) {
        List<@Nullable Object> lines = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            boolean end = c >= '\n' && c <= '\r' || c >= 0x1C && c <= 0x1E || c == 0x85 || c == 0x2028 || c == 0x2029;
            if (end) {
                int next = c == '\r' && i + 1 < s.length() && s.charAt(i + 1) == '\n' ? i + 2 : i + 1;
                lines.add(s.substring(from, keepEnds ? next : i));
                from = next;
                i = next - 1;
            }
        }
        if (from < s.length()) {
            lines.add(s.substring(from));
        }
        return lines;
    }
}
