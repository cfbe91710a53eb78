package dev.tern.server;

import dev.tern.server.json.Json;
import java.io.IOException;

/** llama-server's {@code POST /apply-template}. */
final class ApplyTemplateEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        call.json(Json.object().put("prompt", ChatQuery.read(call.served(), call.body()).prompt()));
    }
}
