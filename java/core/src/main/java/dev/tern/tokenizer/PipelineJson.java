package dev.tern.tokenizer;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
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
