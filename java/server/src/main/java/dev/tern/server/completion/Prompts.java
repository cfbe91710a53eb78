package dev.tern.server.completion;

import dev.tern.server.api.ApiException;
import dev.tern.server.json.FieldException;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/**
 * Prompts as llama-server takes them: a text; an array of token ids, with texts between them; an object with
 * {@code prompt_string}; or an array of such prompts. An array of texts alone is many prompts.
 */
public final class Prompts {
    private final Served served;

    public Prompts(Served served) {
        this.served = served;
    }

    /** All prompts of a field, in order. */
    public List<int[]> read(Fields body, String field) {
        if (!body.has(field)) {
            throw body.wrong(field, "a text, an array of token ids, or an array of prompts");
        }
        JsonNode value = body.value(field);
        if (!isMany(value)) {
            return List.of(one(value, field));
        }
        List<int[]> prompts = new ArrayList<>();
        for (JsonNode element : value) {
            prompts.add(one(element, field + '[' + prompts.size() + ']'));
        }
        return prompts;
    }

    /** How many prompts a field has, before any is read: 1 where it is none. */
    public static int count(Fields body, String field) {
        JsonNode value = body.value(field);
        return isMany(value) ? value.size() : 1;
    }

    private static boolean isMany(JsonNode value) {
        return value.isArray() && !value.isEmpty() && value.valueStream().noneMatch(JsonNode::isNumber);
    }

    private int[] one(JsonNode value, String field) {
        if (value.isString()) {
            return served.encodePrompt(value.stringValue());
        }
        if (value.isObject()) {
            Fields fields = Fields.of(value, field);
            if (!fields.elements("multimodal_data").isEmpty()) {
                throw ApiException.notSupported("the model reads text alone");
            }
            return served.encodePrompt(fields.requiredText("prompt_string"));
        }
        if (!value.isArray()) {
            throw new FieldException(
                    field,
                    "expected a text, an array of token ids, or an array of prompts, found " + Json.shown(value));
        }
        IntStream.Builder ids = IntStream.builder();
        int at = 0;
        for (JsonNode element : value) {
            if (element.isString()) {
                String text = element.stringValue();
                int[] piece = at == 0 ? served.encodePrompt(text) : served.tokenizer().encode(text, false, true);
                IntStream.of(piece).forEach(ids::add);
            } else {
                ids.add(id(element, field + '[' + at + ']'));
            }
            at++;
        }
        return ids.build().toArray();
    }

    /** A token id of the model. */
    public int id(JsonNode value, String field) {
        int size = served.model().hyperparameters().vocabSize();
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 0 || value.asInt() >= size) {
            throw new FieldException(
                    field, "expected a token id from 0 to " + (size - 1) + ", found " + Json.shown(value));
        }
        return value.asInt();
    }
}
