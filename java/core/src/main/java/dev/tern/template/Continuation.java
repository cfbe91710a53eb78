package dev.tern.template;

import dev.tern.io.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A last message that the model is to go on with ({@code continue_final_message} of transformers 5): a mark is put
 * behind its text, and what the template renders from the mark on is cut off.
 *
 * @param messages with the mark
 * @param text what the mark stands behind
 */
record Continuation(List<ChatMessage> messages, String text) {
    private static final String MARK = "CONTINUE_FINAL_MESSAGE_TAG ";

    /** @throws InputException when there is no such text, or the template never asks for this field */
    static Continuation of(List<ChatMessage> messages, String field, String source) {
        ObjectNode last = messages.isEmpty() ? null : messages.getLast().json();
        JsonNode value = last == null ? null : last.get(field);
        if (last == null || value == null || value.isNull()) {
            throw wrong("the last message has no '" + field + "' that could be continued");
        }
        if (!source.contains(field)) {
            throw wrong("the template has no field '" + field + "'");
        }
        String text = null;
        if (value.isString()) {
            text = value.stringValue();
            last.put(field, text + MARK);
        }
        for (int i = value.size() - 1; i >= 0 && text == null; i--) {
            if (value.get(i) instanceof ObjectNode part && part.path("text").isString()) {
                text = part.path("text").stringValue();
                part.put("text", text + MARK);
            }
        }
        if (text == null) {
            throw wrong("the last message has no text that could be continued");
        }
        List<ChatMessage> marked = new ArrayList<>(messages);
        marked.set(marked.size() - 1, ChatMessage.of(last));
        return new Continuation(marked, text);
    }

    String render(Function<List<ChatMessage>, String> template) {
        String all = template.apply(messages);
        int at = all.lastIndexOf(MARK.strip());
        if (at < 0 || !all.contains(Methods.strip(text, null, true, true))) {
            throw wrong("the template does not render the last message as it is");
        }
        // A template that trims has trimmed the mark's space, too, and would have trimmed the text's own.
        return all.startsWith(MARK, at) ? all.substring(0, at) : Values.stripEnd(all.substring(0, at));
    }

    private static InputException wrong(String problem) {
        return InputException.at("continue_final_message").problem(problem).exception();
    }
}
