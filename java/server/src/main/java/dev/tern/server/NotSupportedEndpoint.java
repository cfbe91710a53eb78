package dev.tern.server;

import dev.tern.server.api.ApiException;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;

/** What llama-server has and this server has not. */
final class NotSupportedEndpoint implements Endpoint {
    private final String reason;

    NotSupportedEndpoint(String reason) {
        this.reason = reason;
    }

    @Override
    public void answer(Call call) {
        throw ApiException.notSupported(reason);
    }
}
