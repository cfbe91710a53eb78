package dev.tern.server.llama;

import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.json.Json;
import java.io.IOException;

/** {@code GET /health}: 200 when the model is loaded, 503 until then. */
public final class HealthEndpoint implements Endpoint {
    @Override
    public void answer(Call call) throws IOException {
        call.served();
        call.json(Json.object().put("status", "ok"));
    }
}
