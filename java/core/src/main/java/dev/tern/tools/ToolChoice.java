package dev.tern.tools;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Whether tools may, must or must not be called: {@code tool_choice} of OpenAI's interface. */
public sealed interface ToolChoice {
    /** The model decides. */
    record Auto() implements ToolChoice {}

    /** No tool is called; the model is not told of any. */
    record None() implements ToolChoice {}

    /** At least one is called. */
    record Required() implements ToolChoice {}

    /** This one is called. */
    record Named(String name) implements ToolChoice {}

    /**
     * What the body of a request asks for: {@code tool_choice} is {@code "auto"}, {@code "none"}, {@code "required"} or
     * {@code {"type": "function", "function": {"name": …}}}; without it, the model decides.
     *
     * @throws InputException when it is something else, or names none of these tools
     */
    static ToolChoice read(JsonNode body, List<ObjectNode> tools) {
        JsonNode choice = body.path("tool_choice");
        if (choice.isMissingNode() || choice.isNull()) {
            return new Auto();
        }
        if (choice.isObject() && choice.path("function").path("name").isString()) {
            String name = choice.path("function").path("name").stringValue();
            if (tools.stream().noneMatch(tool -> ChatFormat.name(tool).equals(name))) {
                throw InputException.at("tool_choice.function.name")
                        .problem("no such tool")
                        .expected(tools.stream().map(ChatFormat::name).toList())
                        .found(name)
                        .exception();
            }
            return new Named(name);
        }
        ToolChoice plain = switch (choice.asString("")) {
            case "auto" -> new Auto();
            case "none" -> new None();
            case "required", "any" -> new Required();
            default -> throw InputException.at("tool_choice")
                    .expected("\"auto\", \"none\", \"required\", or an object that names a function")
                    .found(JsonFile.shown(choice))
                    .exception();
        };
        if (plain instanceof Required && tools.isEmpty()) {
            throw InputException.at("tool_choice").problem("a call is required, but no tools are given").exception();
        }
        return plain;
    }
}
