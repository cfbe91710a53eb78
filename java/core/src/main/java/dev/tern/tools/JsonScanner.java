package dev.tern.tools;

/**
 * Follows one JSON value character by character and says where it ends. Strict as RFC 8259, but for control characters
 * within strings, which models write: those the caller escapes. Not thread-safe.
 */
final class JsonScanner {
    private static final int MAX_DEPTH = 256;

    /** What a character was. */
    enum Step {
        /** Part of the value, or white space before it. */
        INSIDE,
        /** The value's last character. */
        LAST,
        /** Not part of it: the value, a number, was complete before. */
        BEHIND,
        /** Nothing that can stand here. */
        WRONG
    }

    private enum Expect {
        VALUE,
        VALUE_OR_END,
        KEY,
        KEY_OR_END,
        COLON,
        COMMA_OR_END
    }

    private final StringBuilder open = new StringBuilder(); // '{' and '['
    private Expect expect = Expect.VALUE;
    private boolean inString;
    private boolean key;
    private boolean escaped;
    private int hexDigits;
    private String literal = ""; // the rest of true, false or null
    private final StringBuilder number = new StringBuilder();

    /** Whether the next character stands in a string. */
    boolean inString() {
        return inString;
    }

    Step next(char c) {
        if (inString) {
            return string(c);
        }
        if (!literal.isEmpty()) {
            if (c != literal.charAt(0)) {
                return Step.WRONG;
            }
            literal = literal.substring(1);
            return literal.isEmpty() ? ended() : Step.INSIDE;
        }
        if (!number.isEmpty()) {
            if (c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-') {
                number.append(c);
                return number.length() > 400 ? Step.WRONG : Step.INSIDE;
            }
            boolean valid = NUMBER.matcher(number).matches();
            number.setLength(0);
            if (!valid) {
                return Step.WRONG;
            }
            if (ended() == Step.LAST) {
                return Step.BEHIND;
            }
        }
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            return Step.INSIDE;
        }
        return switch (expect) {
            case VALUE -> value(c);
            case VALUE_OR_END -> c == ']' ? closed() : value(c);
            case KEY, KEY_OR_END -> {
                if (c == '}' && expect == Expect.KEY_OR_END) {
                    yield closed();
                }
                inString = c == '"';
                key = true;
                yield inString ? Step.INSIDE : Step.WRONG;
            }
            case COLON -> {
                expect = Expect.VALUE;
                yield c == ':' ? Step.INSIDE : Step.WRONG;
            }
            case COMMA_OR_END -> {
                boolean object = open.charAt(open.length() - 1) == '{';
                if (c == ',') {
                    expect = object ? Expect.KEY : Expect.VALUE;
                    yield Step.INSIDE;
                }
                yield c == (object ? '}' : ']') ? closed() : Step.WRONG;
            }
        };
    }

    private static final java.util.regex.Pattern NUMBER =
            java.util.regex.Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");

    private Step value(char c) {
        switch (c) {
            case '{', '[' -> {
                open.append(c);
                expect = c == '{' ? Expect.KEY_OR_END : Expect.VALUE_OR_END;
                return open.length() > MAX_DEPTH ? Step.WRONG : Step.INSIDE;
            }
            case '"' -> {
                inString = true;
                key = false;
                return Step.INSIDE;
            }
            case 't' -> literal = "rue";
            case 'f' -> literal = "alse";
            case 'n' -> literal = "ull";
            default -> {
                number.append(c);
                return c == '-' || c >= '0' && c <= '9' ? Step.INSIDE : Step.WRONG;
            }
        }
        return Step.INSIDE;
    }

    private Step string(char c) {
        if (hexDigits > 0) {
            hexDigits--;
            return Character.digit(c, 16) >= 0 && c < 0x80 ? Step.INSIDE : Step.WRONG;
        }
        if (escaped) {
            escaped = false;
            hexDigits = c == 'u' ? 4 : 0;
            return "\"\\/bfnrtu".indexOf(c) >= 0 ? Step.INSIDE : Step.WRONG;
        }
        if (c == '\\') {
            escaped = true;
        } else if (c == '"') {
            inString = false;
            if (key) {
                expect = Expect.COLON;
                return Step.INSIDE;
            }
            return ended();
        }
        return Step.INSIDE;
    }

    private Step closed() {
        open.setLength(open.length() - 1);
        return ended();
    }

    /** A value is complete. */
    private Step ended() {
        expect = Expect.COMMA_OR_END;
        return open.isEmpty() ? Step.LAST : Step.INSIDE;
    }
}
