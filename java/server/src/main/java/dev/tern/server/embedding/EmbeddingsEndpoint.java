package dev.tern.server.embedding;

import dev.tern.Pooling;
import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.completion.Prompts;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import dev.tern.server.slots.SlotState;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * OpenAI's {@code POST /v1/embeddings}, and llama-server's {@code POST /embeddings}, which gives an array of rows for
 * each input: one, or without pooling one for each token. Inputs are computed one after the other, in passes of few
 * tokens while completions are at work, and sent as they are ready.
 */
public final class EmbeddingsEndpoint implements Endpoint {
    private static final int MOST_INPUTS = 2048;
    private static final int MOST_TOKENS = 300_000; // of all inputs, as OpenAI has it
    private static final long MOST_ROW_BYTES = 64 << 20; // of an input's rows without pooling
    private static final int EUCLIDEAN = 2;
    private static final int PASS_BESIDE_OTHERS = 32; // tokens: what a generation waits for at most

    private final boolean openAi;

    public EmbeddingsEndpoint(boolean openAi) {
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
        if (pooling.isEmpty()) {
            reserveRows(call, inputs, 4L * width);
        }
        int tokens = 0;
        OutputStream out = null;
        for (int i = 0; i < inputs.size(); i++) {
            if (call.exchange().gone()) {
                return;
            }
            List<float[]> rows = rows(served, inputs.get(i), pooling, norm);
            if (out == null) { // what fails before has a status
                out = call.stream("application/json; charset=utf-8");
                write(out, openAi ? "{\"object\":\"list\",\"model\":" + Json.text(served.id()) + ",\"data\":[" : "[");
            }
            write(out, (i == 0 ? "" : ",") + "{\"object\":\"embedding\",\"index\":" + i + ",\"embedding\":");
            write(out, rows, base64);
            write(out, "}");
            tokens += inputs.get(i).length;
        }
        call.log().count(tokens, 0, 0);
        if (out != null) {
            String usage = "{\"prompt_tokens\":" + tokens + ",\"total_tokens\":" + tokens + "}";
            write(out, openAi ? "],\"usage\":" + usage + "}" : "]");
            out.close();
        }
    }

    /** Refuses inputs whose rows would take too much memory, or more than there is for requests. */
    private static void reserveRows(Call call, List<int[]> inputs, long rowBytes) {
        int longest = inputs.stream().mapToInt(ids -> ids.length).max().orElse(0);
        if (longest * rowBytes > MOST_ROW_BYTES) {
            throw ApiException.invalid("without pooling an input may have at most " + MOST_ROW_BYTES / rowBytes
                    + " tokens; there is one of " + longest);
        }
        call.reserve(longest * rowBytes);
    }

    private void write(OutputStream out, List<float[]> rows, boolean base64) throws IOException {
        if (openAi) {
            write(out, Vectors.json(rows.getFirst(), base64));
            return;
        }
        String before = "[";
        for (float[] row : rows) {
            write(out, before + Vectors.json(row, base64));
            before = ",";
        }
        write(out, "]");
    }

    private static void write(OutputStream out, String json) throws IOException {
        out.write(json.getBytes(StandardCharsets.UTF_8));
    }

    private static List<int[]> inputs(Served served, Fields body) {
        String field = body.firstOf("content", "input");
        if (Prompts.count(body, field) > MOST_INPUTS) {
            throw body.wrong(field, "at most " + MOST_INPUTS + " inputs");
        }
        List<int[]> inputs = new Prompts(served).read(body, field);
        long all = inputs.stream().mapToLong(ids -> ids.length).sum();
        if (all > MOST_TOKENS) {
            throw ApiException.invalid(
                    field, field + ": " + all + " tokens; a request may have " + MOST_TOKENS + " at most");
        }
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
            boolean others = served.completions().slots().stream().anyMatch(SlotState::busy);
            int pass = others ? PASS_BESIDE_OTHERS : served.model().info().batchSize();
            return pooling.isEmpty()
                    ? List.of(served.model().embedEach(ids, pass)) // not normalised, as in llama-server
                    : List.of(Vectors.normalized(served.model().embed(ids, pooling.get(), pass), norm));
        } finally {
            served.embeddings().release();
        }
    }
}
