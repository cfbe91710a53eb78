package dev.tern.grammar;

import dev.tern.io.InputException;

/** A place in a GBNF text, and the tokens that are read from there. */
final class GbnfCursor {
    /** A repetition beyond this is a mistake or an attack. */
    private static final int MOST_REPETITIONS = 100_000;

    private final String text;
    private int position;

    GbnfCursor(String text) {
        this.text = text;
    }

    int position() {
        return position;
    }

    void back(int earlier) {
        position = earlier;
    }

    boolean atEnd() {
        return position == text.length();
    }

    boolean at(char c) {
        return position < text.length() && text.charAt(position) == c;
    }

    boolean take(char c) {
        boolean there = at(c);
        position += there ? 1 : 0;
        return there;
    }

    void require(String token) {
        if (!text.startsWith(token, position)) {
            throw unexpected("'" + token + "'");
        }
        position += token.length();
    }

    /** Skips blanks and comments, and the ends of lines where they mean nothing. */
    void skipBlanks(boolean lines) {
        while (position < text.length()) {
            char c = text.charAt(position);
            if (c == '#') {
                while (position < text.length() && text.charAt(position) != '\n' && text.charAt(position) != '\r') {
                    position++;
                }
            } else if (c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r')) {
                position++;
            } else {
                return;
            }
        }
    }

    /** Letters, digits, dashes and underscores. */
    String name(String expected) {
        int from = position;
        while (position < text.length() && ofName(text.charAt(position))) {
            position++;
        }
        if (position == from) {
            throw unexpected(expected);
        }
        return text.substring(from, position);
    }

    private static boolean ofName(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_';
    }

    int number() {
        int from = position;
        long value = 0;
        while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
            value = Math.min(10 * value + text.charAt(position++) - '0', Integer.MAX_VALUE);
        }
        if (position == from) {
            throw unexpected("a number");
        }
        if (value > MOST_REPETITIONS) {
            throw error(from)
                    .problem("too many repetitions")
                    .expected("at most " + MOST_REPETITIONS)
                    .found(text.substring(from, Math.min(position, from + 20)))
                    .exception();
        }
        return (int) value;
    }

    /** The rest of a literal, behind its first quote. */
    String literal(int start) {
        StringBuilder literal = new StringBuilder();
        while (!take('"')) {
            literal.appendCodePoint(character(start, "the closing '\"' of the literal"));
        }
        return literal.toString();
    }

    /** The rest of a class, behind its bracket. */
    CodePoints characterClass(int start) {
        CodePoints.Builder set = new CodePoints.Builder();
        boolean negated = take('^');
        while (!take(']')) {
            int at = position;
            int first = character(start, "the closing ']' of the class");
            int last = first;
            if (at('-') && !text.startsWith("-]", position)) {
                position++;
                last = character(start, "the closing ']' of the class");
            }
            if (last < first) {
                throw error(at)
                        .problem("a range of characters ends before it begins")
                        .found(text.substring(at, position))
                        .exception();
            }
            set.add(first, last);
        }
        return negated ? set.build().complement() : set.build();
    }

    private int character(int start, String closing) {
        if (atEnd()) {
            throw error(position)
                    .expected(closing)
                    .found("the end of the grammar; it began at " + place(start))
                    .exception();
        }
        int at = position;
        int c = text.codePointAt(position);
        position += Character.charCount(c);
        if (c == '\\') {
            c = escape(at);
        }
        if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE || c > Character.MAX_CODE_POINT || c < 0) {
            throw error(at)
                    .problem("no character: UTF-8 cannot encode it")
                    .found("U+%04X".formatted(c))
                    .exception();
        }
        return c;
    }

    private int escape(int at) {
        char c = atEnd() ? 0 : text.charAt(position++);
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'x' -> hex(2, at);
            case 'u' -> hex(4, at);
            case 'U' -> hex(8, at);
            case '\\', '"', '[', ']', '-', '^', '/' -> c;
            default -> throw error(at)
                    .problem("unknown escape")
                    .expected("\\n \\r \\t \\xHH \\uHHHH \\UHHHHHHHH or one of \\\\ \\\" \\[ \\] \\- \\^ \\/")
                    .found(c == 0 ? "\\" : "\\" + c)
                    .exception();
        };
    }

    private int hex(int digits, int at) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = atEnd() ? -1 : Character.digit(text.charAt(position), 16);
            if (digit < 0 || text.charAt(position) > 'f') {
                throw error(at).problem("an escape needs " + digits + " hexadecimal digits").exception();
            }
            value = value << 4 | digit;
            position++;
        }
        return value;
    }

    InputException unexpected(String expected) {
        return error(position).expected(expected).found(here()).exception();
    }

    private String here() {
        if (atEnd()) {
            return "the end of the grammar";
        }
        return at('\n') || at('\r')
                ? "the end of the line"
                : "'" + text.substring(position, text.offsetByCodePoints(position, 1)) + "'";
    }

    InputException.Builder error(int at) {
        return InputException.at("grammar: " + place(at));
    }

    /** Line and column, both from 1, columns in characters. */
    String place(int at) {
        int line = 1;
        int begin = 0;
        for (int i = 0; i < at; i++) {
            if (text.charAt(i) == '\n') {
                line++;
                begin = i + 1;
            }
        }
        return "line " + line + ", column " + (text.codePointCount(begin, at) + 1);
    }
}
