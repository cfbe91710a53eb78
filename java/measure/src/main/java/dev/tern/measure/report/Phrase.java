package dev.tern.measure.report;

import dev.tern.measure.chart.Markup;
import java.util.ArrayList;
import java.util.List;

/** A sentence or more, of which parts are code or stand out; for the page and for Markdown. For one thread. */
final class Phrase {
    private enum Kind {
        TEXT,
        CODE,
        STRONG
    }

    private record Part(Kind kind, String text) {}

    private final List<Part> parts = new ArrayList<>();

    static Phrase of(String text) {
        return new Phrase().text(text);
    }

    Phrase text(String text) {
        parts.add(new Part(Kind.TEXT, text));
        return this;
    }

    /** A text in which code stands between backquotes. */
    Phrase withCode(String text) {
        String[] pieces = text.split("`", -1);
        for (int i = 0; i < pieces.length; i++) {
            if (i % 2 == 1 && i + 1 < pieces.length && !pieces[i].isEmpty()) {
                code(pieces[i]);
            } else {
                text(i % 2 == 1 ? "`" + pieces[i] + (i + 1 < pieces.length ? "`" : "") : pieces[i]);
            }
        }
        return this;
    }

    Phrase code(String text) {
        parts.add(new Part(Kind.CODE, text));
        return this;
    }

    Phrase strong(String text) {
        parts.add(new Part(Kind.STRONG, text));
        return this;
    }

    Phrase append(Phrase other) {
        parts.addAll(other.parts);
        return this;
    }

    /** Such as "a, b and c". */
    Phrase codes(List<String> names) {
        for (int i = 0; i < names.size(); i++) {
            text(i == 0 ? "" : i < names.size() - 1 ? ", " : " and ").code(names.get(i));
        }
        return this;
    }

    /** The same without code. */
    static String listed(List<String> words) {
        return words.size() < 2
                ? String.join("", words)
                : String.join(", ", words.subList(0, words.size() - 1)) + " and " + words.getLast();
    }

    boolean isEmpty() {
        return parts.isEmpty();
    }

    String plain() {
        StringBuilder plain = new StringBuilder();
        parts.forEach(part -> plain.append(part.text()));
        return plain.toString();
    }

    String html() {
        Markup html = new Markup();
        for (Part part : parts) {
            switch (part.kind()) {
                case TEXT -> html.text(part.text());
                case CODE -> html.element("code", part.text());
                case STRONG -> html.element("strong", part.text());
            }
        }
        return html.toString();
    }

    String markdown() {
        StringBuilder markdown = new StringBuilder();
        for (Part part : parts) {
            markdown.append(
                    switch (part.kind()) {
                        case TEXT -> escaped(part.text());
                        case CODE -> code(part.text(), false);
                        case STRONG -> "**" + escaped(part.text()) + "**";
                    });
        }
        return markdown.toString();
    }

    /** A text whose characters mean nothing to Markdown; on one line. */
    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        oneLine(text).codePoints().forEach(c -> {
            switch (c) {
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '&' -> escaped.append("&amp;");
                case '\\', '`', '*', '_', '[', ']', '|', '~', '#', '!', '$' ->
                    escaped.append('\\').append((char) c);
                default -> escaped.appendCodePoint(c);
            }
        });
        return escaped.toString();
    }

    /** A text as code; {@code inTable} where a bar would end the cell. */
    static String code(String text, boolean inTable) {
        String line = oneLine(text);
        String fence = "`";
        while (line.contains(fence)) {
            fence += "`";
        }
        String pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
        return fence + pad + (inTable ? line.replace("|", "\\|") : line) + pad + fence;
    }

    private static String oneLine(String text) {
        return text.codePoints()
                .map(c -> Character.isISOControl(c) || c == 0x2028 || c == 0x2029 ? ' ' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
