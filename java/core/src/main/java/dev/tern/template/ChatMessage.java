package dev.tern.template;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * One message of a conversation, as clients of OpenAI's interface send it: an object with a {@code role}, a
 * {@code content} (a string, null, or an array of parts such as {@code {"type": "text", "text": "…"}}), and what else
 * the model's template knows: {@code name}, {@code tool_calls}, {@code tool_call_id}, {@code reasoning_content}, ….
 * Immutable.
 */
public final class ChatMessage {
    private final ObjectNode json;
    private final String role;

    private ChatMessage(String role, ObjectNode json) {
        this.role = role;
        this.json = json;
    }

    /** @param role {@code system}, {@code user}, {@code assistant} or what else the model's template knows */
    public ChatMessage(String role, String content) {
        this.role = Objects.requireNonNull(role, "role");
        this.json = JsonNodeFactory.instance
                .objectNode()
                .put("role", role)
                .put("content", Objects.requireNonNull(content, "content"));
    }

    /**
     * The message of this object; every field of it reaches the template, in its order.
     *
     * @throws InputException when it is no object with a string {@code role}, or its {@code content} or
     *     {@code tool_calls} is not of the form that they have
     */
    public static ChatMessage of(JsonNode object) {
        return of(object, "message");
    }

    /** As {@link #of(JsonNode)}; errors say that it stands at {@code where}. */
    static ChatMessage of(JsonNode object, String where) {
        if (!(object instanceof ObjectNode fields)) {
            throw wrong(where, "an object with role and content", object);
        }
        JsonNode role = fields.get("role");
        if (role == null || !role.isString()) {
            throw wrong(where + ".role", "a string such as \"user\"", role);
        }
        checkContent(fields.get("content"), where + ".content");
        checkToolCalls(fields.get("tool_calls"), where + ".tool_calls");
        return new ChatMessage(role.stringValue(), fields.deepCopy());
    }

    private static void checkContent(@Nullable JsonNode content, String where) {
        if (content == null || content.isNull() || content.isString()) {
            return;
        }
        if (!content.isArray()) {
            throw wrong(where, "a string, null, or an array of parts", content);
        }
        for (int i = 0; i < content.size(); i++) {
            JsonNode part = content.get(i);
            if (!part.isObject() || !part.path("type").isString()) {
                String expected = "an object with a type, such as {\"type\": \"text\", \"text\": \"…\"}";
                throw wrong(where + "[" + i + "]", expected, part);
            }
            if (part.path("type").stringValue().equals("text") && !part.path("text").isString()) {
                throw wrong(where + "[" + i + "].text", "a string", part.get("text"));
            }
        }
    }

    private static void checkToolCalls(@Nullable JsonNode calls, String where) {
        if (calls == null || calls.isNull()) {
            return;
        }
        if (!calls.isArray()) {
            throw wrong(where, "an array of calls", calls);
        }
        for (int i = 0; i < calls.size(); i++) {
            JsonNode function = calls.get(i).path("function");
            String at = where + "[" + i + "].function";
            if (!function.path("name").isString()) {
                throw wrong(at + ".name", "a string", function.get("name"));
            }
            JsonNode arguments = function.get("arguments");
            if (arguments != null && !arguments.isString() && !arguments.isObject() && !arguments.isNull()) {
                throw wrong(at + ".arguments", "a string of JSON, or an object", arguments);
            }
        }
    }

    static InputException wrong(String where, String expected, @Nullable JsonNode found) {
        return InputException.at(where).expected(expected).found(JsonFile.shown(found)).exception();
    }

    /** Who speaks. */
    public String role() {
        return role;
    }

    /** The text: of parts, the text of each, with line ends between; empty where there is none. */
    public String content() {
        JsonNode content = json.path("content");
        if (content.isString()) {
            return content.stringValue();
        }
        StringBuilder text = new StringBuilder();
        String separator = "";
        for (JsonNode part : content) {
            if (part.path("text").isString()) {
                text.append(separator).append(part.path("text").stringValue());
                separator = "\n";
            }
        }
        return text.toString();
    }

    /** The whole object; the caller's to change. */
    public ObjectNode json() {
        return json.deepCopy();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ChatMessage message && json.equals(message.json);
    }

    @Override
    public int hashCode() {
        return json.hashCode();
    }

    @Override
    public String toString() {
        return json.toString();
    }
}
