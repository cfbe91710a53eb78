package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A repository of the hub, asked over its API: {@code /api/models/ORG/NAME/revision/REVISION?blobs=true} gives the
 * commit and every file with its size and hash; {@code /ORG/NAME/resolve/COMMIT/PATH} the bytes.
 */
final class HuggingFaceHub implements RemoteFolder {
    private final HuggingFaceSource source;
    private final Http http;
    private final String endpoint;
    private final Optional<HuggingFaceToken> token;
    private final Authorization authorization;

    HuggingFaceHub(HuggingFaceSource source, Http http, String endpoint, Optional<HuggingFaceToken> token) {
        this.source = source;
        this.http = http;
        this.endpoint = endpoint;
        this.token = token;
        this.authorization = token.<Authorization>map(found -> () -> "Bearer " + found.value())
                .orElse(Authorization.NONE);
    }

    @Override
    public Listing list() throws IOException, InterruptedException {
        URI uri = uri("/api/models/" + path(source.organization(), source.repository()) + "/revision/"
                + Addresses.encoded(source.revision()) + "?blobs=true");
        ObjectNode answer = http.json(Http.Request.get(uri, authorization));
        String commit = answer.path("sha").asString("");
        if (!commit.matches("[0-9a-f]{40}|[0-9a-f]{64}")) {
            throw InputException.at(Http.shown(uri))
                    .key("sha")
                    .expected("the hash of a commit")
                    .found(JsonFile.shown(answer.get("sha")))
                    .cure("The server is no Hugging Face hub; check HF_ENDPOINT.")
                    .exception();
        }
        String folder = source.subfolder().stream().map(name -> name + "/").collect(Collectors.joining());
        Map<String, RemoteFile> files = new LinkedHashMap<>();
        for (JsonNode sibling : answer.path("siblings")) {
            String path = sibling.path("rfilename").asString("");
            String name = path.startsWith(folder) ? path.substring(folder.length()) : "";
            if (!name.isEmpty() && name.indexOf('/') < 0) {
                files.put(name, file(name, path, commit, sibling));
            }
        }
        return new ListedFiles("commit", commit, files);
    }

    private RemoteFile file(String name, String path, String commit, JsonNode sibling) {
        JsonNode large = sibling.path("lfs");
        // Of a large file git has a pointer, and the blob's hash is the pointer's.
        Optional<Checksum> checksum = large.isObject()
                ? Checksum.ofHex(Checksum.Kind.SHA256, large.path("sha256").asString(""))
                : Checksum.ofHex(Checksum.Kind.GIT_BLOB, sibling.path("blobId").asString(""));
        long size = large.isObject() ? large.path("size").asLong(-1) : sibling.path("size").asLong(-1);
        return new RemoteFile(
                name,
                size,
                uri("/" + path(source.organization(), source.repository()) + "/resolve/" + commit + "/"
                        + path(path.split("/"))),
                authorization,
                checksum.stream().toList(),
                checksum.map(Checksum::toString).orElse("commit " + commit + " " + path),
                "",
                true);
    }

    private static String path(String... names) {
        return Stream.of(names).map(Addresses::encoded).collect(Collectors.joining("/"));
    }

    private URI uri(String pathAndQuery) {
        return Http.endpoint("HF_ENDPOINT", endpoint, pathAndQuery);
    }

    @Override
    public InputException refusal(String file, HttpStatusException answer) {
        String repository = source.organization() + "/" + source.repository();
        String page = endpoint + "/" + repository;
        String code = answer.header("X-Error-Code");
        String message = answer.header("X-Error-Message");
        String giveToken = token.isPresent()
                ? "The token in use is that of " + token.get().origin() + "."
                : "Give your token in HF_TOKEN, or sign in with 'hf auth login'.";
        InputException.Builder error = InputException.at(file.isEmpty() ? source.label() : source.label() + "/" + file);
        if (message.startsWith("Invalid credentials")) {
            error.problem("the hub does not accept the token")
                    .cure(giveToken + " Make a new one at " + endpoint + "/settings/tokens.");
        } else if (code.equals("GatedRepo")) {
            error.problem("the model is gated: its owner wants to be asked first")
                    .cure("Ask for access at " + page + " with your account. " + giveToken);
        } else if (message.startsWith("Access to this resource is disabled")) {
            error.problem("the hub has disabled this model");
        } else if (code.equals("RevisionNotFound")) {
            error.problem("the model has no revision '" + source.revision() + "'")
                    .cure("Its branches and tags are at " + page + "/tree/main.");
        } else if (code.equals("EntryNotFound")) {
            error.problem("no such file in this revision");
        } else if (code.equals("RepoNotFound") || answer.status() == 401 || answer.status() == 404) {
            error.problem("no such model, or a private one")
                    .cure("Check the name; if it is right, your account needs access. " + giveToken);
        } else if (answer.status() == 403) {
            error.problem("the hub denies access" + (message.isEmpty() ? "" : ": " + message))
                    .cure("Look at " + page + " with your account. " + giveToken);
        } else {
            error.problem(String.valueOf(answer.getMessage())).cure("Try again later.");
        }
        return error.exception(answer);
    }
}
