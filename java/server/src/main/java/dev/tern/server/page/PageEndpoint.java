package dev.tern.server.page;

import dev.tern.io.Sha256;
import dev.tern.server.api.Call;
import dev.tern.server.api.Endpoint;
import dev.tern.server.http.Headers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/**
 * The chat page: a fixed set of files from the jar, each at a path of its own, compressed once for those who take it
 * so. Its policy lets it load and call nothing but this server, and nobody frame it.
 */
public final class PageEndpoint implements Endpoint {
    private static final List<String> NAMES = List.of(
            "index.html", "style.css", "answers.js", "api.js", "app.js", "connection.js", "dom.js", "highlight.js",
            "markdown.js", "messages.js", "scroll.js", "settings.js", "sidebar.js", "store.js", "theme.js", "tools.js",
            "icon.svg");
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml");
    private static final Pattern GZIP = Pattern.compile("(^|[,\\s])gzip\\s*(,|$|;\\s*q=(1|0\\.0*[1-9]))");
    private static final String POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
            + " form-action 'none'; frame-ancestors 'none'";

    private final String type;
    private final Body plain;
    private final Body compressed;

    /** A way to send a file, and the tag of those bytes. */
    private record Body(byte[] content, String tag) {
        static Body of(byte[] content) {
            return new Body(content, '"' + HexFormat.of().formatHex(Sha256.digest().digest(content), 0, 16) + '"');
        }
    }

    private PageEndpoint(byte[] content, String type) {
        this.type = type;
        this.plain = Body.of(content);
        this.compressed = Body.of(gzip(content));
    }

    private static byte[] gzip(byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return out.toByteArray();
    }

    /** Its files by path, the page itself at {@code /} as well. */
    public static Map<String, PageEndpoint> all() {
        Map<String, PageEndpoint> endpoints = new LinkedHashMap<>();
        for (String name : NAMES) {
            String type = Objects.requireNonNull(TYPES.get(name.substring(name.lastIndexOf('.') + 1)));
            endpoints.put("/" + name, new PageEndpoint(read(name), type));
        }
        endpoints.put("/", Objects.requireNonNull(endpoints.get("/index.html")));
        return endpoints;
    }

    private static byte[] read(String name) {
        try (InputStream in = PageEndpoint.class.getResourceAsStream(name)) {
            return Objects.requireNonNull(in, name).readAllBytes();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void answer(Call call) throws IOException {
        Headers asked = call.exchange().head().headers();
        boolean small = asked.first("Accept-Encoding").filter(PageEndpoint::takesGzip).isPresent();
        Body body = small ? compressed : plain;
        Headers headers = new Headers()
                .add("ETag", body.tag)
                .add("Cache-Control", "no-cache")
                .add("Vary", "Accept-Encoding")
                .add("Content-Security-Policy", POLICY)
                .add("Referrer-Policy", "no-referrer");
        boolean known = asked.first("If-None-Match")
                .filter(tags -> tags.contains(body.tag) || tags.equals("*"))
                .isPresent();
        if (small && !known) {
            headers.add("Content-Encoding", "gzip");
        }
        call.respond(known ? 304 : 200, known ? "" : type, known ? new byte[0] : body.content, headers);
    }

    private static boolean takesGzip(String encodings) {
        return GZIP.matcher(encodings).find();
    }
}
