package dev.tern.source;

import dev.tern.io.InputException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A folder of a bucket, asked over the JSON API of Google Cloud Storage: {@code /storage/v1/b/BUCKET/o?prefix=P} lists
 * objects with their generations and hashes, {@code /o/NAME?alt=media&generation=G} gives the bytes of one generation,
 * which never change. Asked without an account first, as anybody may read a public bucket.
 */
final class CloudStorage implements RemoteFolder {
    private static final int MOST_PAGES = 1000;

    private final CloudStorageSource source;
    private final Http http;
    private final String endpoint;
    private final SignIn signIn;
    private volatile Optional<GoogleCredentials> credentials = Optional.empty();
    private volatile boolean signInFirst;
    private volatile boolean signInTried;

    /** Looks for credentials when they are needed. */
    @FunctionalInterface
    interface SignIn {
        Optional<GoogleCredentials> credentials() throws IOException, InterruptedException;
    }

    CloudStorage(CloudStorageSource source, Http http, String endpoint, SignIn signIn) {
        this.source = source;
        this.http = http;
        this.endpoint = endpoint;
        this.signIn = signIn;
    }

    @Override
    public Listing list() throws IOException, InterruptedException {
        if (signInFirst && !signInTried) {
            signIn();
        }
        List<JsonNode> objects;
        try {
            objects = objects();
        } catch (HttpStatusException e) {
            if (e.status() != 401 && e.status() != 403 || signInTried || !signIn()) {
                throw e;
            }
            objects = objects();
        }
        Map<String, RemoteFile> files = new LinkedHashMap<>();
        TreeMap<String, String> identities = new TreeMap<>();
        for (JsonNode object : objects) {
            String name = object.path("name").asString("").substring(prefix().length());
            if (!name.isEmpty() && name.indexOf('/') < 0) {
                files.put(name, file(name, object));
                if (Selection.SMALL.contains(name) || name.endsWith(".safetensors") || name.equals(Selection.INDEX)) {
                    identities.put(name, object.path("generation").asString(""));
                }
            }
        }
        return new ListedFiles("state", ModelCache.hash(identities.toString()), files);
    }

    private boolean signIn() throws IOException, InterruptedException {
        signInTried = true;
        credentials = signIn.credentials();
        return credentials.isPresent();
    }

    private List<JsonNode> objects() throws IOException, InterruptedException {
        List<JsonNode> objects = new ArrayList<>();
        String page = "";
        for (int pages = 0; pages < MOST_PAGES; pages++) {
            URI uri = uri("?prefix=" + Addresses.encoded(prefix())
                    + "&delimiter=%2F&fields=items(name,size,md5Hash,crc32c,generation),nextPageToken"
                    + (page.isEmpty() ? "" : "&pageToken=" + Addresses.encoded(page)));
            ObjectNode answer = http.json(Http.Request.get(uri, authorization()));
            for (JsonNode object : answer.path("items")) {
                if (object.path("name").asString("").startsWith(prefix())) {
                    objects.add(object);
                }
            }
            page = answer.path("nextPageToken").asString("");
            if (page.isEmpty()) {
                return objects;
            }
        }
        throw InputException.at(source.label())
                .problem("the listing of the folder does not end")
                .expected("at most " + MOST_PAGES + " pages")
                .cure("Give the folder that holds the model and little else.")
                .exception();
    }

    private String prefix() {
        return source.folders().isEmpty() ? "" : String.join("/", source.folders()) + "/";
    }

    private URI uri(String rest) {
        return Http.endpoint("STORAGE_EMULATOR_HOST", endpoint, "/storage/v1/b/" + source.bucket() + "/o" + rest);
    }

    private Authorization authorization() {
        return credentials.<Authorization>map(found -> found::header).orElse(Authorization.NONE);
    }

    private RemoteFile file(String name, JsonNode object) {
        String generation = object.path("generation").asString("");
        List<Checksum> checksums = new ArrayList<>();
        // Objects that were composed of others have no MD5.
        Checksum.ofBase64(Checksum.Kind.MD5, object.path("md5Hash").asString("")).ifPresent(checksums::add);
        Checksum.ofBase64(Checksum.Kind.CRC32C, object.path("crc32c").asString("")).ifPresent(checksums::add);
        boolean strong = !checksums.isEmpty() && checksums.getFirst().kind() == Checksum.Kind.MD5;
        return new RemoteFile(
                name,
                object.path("size").asLong(-1), // a string of digits in this API
                uri("/" + Addresses.encoded(prefix() + name) + "?alt=media&generation="
                        + Addresses.encoded(generation)),
                authorization(),
                checksums,
                strong ? checksums.getFirst().toString() : "generation " + generation + " of " + name,
                "",
                true);
    }

    /**
     * What was listed a moment ago and is not there any more was overwritten or removed: there is another generation of
     * it, or none. A bucket whose objects, unlike their list, are not public is listed again with an account.
     */
    @Override
    public RuntimeException refusal(String file, HttpStatusException answer) {
        boolean denied = answer.status() == 401 || answer.status() == 403;
        if (!file.isEmpty() && answer.status() == 404) {
            return new SourceChangedException(source.label() + "/" + file + " was overwritten or removed");
        }
        if (!file.isEmpty() && denied && !signInTried) {
            signInFirst = true;
            return new SourceChangedException(source.label() + "/" + file + " is not public");
        }
        InputException.Builder error = InputException.at(file.isEmpty() ? source.label() : source.label() + "/" + file);
        String signIn = "Sign in with 'gcloud auth application-default login', or name a key file in"
                + " GOOGLE_APPLICATION_CREDENTIALS.";
        if (denied) {
            if (credentials.isEmpty()) {
                error.problem("the bucket is not public, and there are no credentials for it").cure(signIn);
            } else {
                error.problem("the bucket denies access to " + credentials.get().account())
                        .cure("Have its owner grant that account the role Storage Object Viewer, or use another one."
                                + " " + signIn);
            }
        } else if (answer.status() == 404) {
            error.problem("no such bucket").cure("Check the address.");
        } else {
            error.problem(String.valueOf(answer.getMessage())).cure("Check the address, or try again later.");
        }
        return error.exception(answer);
    }
}
