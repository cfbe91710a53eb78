package dev.tern.template;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Renders conversations that say unlikely words, and looks where these are. Not thread-safe. */
final class CapabilityProbe {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String WORD = "Fjordbrise";
    private static final String OTHER = "Wendehals";

    private final ChatTemplate template;
    private final Map<String, String> specialTokens;
    private boolean parts;
    private boolean emptyTools;
    private String callId = "abcdEFGH12345678";

    CapabilityProbe(ChatTemplate template, Map<String, String> specialTokens) {
        this.template = template;
        this.specialTokens = specialTokens;
    }

    TemplateCapabilities capabilities() {
        emptyTools = rendered(request(user(WORD))).isEmpty()
                && rendered(request(user(WORD)).withVariable("tools", List.of())).isPresent();
        boolean stringContent = says(WORD, request(user(WORD)));
        parts = true;
        String typed = rendered(request(user(WORD))).orElse("");
        // A list printed as it is, in Python's form or in JSON's, is no support of lists.
        boolean typedContent = typed.contains(WORD) && !typed.contains("'text'") && !typed.contains("\"text\"");
        parts = !stringContent && typedContent;

        boolean systemRole = says(WORD, request(message("system", WORD), user(OTHER)));
        boolean tools = says(WORD, request(user(OTHER)).withTools(List.of(tool(WORD))));
        JsonNode content = content("");
        boolean longIds = !(renderedCalls(content, true, WORD) + renderedCalls(content, false, WORD)).isEmpty();
        if (!longIds) {
            callId = "abcdEF123";
        }
        boolean withoutContent =
                !(renderedCalls(content, true, WORD) + renderedCalls(content, false, WORD)).contains(WORD);
        if (withoutContent) {
            content = JSON.nullNode();
        }
        String objects = renderedCalls(content, true, WORD);
        String strings = renderedCalls(content, false, WORD);
        boolean objectArguments = saysArguments(objects);
        boolean toolCalls = (objectArguments || saysArguments(strings)) && (objects + strings).contains(WORD);
        String several = renderedCalls(content, objectArguments, WORD, OTHER);
        String withNull = renderedCalls(JSON.nullNode(), objectArguments, WORD);
        return new TemplateCapabilities(
                systemRole,
                tools,
                toolCalls,
                toolCalls && several.contains(WORD) && several.contains(OTHER),
                toolCalls && renderedCalls(content, objectArguments, OTHER).contains("Antwort"),
                objectArguments,
                stringContent,
                typedContent,
                toolCalls && withNull.contains(WORD) && !withNull.contains("None"),
                toolCalls && withoutContent,
                toolCalls && !longIds,
                emptyTools,
                says(WORD, request(user(OTHER), reasoned(), user(OTHER))),
                differs("enable_thinking", JSON.booleanNode(true), JSON.booleanNode(false)),
                differs("reasoning_effort", JSON.stringNode("low"), JSON.stringNode("high")),
                endOfTurn());
    }

    /** Whether they appear as JSON, not within a string of it, and not as Python prints a dict. */
    private static boolean saysArguments(String text) {
        return text.contains("eel") && !text.contains("\\\"") && !text.contains("'eel'");
    }

    /** Nothing where the template refuses. */
    private Optional<String> rendered(ChatRequest request) {
        try {
            boolean empty = emptyTools && request.tools().isEmpty();
            ChatRequest asked = empty ? request.withVariable("tools", List.of()) : request;
            return Optional.of(template.render(asked, specialTokens));
        } catch (InputException refused) {
            return Optional.empty();
        }
    }

    private boolean says(String word, ChatRequest request) {
        return rendered(request).orElse("").contains(word);
    }

    private boolean differs(String variable, JsonNode one, JsonNode other) {
        ChatRequest request = request(user(WORD));
        return !rendered(request.withVariable(variable, one)).equals(rendered(request.withVariable(variable, other)));
    }

    private String endOfTurn() {
        String all = rendered(request(user(OTHER), message("assistant", WORD)).withGenerationPrompt(false)).orElse("");
        int at = all.lastIndexOf(WORD);
        return at < 0 ? "" : all.substring(at + WORD.length()).strip().lines().findFirst().orElse("").strip();
    }

    /** A question, calls of functions of these names, and their answers. */
    private String renderedCalls(JsonNode content, boolean objects, String... names) {
        List<ChatMessage> messages = new ArrayList<>(List.of(user("?")));
        ObjectNode assistant = JSON.objectNode().put("role", "assistant");
        assistant.set("content", content);
        ArrayNode calls = assistant.putArray("tool_calls");
        List<ChatMessage> responses = new ArrayList<>();
        List<ObjectNode> tools = new ArrayList<>();
        for (int i = 0; i < names.length; i++) {
            String id = callId.substring(0, callId.length() - 1) + i;
            ObjectNode call = calls.addObject().put("id", id).put("type", "function");
            ObjectNode function = call.putObject("function").put("name", names[i]);
            ObjectNode arguments = JSON.objectNode().put("eel", "pike");
            function.set("arguments", objects ? arguments : JSON.stringNode(arguments.toString()));
            ObjectNode response = JSON.objectNode().put("role", "tool").put("tool_call_id", id).put("name", names[i]);
            response.set("content", content("Antwort"));
            responses.add(ChatMessage.of(response));
            tools.add(tool("sturgeon"));
        }
        messages.add(ChatMessage.of(assistant));
        messages.addAll(responses);
        return rendered(request(messages.toArray(ChatMessage[]::new)).withTools(tools)).orElse("");
    }

    private static ObjectNode tool(String name) {
        ObjectNode tool = JSON.objectNode().put("type", "function");
        ObjectNode function = tool.putObject("function").put("name", name).put("description", "Does it.");
        ObjectNode parameters = function.putObject("parameters").put("type", "object");
        parameters.putObject("properties").putObject("eel").put("type", "string").put("description", "A fish.");
        parameters.putArray("required").add("eel");
        return tool;
    }

    private ChatMessage reasoned() {
        ObjectNode message = JSON.objectNode().put("role", "assistant").put("reasoning_content", WORD);
        message.set("content", content(OTHER));
        return ChatMessage.of(message);
    }

    private ChatMessage user(String text) {
        return message("user", text);
    }

    private ChatMessage message(String role, String text) {
        ObjectNode message = JSON.objectNode().put("role", role);
        message.set("content", content(text));
        return ChatMessage.of(message);
    }

    private JsonNode content(@Nullable String text) {
        if (!parts) {
            return JSON.stringNode(text);
        }
        ArrayNode array = JSON.arrayNode();
        array.addObject().put("type", "text").put("text", text);
        return array;
    }

    private static ChatRequest request(ChatMessage... messages) {
        return ChatRequest.of(List.of(messages));
    }
}
