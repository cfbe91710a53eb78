package dev.tern.tools;

import dev.tern.template.ChatMessage;
import dev.tern.template.ChatRequest;
import dev.tern.template.TemplateCapabilities;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Fits a conversation to what a template can render: what it would pass over, print in Python's words or refuse is said
 * in another way. Leaves everything else as it is. Immutable, thread-safe.
 */
final class TemplateFit {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static final int SHORT_ID = 9;

    private final TemplateCapabilities can;
    private final boolean nativeTools;
    private final boolean knowsDevelopers;

    /**
     * @param nativeTools whether tools and calls are left to the template
     * @param source of the template
     */
    TemplateFit(TemplateCapabilities can, boolean nativeTools, String source) {
        this.can = can;
        this.nativeTools = nativeTools;
        this.knowsDevelopers = source.contains("developer");
    }

    ChatRequest fit(ChatRequest request) {
        List<ObjectNode> messages =
                request.messages().stream().map(ChatMessage::json).collect(Collectors.toCollection(ArrayList::new));
        messages.forEach(this::fitMessage);
        if (!nativeTools) {
            messages = withoutToolRoles(messages);
        } else {
            messages = can.parallelToolCalls() ? messages : oneCallEach(messages);
            messages = can.callsWithoutContent() ? callsApart(messages) : messages;
        }
        List<ObjectNode> tools = request.tools();
        if (!nativeTools && !tools.isEmpty()) {
            tellSystem(messages, ToolDescription.of(tools));
            tools = List.of();
        }
        if (!can.systemRole()) {
            messages = withoutSystem(messages);
        }
        messages.forEach(this::fitContent);
        ChatRequest fitted = can.emptyTools() && tools.isEmpty() ? request.withVariable("tools", List.of()) : request;
        return fitted.withTools(tools).withMessages(messages.stream().map(ChatMessage::of).toList());
    }

    private static String role(ObjectNode message) {
        return message.path("role").stringValue();
    }

    private static String text(ObjectNode message) {
        return ChatMessage.of(message).content();
    }

    private void fitMessage(ObjectNode message) {
        if (role(message).equals("developer") && !knowsDevelopers) {
            message.put("role", "system");
        }
        if (can.shortCallIds() && message.path("tool_call_id").isString()) {
            message.put("tool_call_id", shortId(message.path("tool_call_id").stringValue()));
        }
        for (JsonNode call : message.path("tool_calls")) {
            ObjectNode fields = (ObjectNode) call;
            if (can.shortCallIds()) {
                fields.put("id", shortId(call.path("id").asString("")));
            }
            ObjectNode function = (ObjectNode) call.path("function");
            JsonNode arguments = function.path("arguments");
            if (nativeTools && can.objectArguments()) {
                function.set("arguments", object(arguments));
            } else if (nativeTools && !arguments.isString()) {
                function.put("arguments", arguments.isObject() ? arguments.toString() : "{}");
            }
        }
    }

    /** Arguments as an object; what is no JSON stays the string that it is. */
    private static JsonNode object(JsonNode arguments) {
        if (!arguments.isString()) {
            return arguments.isObject() ? arguments : JSON.objectNode();
        }
        if (arguments.stringValue().isBlank()) {
            return JSON.objectNode();
        }
        try {
            return MAPPER.readTree(arguments.stringValue());
        } catch (JacksonException e) {
            return arguments;
        }
    }

