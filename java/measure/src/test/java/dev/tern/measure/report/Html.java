package dev.tern.measure.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the page as a stranger would: its elements, the cells of its tables. */
final class Html {
    private static final Pattern TAG =
            Pattern.compile("<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:\\s+[a-zA-Z][a-zA-Z0-9-]*=\"[^\"<>]*\")*)\\s*>");
    private static final Set<String> VOID = Set.of("meta", "link");

    private Html() {}

    /** Fails where an element is not closed, is closed out of turn, or where a character should have been escaped. */
    static void requireWellFormed(String html) {
        String body = html.replaceFirst("^<!DOCTYPE html>", "").replaceFirst("(?s)<style>.*?</style>", "");
        Deque<String> open = new ArrayDeque<>();
        Matcher tag = TAG.matcher(body);
        int end = 0;
        while (tag.find()) {
            assertThat(body.substring(end, tag.start())).doesNotContain("<", ">");
            end = tag.end();
            String name = tag.group(2);
            if (!tag.group(1).isEmpty()) {
                assertThat(open.poll()).as("closed at " + tag.start()).isEqualTo(name);
            } else if (!VOID.contains(name)) {
                open.push(name);
            }
        }
        assertThat(body.substring(end)).doesNotContain("<", ">");
        assertThat(open).isEmpty();
    }

    /** Texts of a table's cells, headings among them, row by row. */
    static List<List<String>> table(String html, String id) {
        Matcher table =
                Pattern.compile("(?s)<table id=\"" + id + "\">(.*?)</table>").matcher(html);
        assertThat(table.find()).as("table " + id).isTrue();
        List<List<String>> rows = new ArrayList<>();
        Pattern cell = Pattern.compile("(?s)<(t[hd])\\b[^>]*>(.*?)</\\1>");
        for (String row : all("(?s)<tr\\b[^>]*>(.*?)</tr>", table.group(1))) {
            rows.add(cell.matcher(row)
                    .results()
                    .map(found -> text(found.group(2)))
                    .toList());
        }
        return rows;
    }

    /** What the first group of a pattern found, everywhere. */
    static List<String> all(String pattern, String html) {
        return Pattern.compile(pattern)
                .matcher(html)
                .results()
                .map((MatchResult found) -> found.group(1))
                .toList();
    }

    /** The text of markup. */
    static String text(String html) {
        return html.replaceAll("<[^>]*>", "")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
    }
}
