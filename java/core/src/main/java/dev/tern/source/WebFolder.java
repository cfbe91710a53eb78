package dev.tern.source;

import dev.tern.io.InputException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A folder of a web server, which cannot be listed: it is asked for each file that a model may have. What the server
 * says of a file's contents is compared: {@code Repr-Digest} (RFC 9530), {@code Digest} (RFC 3230), {@code
 * Content-MD5}, {@code x-goog-hash}; entity tags and dates hold the parts of a file together.
 */
final class WebFolder implements RemoteFolder {
    private final WebSource source;
    private final Http http;
    private final boolean weights;
    private final Authorization authorization;

    /** @param weights whether weights are wanted too */
    WebFolder(WebSource source, Http http, boolean weights) {
        this.source = source;
        this.http = http;
        this.weights = weights;
        this.authorization = authorization(source.address().getUserInfo());
    }

    /** A user and password in the address are for this server alone. */
    private static Authorization authorization(String user) {
        return user == null
                ? Authorization.NONE
                : () -> "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public Listing list() throws IOException, InterruptedException {
        Files files = new Files();
        if (files.find(Selection.CONFIG).isEmpty()) {
            return files;
        }
        for (String name : Selection.SMALL) {
            files.find(name);
        }
        boolean usual = files.find(Selection.SINGLE).isPresent() || files.find(Selection.INDEX).isPresent();
        files.name();
        if (weights && !source.file().isEmpty()) {
            files.find(source.file());
        } else if (weights && !usual) {
            files.find("pytorch_model.bin"); // only to say what is wrong
        }
        return files;
    }

    private final class Files implements Listing {
        private final Map<String, Optional<RemoteFile>> asked = new LinkedHashMap<>();
        private String revision = "";

        /**
         * Names the state after what is known now, which must be the same files for every fetch, whatever it wants: the
         * small ones and the usual weights. Shards and weights of other names are compared one by one.
         */
        void name() {
            TreeMap<String, String> identities = new TreeMap<>();
            asked.forEach((name, file) -> file.ifPresent(there -> identities.put(name, there.identity())));
            revision = ModelCache.hash(identities.toString());
        }

        @Override
        public String revision() {
            return revision;
        }

        @Override
        public String revisionInWords() {
            return "state " + revision;
        }

        @Override
        public List<String> names() {
            return asked.entrySet().stream()
                    .filter(entry -> entry.getValue().isPresent())
                    .map(Map.Entry::getKey)
                    .toList();
        }

        @Override
        public Optional<RemoteFile> find(String name) throws IOException, InterruptedException {
            Optional<RemoteFile> known = asked.get(name);
            if (known == null) {
                known = ask(name);
                asked.put(name, known);
            }
            return known;
        }
    }

    private Optional<RemoteFile> ask(String name) throws IOException, InterruptedException {
        URI uri = source.uri(name);
        HttpHeaders headers;
        long size;
        try (Http.Response response = headers(uri)) {
            headers = response.headers();
            size = response.length();
        } catch (HttpStatusException e) {
            // Some stores say 403 of what is not there, to who may not list them.
            boolean absent = e.status() == 404
                    || e.status() == 410
                    || e.status() == 403 && !name.equals(Selection.CONFIG);
            if (absent) {
                return Optional.empty();
            }
            throw refusal(name, e);
        }
        if (headers.firstValue("Content-Type").orElse("").toLowerCase(Locale.ROOT).startsWith("text/html")) {
            return Optional.empty(); // a page that says so, or one for people: no file of a model
        }
        List<Checksum> checksums = checksums(headers);
        String validator = Validators.of(headers);
        String identity = !checksums.isEmpty() && checksums.getFirst().kind() != Checksum.Kind.CRC32C
                ? checksums.getFirst().toString()
                : validator.isEmpty() ? "size " + size : "validator " + validator + ", size " + size;
        return Optional.of(
                new RemoteFile(name, size, uri, authorization, checksums, identity, validator, !validator.isEmpty()));
    }

    private Http.Response headers(URI uri) throws IOException, InterruptedException {
        try {
            return http.headers(Http.Request.head(uri, authorization));
        } catch (HttpStatusException e) {
            if (e.status() != 405 && e.status() != 501) {
                throw e;
            }
            return http.headers(Http.Request.get(uri, authorization)); // broken off behind the headers
        }
    }

    /** What the server says the bytes hash to, strongest first; each kind once. */
    private static List<Checksum> checksums(HttpHeaders headers) {
        Map<Checksum.Kind, Checksum> found = new TreeMap<>();
        for (String header : List.of("Repr-Digest", "Digest", "x-goog-hash")) {
            for (String value : headers.allValues(header)) {
                for (String item : value.split(",")) {
                    int equals = item.indexOf('=');
                    if (equals > 0) {
                        String text = item.substring(equals + 1).strip();
                        boolean binary = text.length() > 1 && text.startsWith(":") && text.endsWith(":");
                        String base64 = binary ? text.substring(1, text.length() - 1) : text;
                        kind(item.substring(0, equals).strip())
                                .flatMap(kind -> Checksum.ofBase64(kind, base64))
                                .ifPresent(checksum -> found.putIfAbsent(checksum.kind(), checksum));
                    }
                }
            }
        }
        headers.firstValue("Content-MD5")
                .flatMap(text -> Checksum.ofBase64(Checksum.Kind.MD5, text))
                .ifPresent(checksum -> found.putIfAbsent(checksum.kind(), checksum));
        return new ArrayList<>(found.values());
    }

    private static Optional<Checksum.Kind> kind(String algorithm) {
        return switch (algorithm.toLowerCase(Locale.ROOT)) {
            case "sha-256" -> Optional.of(Checksum.Kind.SHA256);
            case "md5" -> Optional.of(Checksum.Kind.MD5);
            case "crc32c" -> Optional.of(Checksum.Kind.CRC32C);
            default -> Optional.empty();
        };
    }

    @Override
    public InputException refusal(String file, HttpStatusException answer) {
        InputException.Builder error = InputException.at(file.isEmpty() ? source.label() : source.label() + "/" + file)
                .problem(String.valueOf(answer.getMessage()));
        if (answer.status() == 401 || answer.status() == 403) {
            error.cure("The server wants to know who asks: download the model as its owner says, and give the folder.");
        } else {
            error.cure("Check the address, or try again later.");
        }
        return error.exception(answer);
    }
}
