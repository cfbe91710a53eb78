package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What the parts of a tokenizer.json have in common: sequences, types, and how to refuse what is not known. */
final class PipelineJson {
    private PipelineJson() {}

    /** The steps of a part, sequences within sequences resolved; none for null. */
    static List<JsonNode> steps(JsonNode node, String children) {
        if (node.isMissingNode() || node.isNull()) {
            return List.of();
        }
        if (!type(node).equals("Sequence")) {
            return List.of(node);
        }
        List<JsonNode> steps = new ArrayList<>();
        for (JsonNode child : node.path(children)) {
            steps.addAll(steps(child, children));
        }
        return steps;
    }

    static String type(JsonNode node) {
        return node.path("type").asString("");
    }

    /** The node as JSON, without spaces. (Jackson would look up how to write every kind of object there is, for a few lines.) */
    static String text(JsonNode node) {
        StringBuilder text = new StringBuilder();
        append(node, text);
        return text.toString();
    }

    /** The string as JSON. */
    static String quoted(String string) {
        StringBuilder text = new StringBuilder();
        append(string, text);
        return text.toString();
    }

    private static void append(JsonNode node, StringBuilder text) {
        if (node.isObject()) {
            text.append('{');
            for (Map.Entry<String, JsonNode> member : node.properties()) {
                text.append(text.charAt(text.length() - 1) == '{' ? "" : ",");
                append(member.getKey(), text);
                text.append(':');
                append(member.getValue(), text);
            }
            text.append('}');
        } else if (node.isArray()) {
            text.append('[');
            for (int i = 0; i < node.size(); i++) {
                text.append(i == 0 ? "" : ",");
                append(node.get(i), text);
            }
            text.append(']');
        } else if (node.isString()) {
            append(node.stringValue(), text);
        } else {
            text.append(node.asString("null"));
        }
    }

    private static void append(String string, StringBuilder text) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            switch (c) {
                case '"', '\\' -> text.append('\\').append(c);
                case '\b' -> text.append("\\b");
                case '\f' -> text.append("\\f");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                default -> text.append(c < ' ' ? String.format("\\u%04x", (int) c) : String.valueOf(c));
            }
        }
        text.append('"');
    }

    static InputException unsupported(Object where, String key, String expected, Object found) {
        String text = String.valueOf(found);
        return InputException.at(where)
                .key(key)
                .problem("this version of Tern does not have this kind of tokenizer")
                .expected(expected)
                .found(text.length() > 400 ? text.substring(0, 400) + "…" : text)
                .exception();
    }

    /** {@code {"String": …}} or {@code {"Regex": …}} of a Split or Replace. */
    static MatchSplitter.Finder pattern(JsonNode step, Object where, String key) {
        JsonNode pattern = step.path("pattern");
        if (pattern.path("String").isString()) {
            byte[] literal = Utf8.encode(pattern.path("String").stringValue());
            if (literal.length > 0) {
                return MatchSplitter.literal(literal);
            }
        }
        if (pattern.path("Regex").isString()) {
            try {
                return MatchSplitter.regex(Regex.compile(pattern.path("Regex").stringValue()));
            } catch (RegexParser.UnsupportedException e) {
                throw unsupported(where, key, "a regular expression without " + e.getMessage(), step);
            }
        }
        throw unsupported(where, key, "a pattern, String or Regex", step);
    }
}
