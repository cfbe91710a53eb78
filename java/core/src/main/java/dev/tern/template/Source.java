package dev.tern.template;

import dev.tern.io.InputException;

/** A template's text with its lines ended by \n, and errors that say where in it. */
record Source(String text) {
    /** Templates may be one line of thousands of characters. */
    private static final int SHOWN_EACH_SIDE = 50;

    /** Normalizes line ends and drops the last one, as Jinja2 does. */
    static Source of(String template) {
        String text = template.replace("\r\n", "\n").replace('\r', '\n');
        return new Source(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
    }

    /** An error at the character with this index; the line around it is shown. */
    InputException.Builder error(int at) {
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < at && i < text.length(); i++) {
            if (text.charAt(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        int lineEnd = text.indexOf('\n', lineStart);
        int from = Math.max(lineStart, at - SHOWN_EACH_SIDE);
        int to = Math.min(lineEnd < 0 ? text.length() : lineEnd, at + SHOWN_EACH_SIDE);
        return InputException.at("chat template, line " + line + ", column " + (at - lineStart + 1))
                .excerpt(text.substring(from, Math.max(from, to)).replace('\t', ' '), at - from);
    }
}
