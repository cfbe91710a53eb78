package dev.tern.cli;

import dev.tern.GenerationOptions;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.template.ChatMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A chat in a file: JSON with {@code format} ({@code tern-chat}), {@code version} (1), {@code model} (its file's name, for
 * people), {@code system} (a string or null), {@code messages} (questions and answers in turns, each with {@code role} and
 * {@code content}) and {@code settings} (strings, under the names of {@link ChatSetting}).
 *
 * @param messages without the system's
 * @param settings those that are in the file; others stay as they are
 */
record SavedChat(
        String model, @Nullable String system, List<ChatMessage> messages, Map<ChatSetting, String> settings) {
    private static final String FORMAT = "tern-chat";
    private static final int VERSION = 1;

    SavedChat {
        messages = List.copyOf(messages);
        settings = Map.copyOf(settings);
    }

    /** All settings of these options. */
    static Map<ChatSetting, String> settings(GenerationOptions options) {
        Map<ChatSetting, String> settings = new LinkedHashMap<>();
        for (ChatSetting setting : ChatSetting.values()) {
            settings.put(setting, setting.get(options));
        }
        return settings;
    }

    /** @throws InputException when the file cannot be written, or exists and must not be replaced */
    void write(Path file, boolean overwrite) {
        if (!overwrite && Files.exists(file)) {
            throw InputException.at(file)
                    .problem("exists already")
                    .cure("Name another file, or replace it: /save --overwrite " + file + ".")
                    .exception();
        }
        ObjectNode root = Json.object();
        root.put("format", FORMAT).put("version", VERSION).put("model", model).put("system", system);
        ArrayNode array = root.putArray("messages");
        messages.forEach(message -> array.add(message.json()));
        ObjectNode named = root.putObject("settings");
        for (ChatSetting setting : ChatSetting.values()) {
            String value = settings.get(setting);
            if (value != null) {
                named.put(setting.label(), value);
            }
        }
        AtomicText.write(file, Json.document(root));
    }

    /** @throws InputException when it is missing, or no saved chat */
    static SavedChat read(Path file) {
        if (!Files.exists(file)) {
            throw InputException.at(file).problem("no such file").cure("Check the path.").exception();
        }
        ObjectNode root = JsonFile.read(file);
        if (!root.path("format").asString("").equals(FORMAT)) {
            throw wrong(file, "format", "a chat that /save has written, with format \"" + FORMAT + "\"", root.get("format"));
        }
        if (root.path("version").asInt(0) != VERSION) {
            throw wrong(file, "version", VERSION, root.get("version"));
        }
        JsonNode system = root.path("system");
        if (!system.isMissingNode() && !system.isNull() && !system.isString()) {
            throw wrong(file, "system", "a string or null", system);
        }
        return new SavedChat(
                root.path("model").asString(""),
                system.isString() ? system.stringValue() : null,
                readMessages(file, root.path("messages")),
                readSettings(file, root.path("settings")));
    }

    private static List<ChatMessage> readMessages(Path file, JsonNode array) {
        if (!array.isArray() || array.size() % 2 != 0) {
            throw wrong(file, "messages", "an array of questions, each with its answer behind it", array);
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode each : array) {
            ChatMessage message;
            try {
                message = ChatMessage.of(each);
            } catch (InputException e) {
                throw InputException.at(file).key("messages").problem(String.valueOf(e.getMessage())).exception(e);
            }
            String role = messages.size() % 2 == 0 ? "user" : "assistant";
            if (!message.role().equals(role)) {
                throw wrong(file, "messages[" + messages.size() + "].role", "\"" + role + "\"", each.get("role"));
            }
            messages.add(message);
        }
        return messages;
    }

    private static Map<ChatSetting, String> readSettings(Path file, JsonNode object) {
        Map<ChatSetting, String> settings = new LinkedHashMap<>();
        if (object.isMissingNode()) {
            return settings;
        }
        if (!object.isObject()) {
            throw wrong(file, "settings", "an object", object);
        }
        for (String name : object.propertyNames()) {
            JsonNode value = object.path(name);
            ChatSetting setting = ChatSetting.of(name)
                    .orElseThrow(() -> wrong(file, "settings." + name, "one of those that /set lists", value));
            if (!value.isString() && !value.isNumber()) {
                throw wrong(file, "settings." + name, "a string or a number", value);
            }
            settings.put(setting, value.asString());
        }
        return settings;
    }

    private static InputException wrong(Path file, String key, Object expected, @Nullable JsonNode found) {
        return InputException.at(file).key(key).expected(expected).found(JsonFile.shown(found)).exception();
    }
}
