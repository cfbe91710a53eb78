package dev.tern.server;

import dev.tern.sampling.TokenConstraint;
import dev.tern.server.json.Fields;
import java.util.Optional;
import java.util.function.Supplier;

/** What an answer must follow: {@code response_format}, {@code json_schema} and {@code grammar}. */
final class ResponseFormat {
    private ResponseFormat() {}

    static Optional<Supplier<TokenConstraint>> read(Fields body) {
        return Optional.empty();
    }
}
