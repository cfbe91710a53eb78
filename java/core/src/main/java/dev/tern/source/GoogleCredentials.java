package dev.tern.source;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Application-default credentials, found where Google's own clients look: the file {@code
 * GOOGLE_APPLICATION_CREDENTIALS}, that of {@code gcloud auth application-default login}, or the account of the Google
 * machine that this is. Access tokens are kept until shortly before they expire. Thread-safe.
 *
 * @see <a href="https://google.aip.dev/auth/4110">AIP-4110</a>
 */
final class GoogleCredentials {
    private static final String TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token";
    private static final Duration QUICKLY = Duration.ofMillis(500);
    private static final Duration MARGIN = Duration.ofMinutes(2);

    private final String account;
    private final Grant grant;
    private @Nullable Token token;

    /** Asks for an access token. */
    @FunctionalInterface
    private interface Grant {
        ObjectNode ask() throws IOException, InterruptedException;
    }

    private record Token(String value, Instant expiry) {}

    private GoogleCredentials(String account, Grant grant) {
        this.account = account;
        this.grant = grant;
    }

    /** Looks for credentials; empty when there are none. */
    static Optional<GoogleCredentials> find(FetchOptions options, Http http) throws IOException, InterruptedException {
        Optional<Path> named = options.variable("GOOGLE_APPLICATION_CREDENTIALS").map(Path::of);
        if (named.isPresent()) {
            return Optional.of(ofFile(named.get(), http));
        }
        Path gcloud = options.variable("CLOUDSDK_CONFIG").map(Path::of).orElseGet(() -> options.variable("APPDATA")
                .map(folder -> Path.of(folder, "gcloud"))
                .orElseGet(() -> Path.of(
                        options.variable("HOME").orElse(System.getProperty("user.home")), ".config", "gcloud")));
        Path file = gcloud.resolve("application_default_credentials.json");
        return Files.isRegularFile(file) ? Optional.of(ofFile(file, http)) : ofMachine(options);
    }

    private static GoogleCredentials ofFile(Path file, Http http) {
        ObjectNode json = read(file);
        String type = json.path("type").asString("");
        return switch (type) {
            case "authorized_user" -> {
                Map<String, String> form = new LinkedHashMap<>();
                form.put("grant_type", "refresh_token");
                for (String key : new String[] {"client_id", "client_secret", "refresh_token"}) {
                    form.put(key, text(json, key, file));
                }
                URI endpoint = endpoint(json, file);
                yield new GoogleCredentials("the account of " + file, () -> ask(http, endpoint, form, file));
            }
            case "service_account" -> {
                String email = text(json, "client_email", file);
                URI endpoint = endpoint(json, file);
                String keyId = json.path("private_key_id").asString("");
                SignedAssertion assertion =
                        new SignedAssertion(email, endpoint.toString(), keyId, text(json, "private_key", file), file);
                yield new GoogleCredentials(email, () -> {
                    Map<String, String> form = new LinkedHashMap<>();
                    form.put("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
                    form.put("assertion", assertion.at(Instant.now()));
                    return ask(http, endpoint, form, file);
                });
            }
            default ->
                throw InputException.at(file)
                        .key("type")
                        .expected("authorized_user or service_account")
                        .found(JsonFile.shown(json.get("type")))
                        .cure("Sign in with 'gcloud auth application-default login', or use the key of a service"
                                + " account.")
                        .exception();
        };
    }

    /** Where a key file says that tokens are to be asked for. */
    private static URI endpoint(ObjectNode json, Path file) {
        try {
            URI uri = URI.create(json.path("token_uri").asString(TOKEN_ENDPOINT));
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw InputException.at(file)
                .key("token_uri")
                .expected("a web address such as " + TOKEN_ENDPOINT)
                .found(JsonFile.shown(json.get("token_uri")))
                .cure("Sign in anew: gcloud auth application-default login.")
                .exception();
    }

    private static ObjectNode read(Path file) {
        try {
            return JsonFile.read(file);
        } catch (InputException e) { // what it says could quote a secret
            throw InputException.at(file)
                    .expected("a key file or credentials of Google, in JSON")
                    .found(Files.exists(file) ? "something else" : "no such file")
                    .cure("Sign in with 'gcloud auth application-default login', or name another file in"
                            + " GOOGLE_APPLICATION_CREDENTIALS.")
                    .exception();
        }
    }

    private static String text(ObjectNode json, String key, Path file) {
        String text = json.path(key).asString("");
        if (text.isEmpty()) {
            throw InputException.at(file)
                    .key(key)
                    .problem("is missing")
                    .cure("Sign in anew: gcloud auth application-default login.")
                    .exception();
        }
        return text;
    }

    private static ObjectNode ask(Http http, URI endpoint, Map<String, String> form, Path file)
            throws IOException, InterruptedException {
        String body = form.entrySet().stream()
                .map(field -> field.getKey() + "=" + Addresses.encoded(field.getValue()))
                .collect(Collectors.joining("&"));
        try {
            return http.json(Http.Request.post(endpoint, body));
        } catch (HttpStatusException e) {
            throw InputException.at(file)
                    .problem("Google does not accept these credentials: " + e.getMessage())
                    .cure("Sign in anew with 'gcloud auth application-default login', or use another key file.")
                    .exception(e);
        }
    }

    /**
     * The account of the Google machine that this is, if it is one: the metadata server answers at once or is not
     * there.
     */
    private static Optional<GoogleCredentials> ofMachine(FetchOptions options) throws InterruptedException {
        if (options.variable("NO_GCE_CHECK").filter(value -> value.equalsIgnoreCase("true")).isPresent()) {
            return Optional.empty();
        }
        String host = options.variable("GCE_METADATA_HOST").orElse("169.254.169.254");
        Patience patience = options.patience();
        FetchOptions quick = options.with(new Patience(
                1,
                patience.firstPause(),
                patience.longestPause(),
                patience.longestDemand(),
                QUICKLY,
                QUICKLY.multipliedBy(4),
                QUICKLY.multipliedBy(4),
                patience.segmentBytes(),
                patience.pauses()));
        String path = "/computeMetadata/v1/instance/service-accounts/default/token";
        URI uri = Http.endpoint("GCE_METADATA_HOST", "http://" + host, path);
        Grant grant = () -> {
            Http.Request request = new Http.Request(
                    "GET", uri, Map.of("Metadata-Flavor", "Google"), Authorization.NONE, "", true);
            try (Http http = new Http(quick);
                    Http.Response response = http.open(request).requireSuccess()) {
                if (!response.header("Metadata-Flavor").equals("Google")) {
                    throw new IOException(host + " is no metadata server");
                }
                return JsonFile.parse(Http.read(response, Http.shown(uri)), Http.shown(uri));
            }
        };
        GoogleCredentials machine = new GoogleCredentials("this machine's account", grant);
        try {
            machine.header();
            return Optional.of(machine);
        } catch (IOException | InputException e) {
            return Optional.empty();
        }
    }

    /** Whose they are, in words. */
    String account() {
        return account;
    }

    /** The value of an {@code Authorization} header. */
    synchronized String header() throws IOException, InterruptedException {
        Token known = token;
        if (known == null || Instant.now().plus(MARGIN).isAfter(known.expiry())) {
            ObjectNode answer = grant.ask();
            String value = answer.path("access_token").asString("");
            if (!value.matches("[!-~]+")) {
                throw InputException.at(account).problem("Google's answer holds no access token").exception();
            }
            known = new Token(value, Instant.now().plusSeconds(answer.path("expires_in").asLong(0)));
            token = known;
        }
        return "Bearer " + known.value();
    }
}
