package dev.tern.server.openai;

import dev.tern.ModelInfo;
import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import dev.tern.tokenizer.SubwordModel;
import java.io.IOException;
import tools.jackson.databind.node.ObjectNode;

/** {@code GET /v1/models}, which lists one, and {@code GET /v1/models/ID}. */
public final class ModelsEndpoint implements Endpoint {
    public static final String ONE = "/v1/models/";

    @Override
    public void answer(Call call) throws IOException {
        Served served = call.served();
        if (call.path().startsWith(ONE)) {
            if (!call.path().substring(ONE.length()).equals(served.id())) {
                throw ApiException.notFound("no such model is served; GET /v1/models says which is");
            }
            call.json(model(served));
            return;
        }
        ObjectNode list = Json.object().put("object", "list");
        list.putArray("data").add(model(served));
        call.json(list);
    }

    private static ObjectNode model(Served served) {
        ModelInfo info = served.model().info();
        ObjectNode model = Json.object()
                .put("id", served.id())
                .put("object", "model")
                .put("created", served.created())
                .put("owned_by", "llamacpp"); // by which clients know what else this server can do
        ObjectNode architecture = model.putObject("architecture");
        architecture.putArray("input_modalities").add("text");
        architecture.putArray("output_modalities").add("text");
        model.putObject("meta")
                .put("vocab_type", vocabularyType(served))
                .put("n_vocab", served.model().hyperparameters().vocabSize())
                .put("n_ctx", served.contextLength())
                .put("n_ctx_train", served.model().hyperparameters().contextLength())
                .put("n_embd", served.model().hyperparameters().hiddenSize())
                .put("n_params", info.parameters())
                .put("size", info.fileBytes());
        return model;
    }

    /** As llama.cpp numbers them. */
    private static int vocabularyType(Served served) {
        return switch (served.tokenizer().vocabulary().model()) {
            case SubwordModel.CharacterPairs pairs -> 1;
            case SubwordModel.BytePairs pairs -> 2;
            case SubwordModel.Unigram unigram -> 4;
        };
    }
}
