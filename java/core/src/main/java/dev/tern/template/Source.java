package dev.tern.template;

import dev.tern.io.InputException;

/** A template's text with its lines ended by \n, and errors that say where in it. */
record Source(String text) {

    /** Normalizes line ends and drops the last one, as Jinja2 does. */
    static Source of(String template) {
        String text = template.replace("\r\n", "\n").replace('\r', '\n');
        return new Source(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
    }

    /** An error at the character with this index. */
    InputException.Builder error(int at) {
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < at && i < text.length(); i++) {
            if (text.charAt(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        return InputException.at("chat template, line " + line + ", column " + (at - lineStart + 1));
    }
}
