package dev.tern.server;

import dev.tern.io.Sha256;
import dev.tern.server.http.Headers;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The chat page: a fixed set of files from the jar, each at a path of its own. Its policy lets it load and call nothing
 * but this server, and nobody frame it.
 */
final class PageEndpoint implements Endpoint {
    private static final List<String> NAMES = List.of(
            "index.html", "style.css", "app.js", "api.js", "dom.js", "markdown.js", "messages.js", "settings.js",
            "sidebar.js", "store.js", "theme.js", "icon.svg");
    private static final Map<String, String> FILES = files();
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml",
            "png", "image/png",
            "ico", "image/x-icon",
            "webmanifest", "application/manifest+json");
    private static final String POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
            + " form-action 'none'; frame-ancestors 'none'";

    private final byte[] content;
    private final String type;
    private final String tag;

    private PageEndpoint(byte[] content, String type) {
        this.content = content;
        this.type = type;
        this.tag = '"' + HexFormat.of().formatHex(Sha256.digest().digest(content), 0, 16) + '"';
    }

    private static Map<String, String> files() {
        Map<String, String> files = new LinkedHashMap<>();
        files.put("/", "index.html");
        NAMES.forEach(name -> files.put("/" + name, name));
        return files;
    }

    /** The files that are in the jar, by path. */
    static Map<String, PageEndpoint> all() {
        Map<String, PageEndpoint> endpoints = new LinkedHashMap<>();
        FILES.forEach((path, name) -> read(name).ifPresent(content -> endpoints.put(
                path, new PageEndpoint(content, TYPES.get(name.substring(name.lastIndexOf('.') + 1))))));
        return endpoints;
    }

    private static Optional<byte[]> read(String name) {
        try (InputStream in = PageEndpoint.class.getResourceAsStream("page/" + name)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void answer(Call call) throws IOException {
        Headers headers = new Headers()
                .add("ETag", tag)
                .add("Cache-Control", "no-cache")
                .add("Content-Security-Policy", POLICY)
                .add("Referrer-Policy", "no-referrer");
        boolean known = call.exchange()
                .head()
                .headers()
                .first("If-None-Match")
                .filter(tags -> tags.contains(tag) || tags.equals("*"))
                .isPresent();
        call.respond(known ? 304 : 200, known ? "" : type, known ? new byte[0] : content, headers);
    }
}
