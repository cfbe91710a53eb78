package dev.tern.tools;

import dev.tern.tools.ToolSyntax.Form;
import dev.tern.tools.ToolSyntax.Shape;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What calls of tools look like, for a grammar: {@link #begin}, then one of the {@link #alternatives} (or several, with
 * {@link #separator} between them, where {@link #repeats}), then {@link #end}, and nothing behind.
 *
 * @param triggers where the model may also answer without a call: the text is free up to the first of them, and the
 *     rule holds behind it. Empty where a call is a must, or is told by nothing before it
 * @param lazy whether the model may also answer without a call; without triggers no grammar can then help
 * @param behind the mark up to which the text is free in any case, because the model reasons first; empty for none
 * @param begin a literal
 * @param alternatives one of them is a call, or the calls
 * @param repeats whether more than one of the alternatives may stand here
 * @param separator a literal
 * @param end a literal
 */
public record ToolCallRule(
        boolean lazy,
        List<String> triggers,
        String behind,
        String begin,
        List<Alternative> alternatives,
        boolean repeats,
        String separator,
        String end) {

    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /**
     * A literal, a JSON value, a literal.
     *
     * @param prefix stands in front of the value
     * @param schema that the value follows, a JSON Schema
     * @param suffix stands behind it
     */
    public record Alternative(String prefix, ObjectNode schema, String suffix) {}

    public ToolCallRule {
        triggers = List.copyOf(triggers);
        alternatives = List.copyOf(alternatives);
    }

    static ToolCallRule of(ToolSyntax syntax, List<ObjectNode> tools, boolean lazy, boolean parallel, String behind) {
        Form form = syntax.forms().getFirst();
        List<Alternative> alternatives = new ArrayList<>();
        if (form.shape() == Shape.ARRAY) {
            ObjectNode array = JSON.objectNode().put("type", "array");
            ArrayNode any = JSON.arrayNode();
            tools.forEach(tool -> any.add(call(tool, "arguments", syntax == ToolSyntax.MISTRAL)));
            array.set("items", any.size() == 1 ? any.get(0) : JSON.objectNode().set("anyOf", any));
            array.put("minItems", 1);
            if (!parallel) {
                array.put("maxItems", 1);
            }
            alternatives.add(new Alternative("", array, form.end()));
        } else {
            String space = form.begin().equals("<tool_call>") ? "\n" : "";
            for (ObjectNode tool : tools) {
                alternatives.add(form.shape() == Shape.NAMED
                        ? new Alternative(ChatFormat.name(tool) + form.nameEnd(), parameters(tool), form.end())
                        : new Alternative(
                                space,
                                call(tool, form.shape() == Shape.PARAMETERS ? "parameters" : "arguments", false),
                                space + form.end()));
            }
        }
        // Llama's calls have no mark, and the models make one at a time.
        boolean repeats = parallel && form.shape() != Shape.ARRAY && form.shape() != Shape.PARAMETERS;
        List<String> triggers = lazy ? syntax.triggers() : List.of();
        String begin = syntax.sectionBegin() + form.begin();
        String untold = triggers.stream()
                .filter(begin::startsWith)
                .findFirst()
                .map(trigger -> begin.substring(trigger.length()))
                .orElse(begin);
        return new ToolCallRule(
                lazy,
                triggers,
                behind,
                untold,
                alternatives,
                repeats,
                (form.shape() == Shape.NAMED && form.end().isEmpty() ? "" : "\n") + form.begin(),
                syntax.sectionEnd());
    }

    /** The schema of an object that calls this tool. */
    private static ObjectNode call(ObjectNode tool, String arguments, boolean withId) {
        ObjectNode schema = JSON.objectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        properties.putObject("name").put("const", ChatFormat.name(tool));
        properties.set(arguments, parameters(tool));
        ArrayNode required = schema.putArray("required").add("name").add(arguments);
        if (withId) {
            properties.putObject("id").put("type", "string").put("pattern", "^[a-zA-Z0-9]{9}$");
            required.add("id");
        }
        return schema.put("additionalProperties", false);
    }

    private static ObjectNode parameters(ObjectNode tool) {
        JsonNode parameters = tool.path("function").path("parameters");
        ObjectNode schema = parameters.isObject() ? ((ObjectNode) parameters).deepCopy() : JSON.objectNode();
        if (schema.isEmpty()) {
            schema.put("type", "object");
        }
        return schema;
    }
}
