package dev.tern.template;

import dev.tern.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, with {@code trim_blocks} and {@code lstrip_blocks} on, as transformers sets them: the line end
 * after a statement or comment goes, and so does the white space before it when nothing else precedes it on its line.
 */
final class Lexer {
    private static final String[] OPERATORS = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":",
        "|", ",", ";"
    };

    private final Source source;
    private final String text;
    private final List<Token> tokens = new ArrayList<>();
    private int at;

    private Lexer(Source source) {
        this.source = source;
        this.text = source.text();
    }

    static List<Token> tokens(Source source) {
        Lexer lexer = new Lexer(source);
        lexer.template();
        return lexer.tokens;
    }

    private void template() {
        boolean lineStart = true;
        while (at < text.length()) {
            int tag = nextTag(at);
            String before = text.substring(at, tag < 0 ? text.length() : tag);
            if (tag < 0) {
                add(Kind.TEXT, before, at);
                break;
            }
            char kind = text.charAt(tag + 1);
            char sign = tag + 2 < text.length() ? text.charAt(tag + 2) : ' ';
            if (sign == '-') {
                before = Values.stripEnd(before);
            } else if (sign != '+' && kind != '{') {
                before = withoutIndent(before, lineStart);
            }
            if (!before.isEmpty()) {
                add(Kind.TEXT, before, at);
            }
            at = tag + (sign == '-' || sign == '+' ? 3 : 2);
            lineStart = switch (kind) {
                case '#' -> comment(tag);
                case '{' -> tag(tag, Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
                default -> rawBegins() ? raw(tag) : tag(tag, Kind.STATEMENT_BEGIN, Kind.STATEMENT_END, "%}");
            };
        }
        add(Kind.END, "", text.length());
    }

    private int nextTag(int from) {
        for (int i = text.indexOf('{', from); i >= 0 && i + 1 < text.length(); i = text.indexOf('{', i + 1)) {
            char next = text.charAt(i + 1);
            if (next == '{' || next == '%' || next == '#') {
                return i;
            }
        }
        return -1;
    }

    private static String withoutIndent(String before, boolean lineStart) {
        int line = before.lastIndexOf('\n') + 1;
        boolean blank = line < before.length() && Values.stripEnd(before.substring(line)).isEmpty();
        return blank && (line > 0 || lineStart) ? before.substring(0, line) : before;
    }

    /** Behind a tag's end. Returns whether what follows starts a line. */
    private boolean afterTag(char sign, boolean trims) {
        if (sign == '-') {
            int begin = at;
            while (at < text.length() && Values.isSpace(text.charAt(at))) {
                at++;
            }
            return at > begin && text.charAt(at - 1) == '\n';
        }
        if (sign != '+' && trims && at < text.length() && text.charAt(at) == '\n') {
            at++;
            return true;
        }
        return false;
    }

    private boolean comment(int begin) {
        int end = text.indexOf("#}", at);
        if (end < 0) {
            throw source.error(begin).problem("the comment never ends").expected("'#}'").exception();
        }
        char sign = end > at || text.charAt(end - 1) != '{' ? text.charAt(end - 1) : ' ';
        at = end + 2;
        return afterTag(sign, true);
    }

    private boolean rawBegins() {
        int i = skipSpace(at);
        return text.startsWith("raw", i) && endOfTag(skipSpace(i + 3)) >= 0;
    }

    /** The index behind {@code %}}, {@code -%}} or {@code +%}} at {@code i}, or -1. */
    private int endOfTag(int i) {
        int end = i < text.length() && (text.charAt(i) == '-' || text.charAt(i) == '+') ? i + 1 : i;
        return text.startsWith("%}", end) ? end + 2 : -1;
    }

    private boolean raw(int begin) {
        int signAt = skipSpace(skipSpace(at) + 3);
        at = endOfTag(signAt);
        afterTag(text.charAt(signAt), false);
        int from = at;
        for (int tag = text.indexOf("{%", at); tag >= 0; tag = text.indexOf("{%", tag + 2)) {
            char sign = tag + 2 < text.length() ? text.charAt(tag + 2) : ' ';
            int name = skipSpace(sign == '-' || sign == '+' ? tag + 3 : tag + 2);
            int end = text.startsWith("endraw", name) ? endOfTag(skipSpace(name + 6)) : -1;
            if (end >= 0) {
                String body = text.substring(from, tag);
                body = sign == '-' ? Values.stripEnd(body) : sign == '+' ? body : withoutIndent(body, false);
                add(Kind.TEXT, body, from);
                at = end;
                return afterTag(text.charAt(skipSpace(name + 6)), true);
            }
        }
        throw source.error(begin).problem("the raw block never ends").expected("'{% endraw %}'").exception();
    }

    private int skipSpace(int from) {
        int i = from;
        while (i < text.length() && Values.isSpace(text.charAt(i))) {
            i++;
        }
        return i;
    }

    private boolean tag(int begin, Kind beginKind, Kind endKind, String end) {
        add(beginKind, "", begin);
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            at = skipSpace(at);
            if (at >= text.length()) {
                throw source.error(begin).problem("the tag never ends").expected("'" + end + "'").exception();
            }
            char c = text.charAt(at);
            if (open.isEmpty()) {
                boolean signed = (c == '-' || c == '+' && end.equals("%}")) && text.startsWith(end, at + 1);
                if (signed || text.startsWith(end, at)) {
                    add(endKind, "", at);
                    at += end.length() + (signed ? 1 : 0);
                    return afterTag(signed ? c : ' ', end.equals("%}"));
                }
            }
            if (c == '\'' || c == '"') {
                string(c);
            } else if (c >= '0' && c <= '9') {
                number();
            } else if (Character.isUnicodeIdentifierStart(c) || c == '_') {
                int from = at;
                while (at < text.length() && (Character.isUnicodeIdentifierPart(text.charAt(at)) || text.charAt(at) == '_')) {
                    at++;
                }
                add(Kind.NAME, text.substring(from, at), from);
            } else {
                operator(open);
            }
        }
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (text.startsWith(operator, at)) {
                char c = operator.charAt(0);
                switch (c) {
                    case '(' -> open.push(')');
                    case '[' -> open.push(']');
                    case '{' -> open.push('}');
                    case ')', ']', '}' -> {
                        if (open.isEmpty() || open.pop() != c) {
                            throw source.error(at).problem("'" + c + "' closes nothing that is open").exception();
                        }
                    }
                    default -> { }
                }
                add(Kind.OPERATOR, operator, at);
                at += operator.length();
                return;
            }
        }
        throw source.error(at)
                .problem("a character that means nothing here")
                .found("'" + text.substring(at, text.offsetByCodePoints(at, 1)) + "'")
                .exception();
    }

    private void number() {
        int from = at;
        digits();
        boolean real = false;
        if (at + 1 < text.length() && text.charAt(at) == '.' && isDigit(text.charAt(at + 1))) {
            at++;
            digits();
            real = true;
        }
        if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
            int exponent = at + 1;
            if (exponent < text.length() && (text.charAt(exponent) == '+' || text.charAt(exponent) == '-')) {
                exponent++;
            }
            if (exponent < text.length() && isDigit(text.charAt(exponent))) {
                at = exponent;
                digits();
                real = true;
            }
        }
        add(real ? Kind.FLOAT : Kind.INTEGER, text.substring(from, at).replace("_", ""), from);
    }

    private void digits() {
        while (at < text.length()
                && (isDigit(text.charAt(at))
                        || text.charAt(at) == '_' && at + 1 < text.length() && isDigit(text.charAt(at + 1)))) {
            at++;
        }
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private void string(char quote) {
        int from = at++;
        StringBuilder value = new StringBuilder();
        while (at < text.length() && text.charAt(at) != quote) {
            char c = text.charAt(at++);
            if (c == '\\' && at < text.length()) {
                escape(value);
            } else {
                value.append(c);
            }
        }
        if (at >= text.length()) {
            throw source.error(from).problem("the string never ends").expected("" + quote).exception();
        }
        at++;
        add(Kind.STRING, value.toString(), from);
    }

    /** Python's escapes; a backslash before any other character is a backslash. */
    private void escape(StringBuilder value) {
        char c = text.charAt(at++);
        switch (c) {
            case '\n' -> { }
            case '\\', '\'', '"' -> value.append(c);
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case 'a' -> value.append('\u0007');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case 'v' -> value.append('\u000B');
            case 'x' -> code(value, 16, 2, 2);
            case 'u' -> code(value, 16, 4, 4);
            case 'U' -> code(value, 16, 8, 8);
            case 'N' -> named(value);
            case '0', '1', '2', '3', '4', '5', '6', '7' -> {
                at--;
                code(value, 8, 1, 3);
            }
            default -> value.append('\\').append(c);
        }
    }

    private void named(StringBuilder value) {
        int end = text.startsWith("{", at) ? text.indexOf('}', at) : -1;
        try {
            value.appendCodePoint(Character.codePointOf(text.substring(at + 1, Math.max(at + 1, end))));
        } catch (IllegalArgumentException e) {
            throw source.error(at).problem("no character has this name").exception(e);
        }
        at = end + 1;
    }

    private void code(StringBuilder value, int radix, int least, int most) {
        int from = at;
        int code = 0;
        while (at < text.length() && at - from < most && Character.digit(text.charAt(at), radix) >= 0 && code < 0x110000) {
            code = code * radix + Character.digit(text.charAt(at++), radix);
        }
        if (at - from < least || !Character.isValidCodePoint(code)) {
            throw source.error(from).problem("not a character's number").exception();
        }
        value.appendCodePoint(code);
    }

    private void add(Kind kind, String value, int position) {
        tokens.add(new Token(kind, value, position));
    }
}
