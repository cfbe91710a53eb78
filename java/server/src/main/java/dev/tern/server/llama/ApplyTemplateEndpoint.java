package dev.tern.server.llama;

import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.chat.ChatQuery;
import dev.tern.server.json.Json;
import java.io.IOException;

/** llama-server's {@code POST /apply-template}. */
public final class ApplyTemplateEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        call.json(Json.object().put("prompt", ChatQuery.read(call.served(), call.body()).prompt()));
    }
}
