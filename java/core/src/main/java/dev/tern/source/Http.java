package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Requests to servers: over TLS unless the server is this machine, redirected by hand so that credentials stay with the
 * host they are for. Thread-safe.
 */
final class Http implements AutoCloseable {
    private static final int MOST_REDIRECTS = 10;
    private static final int SHORT_ANSWER = 1 << 14;
    private static final int LARGEST_DOCUMENT = 64 << 20;

    private final HttpClient client;
    private final Patience patience;

    /**
     * A request.
     *
     * @param form the body of a POST, or empty
     * @param plain whether unencrypted http is right although the server is another machine
     */
    record Request(
            String method,
            URI uri,
            Map<String, String> headers,
            Authorization authorization,
            String form,
            boolean plain) {

        static Request get(URI uri, Authorization authorization) {
            return new Request("GET", uri, Map.of(), authorization, "", false);
        }

        static Request head(URI uri, Authorization authorization) {
            return new Request("HEAD", uri, Map.of(), authorization, "", false);
        }

        static Request post(URI uri, String form) {
            Map<String, String> headers = Map.of("Content-Type", "application/x-www-form-urlencoded");
            return new Request("POST", uri, headers, Authorization.NONE, form, false);
        }

        Request with(Map<String, String> more) {
            return new Request(method, uri, more, authorization, form, plain);
        }
    }

    /** An answer whose body has not been read yet. */
    record Response(int status, HttpHeaders headers, String host, Body body) implements AutoCloseable {
        /** A header's first value, or the empty string. */
        String header(String name) {
            return headers.firstValue(name).orElse("");
        }

        /** Bytes of the body, or -1 when the server does not say. */
        long length() {
            String text = header("Content-Length");
            return text.matches("\\d{1,18}") ? Long.parseLong(text) : -1;
        }

        /** Throws unless the status is one of success. */
        Response requireSuccess() throws HttpStatusException {
            if (status / 100 != 2) {
                close();
                throw new HttpStatusException(host, status, headers);
            }
            return this;
        }

        @Override
        public void close() {
            body.close();
        }
    }

