package dev.tern.server.completion;

import dev.tern.server.json.FieldException;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import java.util.HashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * {@code logit_bias}: an array of pairs or an object, from a token's id, or a text all of whose tokens are meant, to
 * what is added to the logit; false bans it.
 */
final class LogitBias {
    private static final String NAME = "logit_bias";

    private final Served served;
    private final Map<Integer, Float> biases = new HashMap<>();

    LogitBias(Served served) {
        this.served = served;
    }

    Map<Integer, Float> read(Fields body) {
        JsonNode value = body.value(NAME);
        if (value.isObject()) {
            value.properties().forEach(entry -> {
                String field = body.path(NAME) + '.' + entry.getKey();
                boolean id = entry.getKey().matches("\\d{1,9}");
                if (id) {
                    add(requireId(Integer.parseInt(entry.getKey()), field), entry.getValue(), field);
                } else {
                    addText(entry.getKey(), entry.getValue(), field);
                }
            });
            return biases;
        }
        int at = 0;
        for (JsonNode pair : body.elements(NAME)) {
            String field = body.path(NAME + '[' + at++ + ']');
            if (!pair.isArray() || pair.size() != 2) {
                throw new FieldException(field, "expected a pair of a token and its bias, found " + Json.shown(pair));
            }
            if (pair.get(0).isString()) {
                addText(pair.get(0).stringValue(), pair.get(1), field);
            } else {
                add(new Prompts(served).id(pair.get(0), field), pair.get(1), field);
            }
        }
        return biases;
    }

    private int requireId(int id, String field) {
        int size = served.model().hyperparameters().vocabSize();
        if (id >= size) {
            throw new FieldException(field, "expected a token id from 0 to " + (size - 1));
        }
        return id;
    }

    private void addText(String text, JsonNode bias, String field) {
        for (int id : served.tokenizer().encode(text, false, true)) {
            add(id, bias, field);
        }
    }

    private void add(int id, JsonNode bias, String field) {
        boolean ban = bias.isBoolean() && !bias.booleanValue();
        if (!ban && !bias.isNumber()) {
            throw new FieldException(field, "expected a number, or false to ban the token, found " + Json.shown(bias));
        }
        biases.put(id, ban ? Float.NEGATIVE_INFINITY : (float) bias.asDouble());
    }
}
