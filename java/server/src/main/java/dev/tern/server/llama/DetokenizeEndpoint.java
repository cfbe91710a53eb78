package dev.tern.server.llama;

import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.completion.Prompts;
import dev.tern.server.json.Fields;
import dev.tern.server.json.Json;
import java.io.IOException;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** llama-server's {@code POST /detokenize}. */
public final class DetokenizeEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        Fields body = call.body();
        if (!body.has("tokens")) {
            throw body.wrong("tokens", "an array of token ids");
        }
        Prompts prompts = new Prompts(call.served());
        List<JsonNode> tokens = body.elements("tokens");
        int[] ids = new int[tokens.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = prompts.id(tokens.get(i), "tokens[" + i + "]");
        }
        call.json(Json.object().put("content", call.served().tokenizer().decode(ids, false)));
    }
}
