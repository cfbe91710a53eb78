package dev.tern.measure.chart;

import java.util.Locale;

/** Writes HTML and SVG; whatever is given as text or as an attribute's value is escaped. For one thread. */
public final class Markup {
    private final StringBuilder out = new StringBuilder();

    /** A start tag; {@code attributes} are names and values in turns. */
    public Markup open(String name, Object... attributes) {
        out.append('<').append(name);
        for (int i = 0; i < attributes.length; i += 2) {
            out.append(' ').append(attributes[i]).append("=\"").append(escaped(written(attributes[i + 1]))).append('"');
        }
        out.append('>');
        return this;
    }

    public Markup close(String name) {
        out.append("</").append(name).append('>');
        return this;
    }

    /** An element with a text in it. */
    public Markup element(String name, String text, Object... attributes) {
        return open(name, attributes).text(text).close(name);
    }

    /** An element with nothing in it. */
    public Markup element(String name) {
        return open(name).close(name);
    }

    public Markup text(String text) {
        out.append(escaped(text));
        return this;
    }

    /** What is markup already. */
    public Markup raw(CharSequence markup) {
        out.append(markup);
        return this;
    }

    public Markup line() {
        out.append('\n');
        return this;
    }

    /** Coordinates to a tenth of a pixel. */
    private static String written(Object value) {
        if (!(value instanceof Double number)) {
            return String.valueOf(value);
        }
        String text = String.format(Locale.ROOT, "%.1f", number);
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                case '\n', '\t' -> escaped.append((char) c);
                default -> escaped.appendCodePoint(
                        Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE ? 0xfffd : c);
            }
        });
        return escaped.toString();
    }

    @Override
    public String toString() {
        return out.toString();
    }
}
