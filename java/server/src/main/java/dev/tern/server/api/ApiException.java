package dev.tern.server.api;

import dev.tern.server.json.Json;
import java.time.Duration;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/** An answer that is an error object: {@code {"error":{"code","message","type"}}}, with the types of llama-server. */
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String type;
    private final transient ObjectNode more;
    private final transient Optional<Duration> retryAfter;

    private ApiException(int status, String type, String message, ObjectNode more, Optional<Duration> retryAfter) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.more = more;
        this.retryAfter = retryAfter;
    }

    private static ApiException of(int status, String type, String message) {
        return new ApiException(status, type, message, Json.object(), Optional.empty());
    }

    public static ApiException invalid(String message) {
        return of(400, "invalid_request_error", message);
    }

    public static ApiException invalid(String field, String message) {
        return new ApiException(
                400, "invalid_request_error", message, Json.object().put("param", field), Optional.empty());
    }

    /** The prompt does not fit. */
    public static ApiException tooLong(int promptTokens, int contextLength) {
        ObjectNode numbers = Json.object().put("n_prompt_tokens", promptTokens).put("n_ctx", contextLength);
        String message = "the prompt has " + promptTokens + " tokens, and the context of " + contextLength
                + " must hold it and at least one more";
        return new ApiException(400, "exceed_context_size_error", message, numbers, Optional.empty());
    }

    static ApiException unauthorized(String message) {
        return of(401, "authentication_error", message);
    }

    static ApiException forbidden(String message) {
        return of(403, "permission_error", message);
    }

    public static ApiException notFound(String message) {
        return of(404, "not_found_error", message);
    }

    static ApiException methodNotAllowed(String message) {
        return of(405, "invalid_request_error", message);
    }

    public static ApiException notSupported(String message) {
        return of(501, "not_supported_error", message);
    }

    public static ApiException unavailable(String message, Duration retryAfter) {
        return new ApiException(503, "unavailable_error", message, Json.object(), Optional.of(retryAfter));
    }

    static ApiException loading() {
        return unavailable("Loading model", Duration.ofSeconds(1));
    }

    public static ApiException stopping() {
        return unavailable("the server is stopping", Duration.ofSeconds(10));
    }

    /** Tern is at fault. What went wrong is for its log, not for strangers. */
    static ApiException internal() {
        return of(500, "server_error", "the server failed; its log says more");
    }

    /** Whatever a status of the transport means. */
    static ApiException ofStatus(int status, String message) {
        return switch (status) {
            case 501 -> notSupported(message);
            case 503 -> unavailable(message, Duration.ofSeconds(1));
            default -> of(status, "invalid_request_error", message);
        };
    }

    int status() {
        return status;
    }

    public String type() {
        return type;
    }

    Optional<Duration> retryAfter() {
        return retryAfter;
    }

    /** The body of the answer. */
    public ObjectNode body() {
        ObjectNode error = Json.object();
        error.put("code", status);
        error.put("message", getMessage());
        error.put("type", type);
        error.setAll(more);
        ObjectNode body = Json.object();
        body.set("error", error);
        return body;
    }

    /** The body as Anthropic has it, which has names of its own for the types. */
    public ObjectNode anthropicBody() {
        ObjectNode body = Json.object().put("type", "error");
        body.putObject("error")
                .put(
                        "type",
                        switch (status) {
                            case 401 -> "authentication_error";
                            case 403 -> "permission_error";
                            case 404 -> "not_found_error";
                            case 413 -> "request_too_large";
                            case 500, 501 -> "api_error";
                            case 503 -> "overloaded_error";
                            default -> "invalid_request_error";
                        })
                .put("message", getMessage());
        return body;
    }
}
