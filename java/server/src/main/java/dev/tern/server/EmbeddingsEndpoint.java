package dev.tern.server;

import dev.tern.Pooling;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.slots.SlotState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * OpenAI's {@code POST /v1/embeddings}, and llama-server's {@code POST /embeddings}, which gives an array of rows for
 * each input: one, or without pooling one for each token. Inputs are computed one after the other, in passes of few
 * tokens while completions are at work.
 */
final class EmbeddingsEndpoint implements Endpoint {
    private static final int MOST_INPUTS = 2048;
    private static final int EUCLIDEAN = 2;
    private static final int PASS_BESIDE_OTHERS = 32; // tokens: what a generation waits for at most

    private final boolean openAi;

    EmbeddingsEndpoint(boolean openAi) {
        this.openAi = openAi;
    }

    @Override
    public void answer(Call call) throws IOException, InterruptedException {
        Fields body = call.body();
        Served served = call.served();
        Optional<Pooling> pooling = call.options().pooling();
        if (openAi && pooling.isEmpty()) {
            throw ApiException.notSupported("the server was started with --pooling none: use /embeddings");
        }
        boolean base64 = body.word("encoding_format", "float", List.of("float", "base64")).equals("base64");
        int norm = body.integer("embd_normalize", -1, 1000).orElse(EUCLIDEAN);
        int width = served.model().hyperparameters().hiddenSize();
        if (body.integer("dimensions", 1, Integer.MAX_VALUE).orElse(width) != width) {
            throw body.wrong("dimensions", "the model's own number of dimensions, " + width + ",");
        }
        List<int[]> inputs = inputs(served, body);
        ArrayNode data = Json.array();
        int tokens = 0;
        for (int[] ids : inputs) {
            if (call.exchange().gone()) {
                return;
            }
            ObjectNode one = Json.object().put("object", "embedding").put("index", data.size());
            List<float[]> rows = rows(served, ids, pooling, norm);
            if (openAi) {
                set(one, rows.getFirst(), base64);
            } else {
                ArrayNode all = one.putArray("embedding");
                rows.forEach(row -> all.add(base64 ? all.stringNode(Vectors.base64(row)) : Vectors.array(row)));
            }
            data.add(one);
            tokens += ids.length;
        }
        call.log().count(tokens, 0, 0);
        if (!openAi) {
            call.json(data);
            return;
        }
        ObjectNode answer = Json.object().put("object", "list").put("model", served.id());
        answer.set("data", data);
        answer.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
        call.json(answer);
    }

    private static void set(ObjectNode node, float[] row, boolean base64) {
        if (base64) {
            node.put("embedding", Vectors.base64(row));
        } else {
            node.set("embedding", Vectors.array(row));
        }
    }

    private static List<int[]> inputs(Served served, Fields body) {
        String field = body.firstOf("content", "input");
        JsonNode value = body.value(field);
        if (value.isArray() && value.size() > MOST_INPUTS && !value.get(0).isNumber()) {
            throw body.wrong(field, "at most " + MOST_INPUTS + " inputs");
        }
        List<int[]> inputs = new Prompts(served).read(body, field);
        for (int i = 0; i < inputs.size(); i++) {
            int length = inputs.get(i).length;
            if (length == 0) {
                throw ApiException.invalid(field, field + ": input " + i + " is empty");
            }
            if (length > served.contextLength()) {
                throw ApiException.tooLong(length, served.contextLength());
            }
        }
        return inputs;
    }

    private static List<float[]> rows(Served served, int[] ids, Optional<Pooling> pooling, int norm)
            throws InterruptedException {
        served.embeddings().acquire();
        try {
            List<float[]> rows = new ArrayList<>();
            if (pooling.isEmpty()) {
                rows.addAll(List.of(served.model().embedEach(ids))); // not normalised, as in llama-server
            } else {
                boolean others = served.completions().slots().stream().anyMatch(SlotState::busy);
                int pass = others ? PASS_BESIDE_OTHERS : served.model().info().batchSize();
                rows.add(Vectors.normalized(served.model().embed(ids, pooling.get(), pass), norm));
            }
            return rows;
        } finally {
            served.embeddings().release();
        }
    }
}
