package dev.tern.server.chat;

import dev.tern.server.json.Json;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Schemas of calls, within which the schemas of tools stand: of one call, of an array of calls, or of arguments alone.
 */
final class CallSchemas {
    private CallSchemas() {}

    /**
     * References in a tool's schema are into that schema: they are made to lead to where it stands.
     *
     * @return a copy
     */
    static ObjectNode rebased(ObjectNode schema) {
        ObjectNode copy = schema.deepCopy();
        forEachCall(copy, (call, at) -> {
            for (String name : List.of("arguments", "parameters")) {
                JsonNode arguments = call.path("properties").path(name);
                if (arguments.isObject()) {
                    rebase(arguments, at + "/properties/" + name);
                }
            }
        });
        return copy;
    }

    /**
     * The same calls with any object for arguments.
     *
     * @param kept calls that stay as they are
     * @param argumentsKept whether arguments alone do
     * @return a copy
     */
    static ObjectNode loosened(ObjectNode schema, Predicate<ObjectNode> kept, boolean argumentsKept) {
        ObjectNode copy = schema.deepCopy();
        boolean[] found = {false};
        forEachCall(copy, (call, at) -> {
            found[0] = true;
            if (kept.test(call)) {
                return;
            }
            ObjectNode properties = (ObjectNode) call.path("properties");
            String name = properties.has("arguments") ? "arguments" : "parameters";
            properties.set(name, Json.object().put("type", "object"));
        });
        return found[0] || argumentsKept ? copy : Json.object().put("type", "object");
    }

    /** The tool that a call is of. */
    static String name(ObjectNode call) {
        return call.path("properties").path("name").path("const").asString("");
    }

    private static void forEachCall(ObjectNode schema, BiConsumer<ObjectNode, String> action) {
        JsonNode items = schema.path("items");
        JsonNode alternatives = items.path("anyOf");
        for (int i = 0; i < alternatives.size(); i++) {
            ifCall(alternatives.path(i), "#/items/anyOf/" + i, action);
        }
        ifCall(items, "#/items", action);
        ifCall(schema, "#", action);
    }

    /** Arguments alone have no name that is constant. */
    private static void ifCall(JsonNode node, String at, BiConsumer<ObjectNode, String> action) {
        if (node instanceof ObjectNode call && call.path("properties").path("name").has("const")) {
            action.accept(call, at);
        }
    }

    private static void rebase(JsonNode node, String at) {
        if (node instanceof ObjectNode object && object.path("$ref").isString()) {
            String reference = object.path("$ref").stringValue();
            if (reference.startsWith("#")) {
                object.put("$ref", at + reference.substring(1));
            }
        }
        node.forEach(child -> rebase(child, at));
    }
}
