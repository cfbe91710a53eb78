package dev.tern.cli;

/**
 * Messages of several lines: a line that ends with a backslash goes on in the next one, and what begins with three quotation
 * marks goes on until three others stand at the end of a line.
 */
final class Multiline {
    private static final String QUOTES = "\"\"\"";

    private Multiline() {}

    /** Whether the text is a block that has not been closed. */
    static boolean isOpenBlock(String text) {
        String stripped = text.strip();
        return stripped.startsWith(QUOTES)
                && !(stripped.length() >= 2 * QUOTES.length() && stripped.endsWith(QUOTES));
    }

    /** Whether the last line says that it goes on. */
    static boolean goesOn(String text) {
        return text.endsWith("\\") && !isOpenBlock(text);
    }

    /** The text without the backslash that {@link #goesOn}. */
    static String withoutMark(String text) {
        return text.substring(0, text.length() - 1);
    }

    /** What a block says, without its marks and the line ends beside them; other text as it is. An open block ends here. */
    static String unwrap(String text) {
        String stripped = text.strip();
        if (!stripped.startsWith(QUOTES)) {
            return text;
        }
        String inner = stripped.substring(QUOTES.length());
        if (inner.endsWith(QUOTES)) {
            inner = inner.substring(0, inner.length() - QUOTES.length());
        }
        return inner.replaceFirst("^\\R", "").replaceFirst("\\R$", "");
    }
}
