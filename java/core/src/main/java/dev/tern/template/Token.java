package dev.tern.template;

/**
 * A lexical element.
 *
 * @param text what it means: the text outside tags, a name, an operator, a string's value, a number's digits
 * @param at index in the source
 */
record Token(Kind kind, String text, int at) {

    enum Kind {
        /** Text outside tags, white space already taken away as the tags around it ask. */
        TEXT,
        /** {@code {{} */
        OUTPUT_BEGIN,
        OUTPUT_END,
        /** {@code {%} */
        STATEMENT_BEGIN,
        STATEMENT_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind kind, String text) {
        return this.kind == kind && this.text.equals(text);
    }

    boolean isOperator(String operator) {
        return is(Kind.OPERATOR, operator);
    }

    boolean isName(String name) {
        return is(Kind.NAME, name);
    }

    /** How an error names it. */
    String described() {
        return switch (kind) {
            case TEXT -> "text";
            case OUTPUT_BEGIN -> "'{{'";
            case OUTPUT_END -> "'}}'";
            case STATEMENT_BEGIN -> "'{%'";
            case STATEMENT_END -> "'%}'";
            case STRING -> "a string";
            case END -> "the end of the template";
            default -> "'" + text + "'";
        };
    }
}
