package dev.tern.server.anthropic;

import dev.tern.server.api.ApiException;
import dev.tern.server.json.FieldException;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Requests of Anthropic's Messages, said in the words of OpenAI's chats. */
final class MessagesBody {
    private static final List<String> OWN = List.of(
            "messages", "system", "tools", "tool_choice", "stop_sequences", "thinking", "metadata", "service_tier",
            "n"); // an answer is one message

    private final ArrayNode messages = Json.array();

    private MessagesBody() {}

    /** The same request for a chat. What is not Anthropic's, such as llama-server's sampling fields, stays as it is. */
    static Fields toChat(Fields body) {
        ObjectNode chat = Json.object();
        body.names().stream()
                .filter(name -> !OWN.contains(name))
                .forEach(name -> chat.set(name, body.node().get(name)));
        MessagesBody converted = new MessagesBody();
        converted.system(body);
        if (body.objects("messages").isEmpty()) {
            throw body.wrong("messages", "an array of at least one message");
        }
        body.objects("messages").forEach(converted::message);
        chat.set("messages", converted.messages);
        if (body.has("stop_sequences")) {
            ArrayNode stop = chat.putArray("stop");
            body.texts("stop_sequences").forEach(stop::add);
        }
        if (body.has("tools")) {
            tools(body, chat.putArray("tools"));
        }
        body.object("tool_choice").ifPresent(choice -> choice(choice, chat));
        body.object("thinking").ifPresent(thinking -> chat.putObject("chat_template_kwargs")
                .put("enable_thinking", !thinking.text("type").orElse("enabled").equals("disabled")));
        return Fields.of(chat, "");
    }

    private void system(Fields body) {
        if (body.has("system")) {
            messages.addObject().put("role", "system").put("content", text(body, "system"));
        }
    }

    /** A text, or the texts of blocks. */
    private static String text(Fields fields, String name) {
        if (fields.value(name).isString()) {
            return fields.requiredText(name);
        }
        StringBuilder text = new StringBuilder();
        for (Fields block : fields.objects(name)) {
            requireText(block);
            text.append(text.isEmpty() ? "" : "\n").append(block.requiredText("text"));
        }
        return text.toString();
    }

    private static void requireText(Fields block) {
        String type = block.requiredText("type");
        if (!type.equals("text")) {
            throw ApiException.notSupported(block.path("type") + ": the model reads text, not " + type);
        }
    }

    private void message(Fields message) {
        String role = message.word("role", "", List.of("user", "assistant", "system"));
        if (message.value("content").isString()) {
            messages.addObject().put("role", role).put("content", message.requiredText("content"));
            return;
        }
        StringBuilder text = new StringBuilder();
        StringBuilder thinking = new StringBuilder();
        ArrayNode calls = Json.array();
        for (Fields block : message.objects("content")) {
            switch (block.requiredText("type")) {
                case "tool_use" -> {
                    ObjectNode call = calls.addObject().put("id", block.requiredText("id")).put("type", "function");
                    call.putObject("function")
                            .put("name", block.requiredText("name"))
                            .put("arguments", Json.text(input(block)));
                }
                case "tool_result" ->
                    messages.addObject()
                            .put("role", "tool")
                            .put("tool_call_id", block.requiredText("tool_use_id"))
                            .put("content", block.has("content") ? text(block, "content") : "");
                case "thinking" -> thinking.append(block.text("thinking").orElse(""));
                case "redacted_thinking" -> {}
                default -> {
                    requireText(block);
                    text.append(text.isEmpty() ? "" : "\n").append(block.requiredText("text"));
                }
            }
        }
        if (text.isEmpty() && calls.isEmpty() && thinking.isEmpty()) {
            return; // results of tools alone
        }
        ObjectNode converted = messages.addObject().put("role", role).put("content", text.toString());
        if (!thinking.isEmpty()) {
            converted.put("reasoning_content", thinking.toString());
        }
        if (!calls.isEmpty()) {
            converted.set("tool_calls", calls);
        }
    }

    private static JsonNode input(Fields block) {
        return block.object("input").map(input -> (JsonNode) input.node()).orElse(Json.object());
    }

    private static void tools(Fields body, ArrayNode tools) {
        for (Fields tool : body.objects("tools")) {
            if (!tool.text("type").orElse("custom").equals("custom")) {
                throw ApiException.notSupported(tool.path("type") + ": the server runs no tools of its own");
            }
            ObjectNode function = tools.addObject().put("type", "function").putObject("function");
            function.put("name", tool.requiredText("name"));
            tool.text("description").ifPresent(text -> function.put("description", text));
            Optional<Fields> schema = tool.object("input_schema");
            schema.ifPresent(parameters -> function.set("parameters", parameters.node()));
        }
    }

    private static void choice(Fields choice, ObjectNode chat) {
        switch (choice.requiredText("type")) {
            case "auto" -> chat.put("tool_choice", "auto");
            case "any" -> chat.put("tool_choice", "required");
            case "none" -> chat.put("tool_choice", "none");
            case "tool" ->
                chat.putObject("tool_choice")
                        .put("type", "function")
                        .putObject("function")
                        .put("name", choice.requiredText("name"));
            default -> throw new FieldException(choice.path("type"), "expected auto, any, tool or none");
        }
        if (choice.flag("disable_parallel_tool_use", false)) {
            chat.put("parallel_tool_calls", false);
        }
    }
}