    /** Nine letters and digits: the id itself where it is such, else what its hash gives. */
    private static String shortId(String id) {
        if (id.length() == SHORT_ID && id.chars().allMatch(c -> DIGITS.indexOf(c) >= 0)) {
            return id;
        }
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
            StringBuilder out = new StringBuilder();
            for (int i = 0; i < SHORT_ID; i++) {
                out.append(DIGITS.charAt(Math.floorMod(hash[i], DIGITS.length())));
            }
            return out.toString();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    private void fitContent(ObjectNode message) {
        JsonNode content = message.path("content");
        if (content.isArray() && can.stringContent() && !can.typedContent()) {
            message.put("content", text(message));
        } else if (content.isString() && !can.stringContent() && can.typedContent()) {
            ArrayNode parts = JSON.arrayNode();
            parts.addObject().put("type", "text").put("text", content.stringValue());
            message.set("content", parts);
        } else if ((content.isNull() || content.isMissingNode())
                && !(can.nullContent() && !message.path("tool_calls").isEmpty())) {
            message.put("content", "");
        }
    }

    /** Calls become what the model would have written, and what tools answered becomes the user's. */
    private static List<ObjectNode> withoutToolRoles(List<ObjectNode> messages) {
        List<ObjectNode> out = new ArrayList<>();
        Map<String, String> names = new HashMap<>();
        boolean responding = false;
        for (ObjectNode message : messages) {
            boolean response = role(message).equals("tool");
            if (response) {
                String called = names.getOrDefault(message.path("tool_call_id").asString(""), "");
                String said = ToolDescription.response(message.path("name").asString(called), text(message));
                if (responding) {
                    out.getLast().put("content", text(out.getLast()) + "\n" + said);
                } else {
                    out.add(JSON.objectNode().put("role", "user").put("content", said));
                }
            } else {
                JsonNode calls = message.path("tool_calls");
                for (JsonNode call : calls) {
                    names.put(call.path("id").asString(""), ChatFormat.name(call));
                }
                if (!calls.isEmpty()) {
                    String content = text(message);
                    message.put("content", content + (content.isEmpty() ? "" : "\n") + ToolDescription.calls(calls));
                }
                message.remove("tool_calls");
                out.add(message);
            }
            responding = response;
        }
        return out;
    }

    /** Each call in a message of its own, with its answer behind it. */
    private static List<ObjectNode> oneCallEach(List<ObjectNode> messages) {
        List<ObjectNode> out = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            ObjectNode message = messages.get(i);
            JsonNode calls = message.path("tool_calls");
            if (calls.size() < 2) {
                out.add(message);
                continue;
            }
            List<ObjectNode> responses = new ArrayList<>();
            while (i + 1 < messages.size() && role(messages.get(i + 1)).equals("tool")) {
                responses.add(messages.get(++i));
            }
            for (int c = 0; c < calls.size(); c++) {
                ObjectNode single = message.deepCopy();
                single.putArray("tool_calls").add(calls.get(c));
                if (c > 0) {
                    single.put("content", "");
                    single.remove("reasoning_content");
                }
                out.add(single);
                String id = calls.get(c).path("id").asString("");
                int at = indexOf(responses, id);
                if (at >= 0) {
                    out.add(responses.remove(at));
                }
            }
            out.addAll(responses);
        }
        return out;
    }

    /** The response to this call; the first, where none says which call it answers. */
    private static int indexOf(List<ObjectNode> responses, String id) {
        for (int i = 0; i < responses.size(); i++) {
            if (responses.get(i).path("tool_call_id").asString("").equals(id)) {
                return i;
            }
        }
        return !responses.isEmpty() && !responses.getFirst().has("tool_call_id") ? 0 : -1;
    }

    /** What is said beside calls in a message before them, and these without content. */
    private static List<ObjectNode> callsApart(List<ObjectNode> messages) {
        List<ObjectNode> out = new ArrayList<>();
        for (ObjectNode message : messages) {
            if (!message.path("tool_calls").isEmpty()) {
                if (!text(message).isEmpty()) {
                    ObjectNode said = message.deepCopy();
                    said.remove("tool_calls");
                    out.add(said);
                    message.remove("reasoning_content");
                }
                message.putNull("content");
            }
            out.add(message);
        }
        return out;
    }

    private static void tellSystem(List<ObjectNode> messages, String text) {
        if (!messages.isEmpty() && role(messages.getFirst()).equals("system")) {
            ObjectNode system = messages.getFirst();
            system.put("content", text(system) + "\n\n" + text);
        } else {
            messages.addFirst(JSON.objectNode().put("role", "system").put("content", text));
        }
    }

    /** What the system says is said at the beginning of the user's next message. */
    private static List<ObjectNode> withoutSystem(List<ObjectNode> messages) {
        List<ObjectNode> out = new ArrayList<>();
        StringBuilder pending = new StringBuilder();
        for (ObjectNode message : messages) {
            if (role(message).equals("system")) {
                pending.append(pending.isEmpty() ? "" : "\n\n").append(text(message));
                continue;
            }
            if (!pending.isEmpty() && role(message).equals("user")) {
                message.put("content", pending + "\n\n" + text(message));
                pending.setLength(0);
            } else if (!pending.isEmpty()) {
                out.add(JSON.objectNode().put("role", "user").put("content", pending.toString()));
                pending.setLength(0);
            }
            out.add(message);
        }
        if (!pending.isEmpty()) {
            out.add(JSON.objectNode().put("role", "user").put("content", pending.toString()));
        }
        return out;
    }
}
