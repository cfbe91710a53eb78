package dev.tern.tools;

import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Tools, their calls and their answers in words, for models whose templates know nothing of them. */
final class ToolDescription {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private ToolDescription() {}

    /** What the system's message says of them. */
    static String of(List<ObjectNode> tools) {
        StringBuilder text = new StringBuilder("""
                You can call functions. To call one, answer with nothing but its name and arguments as JSON between tags, \
                one pair of tags for each call:
                <tool_call>
                {"name": "the function's name", "arguments": {"parameter": "value"}}
                </tool_call>
                You are then told what it returned between <tool_response> and </tool_response>. \
                When no function is needed, answer in words.
                The functions, one a line, with their parameters as JSON Schema:
                <tools>
                """);
        for (ObjectNode tool : tools) {
            JsonNode function = tool.has("function") ? tool.path("function") : tool;
            text.append(spaced(function)).append('\n');
        }
        return text.append("</tools>").toString();
    }

    /** What the model wrote. */
    static String calls(JsonNode calls) {
        StringBuilder text = new StringBuilder();
        for (JsonNode call : calls) {
            JsonNode function = call.path("function");
            JsonNode arguments = function.path("arguments");
            String object = arguments.isObject() ? spaced(arguments) : "";
            String written = arguments.isString() ? arguments.stringValue() : object;
            text.append(text.isEmpty() ? "" : "\n")
                    .append("<tool_call>\n{\"name\": ")
                    .append(function.path("name"))
                    .append(", \"arguments\": ")
                    .append(written.isBlank() ? "{}" : written)
                    .append("}\n</tool_call>");
        }
        return text.toString();
    }

    /** What a tool answered. */
    static String response(String name, String text) {
        return "<tool_response>\n" + (name.isEmpty() ? "" : name + ": ") + text + "\n</tool_response>";
    }

    /** JSON as Python writes it, with a space behind every comma and colon: what models have seen in training. */
    private static String spaced(JsonNode node) {
        if (node.isObject()) {
            StringBuilder out = new StringBuilder("{");
            node.properties().forEach(entry -> out.append(out.length() > 1 ? ", " : "")
                    .append(MAPPER.writeValueAsString(entry.getKey()))
                    .append(": ")
                    .append(spaced(entry.getValue())));
            return out.append('}').toString();
        }
        if (node.isArray()) {
            StringBuilder out = new StringBuilder("[");
            node.forEach(item -> out.append(out.length() > 1 ? ", " : "").append(spaced(item)));
            return out.append(']').toString();
        }
        return node.toString();
    }
}
