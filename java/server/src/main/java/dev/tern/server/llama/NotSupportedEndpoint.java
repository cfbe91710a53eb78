package dev.tern.server.llama;

import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;

/** What llama-server has and this server has not. */
public final class NotSupportedEndpoint implements Endpoint {
    private final String reason;

    public NotSupportedEndpoint(String reason) {
        this.reason = reason;
    }

    @Override
    public void answer(Call call) {
        throw ApiException.notSupported(reason);
    }
}
