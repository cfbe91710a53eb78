package dev.tern.server.api;

import dev.tern.io.InputException;
import dev.tern.server.http.Exchange;
import dev.tern.server.http.Headers;
import dev.tern.server.http.HttpException;
import dev.tern.server.http.HttpHandler;
import dev.tern.server.http.Reply;
import dev.tern.server.http.RequestHead;
import dev.tern.server.json.FieldException;
import dev.tern.server.json.Json;
import dev.tern.server.served.Served;
import dev.tern.server.slots.DrainingException;
import dev.tern.server.slots.QueueFullException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The way of a request to its endpoint: who may ask, for what, and what an error looks like. */
public final class Api implements HttpHandler {
    private static final int CLIENT_GONE = 499; // for the log: nobody gets it
    private static final Pattern FIELD = Pattern.compile("([a-z_]+(?:\\[\\d+]|\\.[A-Za-z_]+)*): ");

    private final EndpointOptions options;
    private final Routes routes;
    private final ApiKeys keys;
    private final Origins origins;
    private final RequestLog log;
    private volatile @Nullable Served served;
    private volatile boolean draining;

    public Api(EndpointOptions options, Routes routes, ApiKeys keys, Origins origins, RequestLog log) {
        this.options = options;
        this.routes = routes;
        this.keys = keys;
        this.origins = origins;
        this.log = log;
    }

    public void serve(Served model) {
        served = model;
    }

    public void drain() {
        draining = true;
    }

    EndpointOptions options() {
        return options;
    }

    public Optional<Served> served() {
        return Optional.ofNullable(served);
    }

    @Override
    public Optional<Reply> refuse(RequestHead head) {
        Optional<Route> route = routes.find(head.target().path());
        Optional<ApiException> refusal = refusal(head, route);
        boolean asksOptions = head.method().equals("OPTIONS");
        if (refusal.isEmpty() && !asksOptions) {
            return Optional.empty();
        }
        RequestLog.Entry entry = log.begin(head, head.client(), route.map(Route::pattern).orElse(null));
        Headers headers = headers(head, entry.id());
        String allow = route.map(Route::allow).orElse("GET, HEAD, OPTIONS, POST");
        if (refusal.isPresent()) {
            if (refusal.get().status() == 405) {
                headers.add("Allow", allow);
            }
            entry.end(refusal.get().status(), refusal.get().type());
            return Optional.of(error(refusal.get(), headers, route.map(Route::anthropic).orElse(false)));
        }
        headers.add("Allow", allow);
        origins.preflight(head, headers, allow);
        entry.end(204, "");
        return Optional.of(new Reply(204, headers, new byte[0]));
    }

    private Optional<ApiException> refusal(RequestHead head, Optional<Route> found) {
        Optional<ApiException> foreign = origins.refuse(head);
        boolean asksOptions = head.method().equals("OPTIONS");
        if (foreign.isPresent() || (asksOptions && head.target().path().equals("*"))) {
            return foreign;
        }
        if (found.isEmpty()) {
            return Optional.of(
                    ApiException.notFound("there is nothing at this path; docs/serving.md lists what there is"));
        }
        Route route = found.get();
        String method = head.method().equals("HEAD") ? "GET" : head.method();
        if (asksOptions) {
            return Optional.empty();
        }
        if (!route.endpoints().containsKey(method)) {
            return Optional.of(ApiException.methodNotAllowed("expected one of the methods " + route.allow()));
        }
        if (route.open()) {
            return Optional.empty();
        }
        Optional<ApiException> stranger = keys.refuse(head);
        if (stranger.isPresent()) {
            return stranger;
        }
        if (draining) {
            return Optional.of(ApiException.stopping());
        }
        return served == null ? Optional.of(ApiException.loading()) : Optional.empty();
    }

    /** What tells whether the server is well must not wait for those who use it. */
    @Override
    public boolean always(RequestHead head) {
        return routes.find(head.target().path()).map(Route::open).orElse(false);
    }

    @Override
    public Reply unreadable(InetSocketAddress client, @Nullable RequestHead head, HttpException problem) {
        Route route = head == null ? null : routes.find(head.target().path()).orElse(null);
        RequestLog.Entry entry = log.begin(head, client, route == null ? null : route.pattern());
        ApiException error = ApiException.ofStatus(problem.status(), problem.getMessage());
        entry.end(error.status(), "unreadable");
        return error(error, headers(head, entry.id()), route != null && route.anthropic());
    }

    @Override
    public void handle(Exchange exchange) throws IOException, InterruptedException {
        RequestHead head = exchange.head();
        Route route = routes.find(head.target().path()).orElseThrow();
        Endpoint endpoint = route.endpoints().get(head.method().equals("HEAD") ? "GET" : head.method());
        RequestLog.Entry entry = log.begin(head, head.client(), route.pattern());
        Call call = new Call(this, exchange, entry);
        String outcome = "";
        try {
            if (draining && !route.open()) { // it came to its end too late
                throw ApiException.stopping();
            }
            endpoint.answer(call);
        } catch (IOException e) {
            outcome = "client_gone";
            throw e;
        } catch (RuntimeException | Error e) {
            ApiException error = errorOf(e, entry.id());
            outcome = error.type();
            if (!exchange.started()) { // else it is cut off, so that the client can tell
                call.status(error.status());
                exchange.respond(error(error, headers(head, entry.id()), route.anthropic()));
            }
        } finally {
            boolean left = outcome.isEmpty() && !exchange.complete();
            entry.end(call.status() == 0 ? CLIENT_GONE : call.status(), left ? "client_gone" : outcome);
        }
    }

    /** The answer that an exception is. */
    ApiException errorOf(Throwable thrown, String id) {
        return switch (thrown) {
            case ApiException api -> api;
            case FieldException field ->
                field.field().map(name -> ApiException.invalid(name, field.getMessage()))
                        .orElseGet(() -> ApiException.invalid(field.getMessage()));
            case InputException input -> invalid(String.valueOf(input.getMessage()));
            case DrainingException draining -> ApiException.stopping();
            case QueueFullException full ->
                ApiException.unavailable(String.valueOf(full.getMessage()), full.retryAfter());
            default -> {
                log.problem(id, thrown);
                yield ApiException.internal();
            }
        };
    }

    /**
     * Of a message that begins with the field at fault, as those about messages and tools do, the field is told too.
     */
    private static ApiException invalid(String message) {
        Matcher field = FIELD.matcher(message);
        return field.lookingAt() ? ApiException.invalid(field.group(1), message) : ApiException.invalid(message);
    }

    /** What every answer says. */
    Headers headers(@Nullable RequestHead head, String id) {
        Headers headers = new Headers()
                .add("Server", "tern")
                .add("X-Content-Type-Options", "nosniff")
                .add("x-request-id", id);
        if (head != null) {
            origins.describe(head, headers);
        }
        return headers;
    }

    private static Reply error(ApiException error, Headers headers, boolean anthropic) {
        headers.add("Content-Type", "application/json; charset=utf-8").add("Cache-Control", "no-store");
        error.retryAfter()
                .ifPresent(after -> headers.add("Retry-After", String.valueOf(Math.max(1, after.toSeconds()))));
        if (error.status() == 401) {
            headers.add("WWW-Authenticate", "Bearer");
        }
        return new Reply(error.status(), headers, Json.bytes(anthropic ? error.anthropicBody() : error.body()));
    }
}
