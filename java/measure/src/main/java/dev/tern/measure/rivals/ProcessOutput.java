package dev.tern.measure.rivals;

import java.util.List;

/**
 * What a process said.
 *
 * @param status its exit status
 * @param out the end of its standard output
 * @param err the end of its standard error
 */
record ProcessOutput(int status, String out, String err) {
    private static final int TAIL_LINES = 3;
    private static final int TAIL_LENGTH = 300;

    /** Its last words, on one line, fit for a message; errors rather than results where it wrote both. */
    String tail() {
        String last = tail(err);
        return last.isEmpty() ? tail(out) : last;
    }

    private static String tail(String text) {
        List<String> lines = printable(text).lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        String tail = String.join(" / ", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
        return tail.length() <= TAIL_LENGTH ? tail : "..." + tail.substring(tail.length() - TAIL_LENGTH);
    }

    /** Without colours, and without other control characters than ends of lines. */
    static String printable(String text) {
        return text.replaceAll("\u001b\\[[0-9;?]*[A-Za-z]", "")
                .replace('\r', '\n')
                .replaceAll("[\\p{Cntrl}&&[^\n]]", " ");
    }
}
