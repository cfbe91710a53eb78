package dev.tern.server.openai;

import dev.tern.server.api.ApiException;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Requests of OpenAI's Responses, said in the words of its chats. */
final class ResponsesBody {
    private static final List<String> OWN = List.of(
            "input", "instructions", "tools", "tool_choice", "max_output_tokens", "text", "reasoning", "store",
            "include", "truncation", "metadata", "previous_response_id", "conversation", "prompt", "background", "n");

    private final ArrayNode messages = Json.array();

    private ResponsesBody() {}

    static Fields toChat(Fields body) {
        for (String kept : List.of("previous_response_id", "conversation", "prompt")) {
            if (body.has(kept)) {
                throw ApiException.notSupported(
                        kept + ": the server keeps nothing; send the whole conversation as input");
            }
        }
        if (body.flag("background", false)) {
            throw ApiException.notSupported("background: the server keeps nothing; stream the answer");
        }
        ObjectNode chat = Json.object();
        body.names().stream()
                .filter(name -> !OWN.contains(name))
                .forEach(name -> chat.set(name, body.node().get(name)));
        ResponsesBody converted = new ResponsesBody();
        body.text("instructions").ifPresent(text -> converted.message("system", text));
        converted.input(body);
        chat.set("messages", converted.messages);
        body.integer("max_output_tokens", 1, Integer.MAX_VALUE).ifPresent(max -> chat.put("max_tokens", max));
        body.object("reasoning")
                .flatMap(reasoning -> reasoning.text("effort"))
                .ifPresent(effort -> chat.put("reasoning_effort", effort));
        body.object("text").flatMap(text -> text.object("format")).ifPresent(format -> format(format, chat));
        if (body.has("tools")) {
            tools(body, chat.putArray("tools"));
        }
        if (body.value("tool_choice").isObject()) {
            Fields choice = body.object("tool_choice").orElseThrow();
            chat.putObject("tool_choice")
                    .put("type", "function")
                    .putObject("function")
                    .put("name", choice.requiredText("name"));
        } else {
            body.text("tool_choice").ifPresent(choice -> chat.put("tool_choice", choice));
        }
        return Fields.of(chat, "");
    }

    private void message(String role, String text) {
        messages.addObject().put("role", role).put("content", text);
    }

    private void input(Fields body) {
        if (body.value("input").isString()) {
            message("user", body.requiredText("input"));
            return;
        }
        List<Fields> items = body.objects("input");
        if (items.isEmpty()) {
            throw body.wrong("input", "a text, or an array of items");
        }
        items.forEach(this::item);
    }

    private void item(Fields item) {
        switch (item.text("type").orElse("message")) {
            case "message" -> {
                String role = item.word("role", "", List.of("user", "assistant", "system", "developer"));
                message(role.equals("developer") ? "system" : role, content(item));
            }
            case "function_call" -> {
                ObjectNode call = lastAssistant().withArray("tool_calls").addObject();
                call.put("id", item.requiredText("call_id")).put("type", "function");
                call.putObject("function")
                        .put("name", item.requiredText("name"))
                        .put("arguments", item.requiredText("arguments"));
            }
            case "function_call_output" ->
                messages.addObject()
                        .put("role", "tool")
                        .put("tool_call_id", item.requiredText("call_id"))
                        .put(
                                "content",
                                item.value("output").isString() ? item.requiredText("output") : parts(item, "output"));
            case "reasoning" -> {} // of earlier answers; models are not shown it again
            default ->
                throw ApiException.notSupported(item.path("type") + ": the model reads text and calls of functions");
        }
    }

    /** The message that a call belongs to: the assistant's that stands last, or a new one. */
    private ObjectNode lastAssistant() {
        if (!messages.isEmpty()
                && messages.get(messages.size() - 1) instanceof ObjectNode last
                && last.path("role").asString().equals("assistant")) {
            return last;
        }
        return messages.addObject().put("role", "assistant").put("content", "");
    }

    private static String content(Fields item) {
        return item.value("content").isString() ? item.requiredText("content") : parts(item, "content");
    }

    private static String parts(Fields item, String name) {
        StringBuilder text = new StringBuilder();
        for (Fields part : item.objects(name)) {
            String type = part.requiredText("type");
            if (!type.equals("input_text") && !type.equals("output_text") && !type.equals("text")) {
                throw ApiException.notSupported(part.path("type") + ": the model reads text, not " + type);
            }
            text.append(text.isEmpty() ? "" : "\n").append(part.requiredText("text"));
        }
        return text.toString();
    }

    private static void format(Fields format, ObjectNode chat) {
        String type = format.requiredText("type");
        ObjectNode converted = chat.putObject("response_format").put("type", type);
        if (type.equals("json_schema")) {
            ObjectNode schema = converted.putObject("json_schema");
            format.names().stream()
                    .filter(name -> !name.equals("type"))
                    .forEach(name -> schema.set(name, format.node().get(name)));
        }
    }

    private static void tools(Fields body, ArrayNode tools) {
        for (Fields tool : body.objects("tools")) {
            if (!tool.requiredText("type").equals("function")) {
                throw ApiException.notSupported(tool.path("type") + ": the server runs no tools of its own");
            }
            ObjectNode function = tools.addObject().put("type", "function").putObject("function");
            tool.names().stream()
                    .filter(name -> !name.equals("type"))
                    .forEach(name -> function.set(name, tool.node().get(name)));
        }
    }
}
