package dev.tern.template;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A conversation that a chat template is to render, with all that {@code apply_chat_template} of transformers takes
 * beside it. Immutable, if the JSON given is left alone.
 *
 * @param messages the conversation, oldest first
 * @param tools functions that may be called, each {@code {"type": "function", "function": {"name", "description",
 *     "parameters": a JSON Schema}}}; empty for none
 * @param documents for retrieval, each with {@code title} and {@code text}; empty for none
 * @param variables what else the template may ask for ({@code enable_thinking}, {@code custom_tools}, …): JSON, or
 *     strings, numbers, booleans, null, lists and maps. They go before the model's special tokens
 * @param addGenerationPrompt ends with the beginning of the model's answer
 * @param continued the field of the last message, {@code content} or {@code reasoning_content}, that the model is to
 *     go on with: the text ends where that field does. Excludes {@code addGenerationPrompt}
 */
public record ChatRequest(
        List<ChatMessage> messages,
        List<ObjectNode> tools,
        List<ObjectNode> documents,
        Map<String, @Nullable Object> variables,
        boolean addGenerationPrompt,
        Optional<String> continued) {

    /** @throws IllegalArgumentException for a generation prompt behind a message that is to be continued */
    public ChatRequest {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        documents = List.copyOf(documents);
        variables = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(variables));
        if (addGenerationPrompt && continued.isPresent()) {
            throw new IllegalArgumentException("a message is to be continued and another to be begun");
        }
    }

    /** These messages, and the beginning of an answer. */
    public static ChatRequest of(List<ChatMessage> messages) {
        return new ChatRequest(messages, List.of(), List.of(), Map.of(), true, Optional.empty());
    }

    /**
     * What the body of a request to {@code /v1/chat/completions} or {@code /apply-template} says of the prompt:
     * {@code messages}, {@code tools}, {@code documents}, {@code chat_template_kwargs}, {@code reasoning_effort},
     * {@code add_generation_prompt} (true when absent) and {@code continue_final_message} (true, or a field's name; an
     * answer is begun then only if asked for).
     *
     * @throws InputException that names the field, such as {@code messages[2].role}, where it is not what it has to be
     */
    public static ChatRequest read(JsonNode body) {
        List<ChatMessage> messages = new ArrayList<>();
        JsonNode given = body.path("messages");
        if (!given.isArray() || given.isEmpty()) {
            throw ChatMessage.wrong("messages", "an array of at least one message", body.get("messages"));
        }
        for (int i = 0; i < given.size(); i++) {
            ChatMessage message = ChatMessage.of(given.get(i), "messages[" + i + "]");
            requireText(message.json().path("content"), "messages[" + i + "].content");
            messages.add(message);
        }
        Optional<String> continued = continued(body.path("continue_final_message"));
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        JsonNode effort = body.path("reasoning_effort");
        if (effort.isString()) {
            variables.put("reasoning_effort", effort.stringValue());
        }
        JsonNode more = body.path("chat_template_kwargs");
        if (more.isObject()) {
            more.properties().forEach(entry -> variables.put(entry.getKey(), entry.getValue()));
        } else if (!absent(more)) {
            throw ChatMessage.wrong("chat_template_kwargs", "an object", more);
        }
        boolean prompt = flag(body, "add_generation_prompt", continued.isEmpty());
        if (prompt && continued.isPresent()) {
            throw InputException.at("add_generation_prompt")
                    .problem("the last message is to be continued and another to be begun")
                    .cure("Leave either continue_final_message or add_generation_prompt away.")
                    .exception();
        }
        return new ChatRequest(
                messages,
                tools(body.path("tools")),
                objects(body.path("documents"), "documents"),
                variables,
                prompt,
                continued);
    }

    private static boolean absent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private static void requireText(JsonNode content, String where) {
        if (content.isArray()) {
            for (int i = 0; i < content.size(); i++) {
                JsonNode part = content.get(i);
                if (!part.path("text").isString()) {
                    throw ChatMessage.wrong(
                            where + "[" + i + "]", "text, the one kind of content that Tern's models read", part);
                }
            }
        }
    }

    private static Optional<String> continued(JsonNode node) {
        if (node.isString()) {
            return Optional.of(node.stringValue());
        }
        if (!absent(node) && !node.isBoolean()) {
            throw ChatMessage.wrong("continue_final_message", "a boolean, or a field's name", node);
        }
        return node.asBoolean(false) ? Optional.of("content") : Optional.empty();
    }

    private static boolean flag(JsonNode body, String name, boolean fallback) {
        JsonNode node = body.path(name);
        if (!absent(node) && !node.isBoolean()) {
            throw ChatMessage.wrong(name, "true or false", node);
        }
        return node.asBoolean(fallback);
    }

    private static List<ObjectNode> tools(JsonNode array) {
        List<ObjectNode> tools = objects(array, "tools");
        for (int i = 0; i < tools.size(); i++) {
            ObjectNode tool = tools.get(i);
            String where = "tools[" + i + "]";
            if (!tool.path("type").asString("function").equals("function")) {
                throw ChatMessage.wrong(where + ".type", "\"function\"", tool.get("type"));
            }
            JsonNode name = tool.path("function").path("name");
            if (!name.isString() || name.stringValue().isEmpty()) {
                throw ChatMessage.wrong(where + ".function.name", "a name", tool.path("function").get("name"));
            }
            JsonNode parameters = tool.path("function").path("parameters");
            if (!absent(parameters) && !parameters.isObject()) {
                throw ChatMessage.wrong(where + ".function.parameters", "a JSON Schema", parameters);
            }
        }
        return tools;
    }

    private static List<ObjectNode> objects(JsonNode array, String where) {
        List<ObjectNode> objects = new ArrayList<>();
        if (!absent(array) && !array.isArray()) {
            throw ChatMessage.wrong(where, "an array", array);
        }
        for (int i = 0; i < array.size(); i++) {
            if (!(array.get(i) instanceof ObjectNode object)) {
                throw ChatMessage.wrong(where + "[" + i + "]", "an object", array.get(i));
            }
            objects.add(object.deepCopy());
        }
        return objects;
    }

    /** The same with other messages. */
    public ChatRequest withMessages(List<ChatMessage> other) {
        return new ChatRequest(other, tools, documents, variables, addGenerationPrompt, continued);
    }

    /** The same with other tools. */
    public ChatRequest withTools(List<ObjectNode> other) {
        return new ChatRequest(messages, other, documents, variables, addGenerationPrompt, continued);
    }

    /** The same with another variable, or another value of it. */
    public ChatRequest withVariable(String name, @Nullable Object value) {
        Map<String, @Nullable Object> more = new LinkedHashMap<>(variables);
        more.put(Objects.requireNonNull(name, "name"), value);
        return new ChatRequest(messages, tools, documents, more, addGenerationPrompt, continued);
    }

    /** The same with or without the beginning of an answer; a message that was to be continued no longer is. */
    public ChatRequest withGenerationPrompt(boolean add) {
        return new ChatRequest(messages, tools, documents, variables, add, Optional.empty());
    }

    /** The same with the last message's {@code field} to be continued, and no answer begun. */
    public ChatRequest withContinued(String field) {
        return new ChatRequest(messages, tools, documents, variables, false, Optional.of(field));
    }
}