    Http(FetchOptions options) {
        patience = options.patience();
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1) // parallel requests shall be parallel connections
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(patience.connectTimeout())
                .proxy(new EnvironmentProxy(options))
                .build();
    }

    Patience patience() {
        return patience;
    }

    /** A document of JSON, asked for as often as patience allows. */
    ObjectNode json(Request request) throws IOException, InterruptedException {
        String where = shown(request.uri());
        Attempts attempts = new Attempts(where, patience);
        while (true) {
            try (Response response = open(request).requireSuccess()) {
                return JsonFile.parse(read(response, where), where);
            } catch (IOException e) {
                attempts.failed(e, 0);
            }
        }
    }

    /** All of a document. */
    static byte[] read(Response response, String where) throws IOException, InterruptedException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (List<ByteBuffer> chunk = response.body().next(); chunk != null; chunk = response.body().next()) {
            for (ByteBuffer buffer : chunk) {
                byte[] part = new byte[buffer.remaining()];
                buffer.get(part);
                bytes.writeBytes(part);
            }
            if (bytes.size() > LARGEST_DOCUMENT) {
                throw InputException.at(where).problem("the answer is longer than any such answer").exception();
            }
        }
        return bytes.toByteArray();
    }

    /** The headers of an answer, asked for as often as patience allows. */
    Response headers(Request request) throws IOException, InterruptedException {
        Attempts attempts = new Attempts(shown(request.uri()), patience);
        while (true) {
            try (Response response = open(request).requireSuccess()) {
                return response;
            } catch (IOException e) {
                attempts.failed(e, 0);
            }
        }
    }

    /** One attempt at a request; redirects are followed. */
    Response open(Request request) throws IOException, InterruptedException {
        URI uri = request.uri();
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            requireSecure(uri, request.plain());
            boolean home = sameOrigin(uri, request.uri());
            HttpResponse<Flow.Publisher<List<ByteBuffer>>> answer = send(request, uri, home);
            Response response = new Response(
                    answer.statusCode(),
                    answer.headers(),
                    String.valueOf(uri.getHost()),
                    new Body(String.valueOf(uri.getHost()), patience.stallTimeout(), answer.body()));
            String location = response.header("Location");
            boolean follows = isRedirect(response.status()) && !location.isEmpty() && !request.method().equals("POST");
            if (!follows) { // what is posted may be secret
                return response;
            }
            finish(response);
            uri = redirected(uri, location);
        }
        throw InputException.at(shown(request.uri()))
                .problem("redirects again and again")
                .expected("at most " + MOST_REDIRECTS + " redirects")
                .exception();
    }

    /** Reads the rest of a short answer, so that its connection can be used again. */
    private static void finish(Response response) throws InterruptedException {
        try (response) {
            if (response.length() >= 0 && response.length() <= SHORT_ANSWER) {
                while (response.body().next() != null) {
                    // what it says does not matter
                }
            }
        } catch (IOException e) {
            // The next request makes a new connection.
        }
    }

    private static boolean isRedirect(int status) {
        return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    }

    /** Where a redirect leads: never from an encrypted connection to an unencrypted one, not even on this machine. */
    static URI redirected(URI from, String location) {
        URI target;
        try {
            target = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw InputException.at(shown(from)).problem("redirects to something that is no address").exception();
        }
        if (target.getHost() == null) {
            throw InputException.at(shown(from)).problem("redirects to something that is no address").exception();
        }
        if (from.getScheme().equalsIgnoreCase("https") && !"https".equalsIgnoreCase(target.getScheme())) {
            throw InputException.at(shown(from))
                    .problem("redirects from https to an unencrypted address, which is not followed")
                    .found(shown(target))
                    .exception();
        }
        return target;
    }

    private HttpResponse<Flow.Publisher<List<ByteBuffer>>> send(Request request, URI uri, boolean home)
            throws IOException, InterruptedException {
        HttpRequest.Builder builder;
        try {
            builder = HttpRequest.newBuilder(uri);
        } catch (IllegalArgumentException e) {
            throw InputException.at(shown(uri)).problem("is no web address")
                    .exception(); // the cause would show all of it
        }
        builder.timeout(patience.answerTimeout());
        builder.header("User-Agent", "tern");
        builder.header("Accept-Encoding", "identity");
        request.headers().forEach(builder::header);
        String authorization = home ? request.authorization().header() : "";
        if (!authorization.isEmpty()) {
            builder.header("Authorization", authorization);
        }
        builder.method(
                request.method(),
                request.form().isEmpty()
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(request.form()));
        String host = String.valueOf(uri.getHost());
        try {
            return client.send(builder.build(), BodyHandlers.ofPublisher());
        } catch (HttpConnectTimeoutException e) {
            throw new IOException("no connection to " + host + " within " + words(patience.connectTimeout()), e);
        } catch (HttpTimeoutException e) {
            throw new IOException(host + " did not answer within " + words(patience.answerTimeout()), e);
        } catch (ConnectException e) {
            boolean unknown = e.getCause() instanceof ConnectException cause
                    ? cause.getCause() instanceof UnresolvedAddressException
                    : e.getCause() instanceof UnresolvedAddressException;
            throw new IOException("no connection to " + host + (unknown ? ": its name cannot be resolved" : ""), e);
        }
    }

    /** Refuses unencrypted connections to other machines. */
    private static void requireSecure(URI uri, boolean plain) {
        boolean http = "http".equalsIgnoreCase(uri.getScheme());
        if (http && (plain || isLoopback(uri.getHost())) || "https".equalsIgnoreCase(uri.getScheme())) {
            return;
        }
        throw InputException.at(shown(uri))
                .problem("an unencrypted connection to another machine is refused")
                .expected("https://")
                .found(uri.getScheme() + "://")
                .cure("Use the https address; plain http is for servers on this machine (localhost).")
                .exception();
    }

    /**
     * An address that a variable of the environment and a path make.
     *
     * @throws InputException when the variable holds no web address
     */
    static URI endpoint(String variable, String endpoint, String pathAndQuery) {
        try {
            URI uri = URI.create(endpoint + pathAndQuery);
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw InputException.at(variable)
                .expected("a web address such as https://host.org")
                .found("'" + endpoint + "'")
                .exception();
    }

    /** Whether a host's name means this machine, without asking anybody. */
    static boolean isLoopback(@Nullable String host) {
        String name = String.valueOf(host).toLowerCase(Locale.ROOT);
        return name.equals("localhost")
                || name.endsWith(".localhost")
                || name.matches("127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}")
                || name.equals("[::1]");
    }

    private static boolean sameOrigin(URI a, URI b) {
        return a.getScheme().equalsIgnoreCase(b.getScheme())
                && String.valueOf(a.getHost()).equalsIgnoreCase(String.valueOf(b.getHost()))
                && port(a) == port(b);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
    }

    /** An address without what may be secret in it: user, query, fragment. */
    static String shown(URI uri) {
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        return uri.getScheme() + "://" + uri.getHost() + port + String.valueOf(uri.getRawPath());
    }

    /** A time in words. */
    static String words(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
