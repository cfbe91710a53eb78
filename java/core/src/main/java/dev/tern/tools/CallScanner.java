package dev.tern.tools;

import dev.tern.tools.JsonScanner.Step;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Follows one call character by character: {@code {"name": …, "arguments": …}} in any order of keys, perhaps within
 * {@code {"function": …}}, or a name with a separator and arguments behind it. As soon as the name is known and the
 * arguments begin, the call is certain, and its arguments can be taken as they come. Not thread-safe.
 */
final class CallScanner {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final int MAX_NAME = 200;

    /** What a character was. */
    enum Progress {
        MORE,
        /** The call's last character. */
        DONE,
        /** The call cannot go on like this; the character is not part of it. */
        FAILED
    }

    private enum At {
        NAME,
        OPEN,
        KEY_OR_END,
        KEY,
        KEY_TEXT,
        COLON,
        VALUE,
        COMMA_OR_END
    }

    private final Predicate<String> known;
    private final String nameEnd;
    private At at;
    private int depth;
    private final StringBuilder key = new StringBuilder();
    private @Nullable JsonScanner value;
    private final StringBuilder valueText = new StringBuilder();

    private @Nullable String name;
    private @Nullable String id;
    private boolean argumentsSeen;
    private boolean streaming;
    private final StringBuilder arguments = new StringBuilder();

    /**
     * @param known which names a call may have
     * @param nameEnd what follows a name that stands in front; null for an object with a name in it
     */
    CallScanner(Predicate<String> known, @Nullable String nameEnd) {
        this.known = known;
        this.nameEnd = nameEnd == null ? "" : nameEnd;
        this.at = nameEnd == null ? At.OPEN : At.NAME;
    }

    /** Whether this is a call for certain, with a name and at least the beginning of arguments. */
    boolean isCertain() {
        return name != null && streaming;
    }

    String name() {
        return java.util.Objects.requireNonNull(name);
    }

    /** The model's own id of the call, if it stood in front of the arguments. */
    @Nullable String id() {
        return id;
    }

    /** The arguments that came since this was last asked. */
    String takeArguments() {
        String taken = arguments.toString();
        arguments.setLength(0);
        return taken;
    }

    Progress next(char c) {
        if (at == At.NAME) {
            return name(c);
        }
        if (value != null) {
            return value(c);
        }
        if (at == At.KEY_TEXT) {
            return keyText(c);
        }
        if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            return Progress.MORE;
        }
        switch (at) {
            case OPEN -> {
                at = At.KEY_OR_END;
                depth++;
                return c == '{' ? Progress.MORE : Progress.FAILED;
            }
            case KEY, KEY_OR_END -> {
                if (c == '}' && at == At.KEY_OR_END) {
                    return closed();
                }
                at = At.KEY_TEXT;
                key.setLength(0);
                return c == '"' ? Progress.MORE : Progress.FAILED;
            }
            case COLON -> {
                at = At.VALUE;
                return c == ':' ? Progress.MORE : Progress.FAILED;
            }
            case VALUE -> {
                if (c == '{' && depth == 1 && (is("function") || is("tool_call"))) {
                    depth++;
                    at = At.KEY_OR_END;
                    return Progress.MORE;
                }
                value = new JsonScanner();
                valueText.setLength(0);
                if (isArguments()) {
                    if (argumentsSeen || c != '{' && c != '"' && c != 'n') {
                        return Progress.FAILED;
                    }
                    argumentsSeen = true;
                    streaming = c == '{';
                }
                return value(c);
            }
            default -> {
                if (c == ',') {
                    at = At.KEY;
                    return Progress.MORE;
                }
                return c == '}' ? closed() : Progress.FAILED;
            }
        }
    }

    private boolean is(String other) {
        return key.toString().equals(other);
    }

    private boolean isArguments() {
        return is("arguments") || is("parameters");
    }

    private Progress name(char c) {
        key.append(c);
        if (key.length() > MAX_NAME) {
            return Progress.FAILED;
        }
        int end = key.length() - nameEnd.length();
        if (end > 0 && key.indexOf(nameEnd, end) == end) {
            name = key.substring(0, end).strip();
            key.setLength(0);
            key.append("arguments");
            at = At.VALUE;
            return known.test(name) && !name.isEmpty() ? Progress.MORE : Progress.FAILED;
        }
        return Progress.MORE;
    }

    private Progress keyText(char c) {
        if (c == '"') {
            at = At.COLON;
            return Progress.MORE;
        }
        key.append(c);
        return c == '\\' || c < ' ' || key.length() > MAX_NAME ? Progress.FAILED : Progress.MORE;
    }

    private Progress value(char c) {
        JsonScanner scanner = java.util.Objects.requireNonNull(value);
        boolean inString = scanner.inString();
        Step step = scanner.next(c);
        if (step == Step.WRONG) {
            return Progress.FAILED;
        }
        if (step != Step.BEHIND) {
            keep(c, inString);
        }
        if (step == Step.INSIDE) {
            return Progress.MORE;
        }
        value = null;
        at = At.COMMA_OR_END;
        if (!valueIsSane()) {
            return Progress.FAILED;
        }
        if (!nameEnd.isEmpty()) {
            return Progress.DONE;
        }
        return step == Step.BEHIND ? next(c) : Progress.MORE;
    }

    private void keep(char c, boolean inString) {
        StringBuilder to = streaming && isArguments() ? arguments : valueText;
        if (inString && c < ' ') {
            to.append(c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : "\\u%04x".formatted((int) c));
        } else {
            to.append(c);
        }
    }

    /** Takes a value that is complete. */
    private boolean valueIsSane() {
        if (isArguments()) {
            return streaming || textArguments();
        }
        String said = string(valueText.toString());
        if (is("name") || is("function")) {
            name = name == null ? said : name;
            return said != null && !said.isEmpty() && known.test(said);
        }
        if (is("id") && id == null && said != null && !said.isEmpty() && said.length() <= MAX_NAME) {
            id = said;
        }
        return true;
    }

    /** Arguments as a string of JSON, or null. */
    private boolean textArguments() {
        String said = string(valueText.toString());
        if (said == null || said.isBlank()) {
            arguments.append("{}");
            return said != null || valueText.toString().strip().equals("null");
        }
        try {
            if (!MAPPER.readTree(said).isObject()) {
                return false;
            }
        } catch (JacksonException e) {
            return false;
        }
        arguments.append(said);
        streaming = true;
        return true;
    }

    private static @Nullable String string(String json) {
        JsonNode node = MAPPER.readTree(json);
        return node.isString() ? node.stringValue() : null;
    }

    private Progress closed() {
        at = At.COMMA_OR_END;
        if (--depth > 0) {
            return Progress.MORE;
        }
        if (name == null) {
            return Progress.FAILED;
        }
        if (!streaming) {
            arguments.append(arguments.isEmpty() ? "{}" : "");
            streaming = true;
        }
        return Progress.DONE;
    }
}
