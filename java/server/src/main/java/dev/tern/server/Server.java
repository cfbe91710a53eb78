package dev.tern.server;

import dev.tern.Model;
import dev.tern.io.InputException;
import dev.tern.server.api.Api;
import dev.tern.server.api.ApiKeys;
import dev.tern.server.api.Origins;
import dev.tern.server.api.RequestLog;
import dev.tern.server.api.Routes;
import dev.tern.server.http.HttpFront;
import dev.tern.server.served.Served;
import dev.tern.server.slots.Completions;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Serves a model over HTTP. It answers from the moment it is started, with 503 until it is told what to serve.
 * Thread-safe.
 */
public final class Server implements AutoCloseable {
    private final ServerOptions options;
    private final Api api;
    private final HttpFront front;

    private Server(ServerOptions options, Api api, HttpFront front) {
        this.options = options;
        this.api = api;
        this.front = front;
    }

    /**
     * Starts to listen.
     *
     * @param log is given one line for each request, from many threads, and must not block
     * @throws InputException when the address cannot be had
     */
    public static Server start(ServerOptions options, Consumer<String> log) {
        try {
            InetSocketAddress address = options.address();
            Api api = new Api(
                    options.endpoints(),
                    new Routes(Endpoints.routes(options)),
                    new ApiKeys(options.apiKeys()),
                    origins(options, address.getAddress()),
                    new RequestLog(log));
            return new Server(options, api, HttpFront.open(address, options.limits(), api));
        } catch (UnknownHostException e) {
            throw InputException.at("host " + options.host())
                    .problem("no such host")
                    .cure("Give a name or an address of this machine.")
                    .exception(e);
        } catch (BindException e) {
            throw InputException.at(options.host() + ":" + options.port())
                    .problem("cannot listen there: " + e.getMessage())
                    .cure("Choose another port with --port, or end the program that has this one.")
                    .exception(e);
        } catch (IOException e) {
            throw InputException.at(options.host() + ":" + options.port())
                    .problem("cannot listen there", e)
                    .exception(e);
        }
    }

    private static Origins origins(ServerOptions options, InetAddress bound) {
        List<String> names = new ArrayList<>(options.allowedHosts());
        names.add(options.host());
        boolean guarded = bound.isLoopbackAddress() || options.apiKeys().isEmpty();
        return new Origins(options.corsOrigins(), guarded, names);
    }

    /**
     * Serves a model from now on. Both stay the caller's, to be closed after the server.
     *
     * @param completions computes with the model
     */
    public void serve(Model model, Completions completions) {
        api.serve(Served.of(model, completions, options.alias()));
    }

    /** Where it listens. */
    public InetSocketAddress address() {
        return front.address();
    }

    /** Where a browser on this machine finds it. */
    public URI uri() {
        InetAddress bound = front.address().getAddress();
        String host = bound.isAnyLocalAddress() ? "localhost" : bound.getHostAddress();
        return URI.create("http://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":"
                + front.address().getPort());
    }

    /** Connections that are open. */
    public int connections() {
        return front.connections();
    }

    /** Takes no more requests and waits for those at hand, so long at most. */
    public void drain(Duration patience) throws InterruptedException {
        api.drain();
        front.drain();
        long start = System.nanoTime();
        Optional<Served> served = api.served();
        if (served.isPresent()) {
            served.get().completions().drain(patience);
        }
        Duration left = patience.minusNanos(System.nanoTime() - start);
        front.awaitQuiet(left.isNegative() ? Duration.ZERO : left);
    }

    /** Stops at once. Idempotent. */
    @Override
    public void close() {
        api.drain();
        front.close();
    }
}
