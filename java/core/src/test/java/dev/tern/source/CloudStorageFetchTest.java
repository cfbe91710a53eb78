package dev.tern.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Fetching from Google Cloud Storage: listings in pages, hashes, generations, public and private buckets. */
class CloudStorageFetchTest {
    private static final String PREFIX = "dlm/check point/";

    @TempDir
    Path cache;

    private final Map<String, byte[]> objects = new TreeMap<>();
    private final Map<String, Integer> generations = new HashMap<>();
    private final Map<String, String> environment = new HashMap<>();
    private final List<Duration> pauses = new CopyOnWriteArrayList<>();
    private volatile String requiredToken = "";
    private volatile boolean damaged;
    private volatile boolean composed;
    private volatile String form = "";
    private volatile boolean machine;
    private volatile String tokenMoved = "";
    private volatile boolean listed;
    private volatile Runnable afterListing = () -> {};
    private RoughServer server;

    @BeforeEach
    void start() throws IOException {
        objects.put(PREFIX + "config.json", "{\"a\": 1}".getBytes(StandardCharsets.UTF_8));
        objects.put(PREFIX + "model.safetensors", FakeHub.safetensors(2500, 1));
        objects.put(PREFIX + "optimizer.pt", new byte[500]);
        objects.put(PREFIX + "old/config.json", new byte[5]);
        objects.put("dlm/other/config.json", new byte[5]);
        for (int i = 0; i < 5; i++) {
            objects.put(PREFIX + "rng_state_" + i + ".pth", new byte[5]);
        }
        server = new RoughServer(this::answer);
        environment.put("TERN_CACHE", cache.toString());
        environment.put("HOME", cache.toString());
        environment.put("STORAGE_EMULATOR_HOST", server.url().replace("http://", ""));
        environment.put("GCE_METADATA_HOST", server.url().replace("http://", ""));
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private RoughServer.Reply answer(RoughServer.Request request) throws Exception {
        if (request.path().equals("/computeMetadata/v1/instance/service-accounts/default/token")) {
            return machine && request.header("Metadata-Flavor").equals("Google")
                    ? RoughServer.Reply.of(200, "{\"access_token\": \"of-machine\", \"expires_in\": 3000}")
                    .with("Metadata-Flavor", "Google")
                    : RoughServer.Reply.of(404, "");
        }
        if (request.path().equals("/token") && !tokenMoved.isEmpty()) {
            return RoughServer.Reply.of(307, "").with("Location", tokenMoved);
        }
        if (request.path().equals("/token")) {
            form = request.body();
            return RoughServer.Reply.of(200,
                    "{\"access_token\": \"ya29.secret\", \"expires_in\": 3599, \"token_type\": \"Bearer\"}");
        }
        boolean open = requiredToken.isEmpty() || listed && request.path().endsWith("/o");
        if (!open && !request.header("Authorization").equals("Bearer " + requiredToken)) {
            return RoughServer.Reply.of(request.header("Authorization").isEmpty() ? 401 : 403, "{}");
        }
        String list = "/storage/v1/b/bucket/o";
        if (request.path().equals(list)) {
            RoughServer.Reply page = RoughServer.Reply.of(200, listing(request));
            if (new String(page.body(), StandardCharsets.UTF_8).contains("model.safetensors")) {
                afterListing.run();
            }
            return page;
        }
        String name = request.path().startsWith(list + "/") ? request.path().substring(list.length() + 1) : "";
        byte[] bytes = objects.get(name);
        boolean right = bytes != null
                && request.query("alt").equals("media")
                && request.query("generation").equals(String.valueOf(generations.getOrDefault(name, 1)));
        if (!right) {
            return RoughServer.Reply.of(404, "No such object");
        }
        byte[] sent = bytes.clone();
        if (damaged) {
            sent[sent.length - 1] ^= 1;
        }
        return RoughServer.Reply.range(request, sent);
    }

    /** Two names a page, as servers may do at their will; sizes and generations are strings of digits. */
    private String listing(RoughServer.Request request) throws Exception {
        List<String> names = objects.keySet().stream()
                .filter(name -> name.startsWith(request.query("prefix")))
                .filter(name -> name.indexOf('/', request.query("prefix").length()) < 0)
                .toList();
        int from = request.query("pageToken").isEmpty() ? 0 : Integer.parseInt(request.query("pageToken"));
        List<String> items = new ArrayList<>();
        for (String name : names.subList(from, Math.min(names.size(), from + 2))) {
            byte[] bytes = objects.get(name);
            CRC32C crc = new CRC32C();
            crc.update(bytes);
            byte[] four = ByteBuffer.allocate(4).putInt((int) crc.getValue()).array();
            String md5 = Base64.getEncoder().encodeToString(MessageDigest.getInstance("MD5").digest(bytes));
            items.add("{\"name\": \"" + name + "\", \"size\": \"" + bytes.length + "\", \"generation\": \""
                    + generations.getOrDefault(name, 1) + "\", \"crc32c\": \"" + Base64.getEncoder()
                    .encodeToString(four) + "\""
                    + (composed ? "" : ", \"md5Hash\": \"" + md5 + "\"") + "}");
        }
        return "{\"items\": [" + String.join(", ", items) + "]"
                + (from + 2 < names.size() ? ", \"nextPageToken\": \"" + (from + 2) + "\"" : "") + "}";
    }

    private FetchedModel fetch() {
        return ModelSource.parse("gs://bucket/" + PREFIX)
                .fetch(FetchOptions.builder().environment(environment).patience(FakeHub.patience(pauses)).build());
    }

    private void requireRight(FetchedModel model) {
        assertThat(model.path().resolve("config.json")).hasBinaryContent(objects.get(PREFIX + "config.json"));
        assertThat(model.path().resolve("model.safetensors"))
                .hasBinaryContent(objects.get(PREFIX + "model.safetensors"));
        assertThat(model.path()).isDirectoryNotContaining(file -> file.toString().matches(".*\\.(pt|pth)|.*old"));
    }

    @Test
    void aPublicBucketNeedsNoAccount() {
        environment.put("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file");
        FetchedModel model = fetch();
        requireRight(model);
        assertThat(model.path().toString()).contains("models/storage.googleapis.com/bucket/dlm/check%20point/");
        assertThat(model.notes()).contains("optimizer.pt and 5 others are not needed and were left out");
        assertThat(server.requests("/o")).as("pages of the listing").hasSize(4);
        assertThat(server.requests()).allMatch(request -> request.header("Authorization").isEmpty());
    }

    @Test
    void anotherGenerationIsAnotherState() {
        FetchedModel before = fetch();
        objects.put(PREFIX + "model.safetensors", FakeHub.safetensors(2500, 4));
        generations.put(PREFIX + "model.safetensors", 2);
        objects.put(PREFIX + "optimizer.pt", new byte[7]);
        FetchedModel after = fetch();
        requireRight(after);
        assertThat(after.revision()).isNotEqualTo(before.revision());
        generations.put(PREFIX + "optimizer.pt", 3);
        assertThat(fetch().fetchedBytes()).as("only what a model needs counts").isZero();
    }

    /** A generation that is gone means a new one, not an error. */
    @Test
    void anObjectThatIsOverwrittenWhileItIsFetched() {
        afterListing = () -> {
            afterListing = () -> {};
            objects.put(PREFIX + "model.safetensors", FakeHub.safetensors(2600, 5));
            generations.put(PREFIX + "model.safetensors", 2);
        };
        requireRight(fetch());
        afterListing = () -> {
            int next = generations.merge(PREFIX + "config.json", 2, Integer::sum);
            objects.put(PREFIX + "config.json", ("{\"a\": " + next + "}").getBytes(StandardCharsets.UTF_8));
        };
        afterListing.run(); // the state that is there already would not be fetched
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageContaining("changes again and again")
                .hasMessageContaining("config.json was overwritten or removed");
    }

    /** Who may list a bucket need not be able to read it without an account. */
    @Test
    void objectsThatAreNotPublicThoughTheirListIs() {
        listed = true;
        requiredToken = "of-machine";
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageContaining("the bucket is not public, and there are no credentials for it");
        machine = true;
        requireRight(fetch());
        requiredToken = "another";
        objects.put(PREFIX + "config.json", new byte[3]);
        assertThatThrownBy(this::fetch).hasMessageContaining("denies access to this machine's account");
    }

    @Test
    void addressesInVariablesAndKeyFilesThatAreNone() throws Exception {
        requiredToken = "x";
        environment.put("GCE_METADATA_HOST", "a host");
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("GCE_METADATA_HOST: expected a web address");
        Path key = cache.resolve("key.json");
        environment.put("GOOGLE_APPLICATION_CREDENTIALS", key.toString());
        for (String address : List.of("not an address", "oauth2", "https://")) {
            for (String type : List.of("authorized_user", "service_account")) {
                Files.writeString(key, "{\"type\": \"" + type + "\", \"client_id\": \"id\", "
                        + "\"client_secret\": \"hush\","
                        + " \"refresh_token\": \"hush\", \"client_email\": \"a@b\", \"private_key\": \"hush\","
                        + " \"token_uri\": \"" + address + "\"}");
                assertThatThrownBy(this::fetch)
                        .isInstanceOf(InputException.class)
                        .hasMessageStartingWith(key + ": key 'token_uri': expected a web address")
                        .satisfies(e -> assertThat(e.toString()).doesNotContain("hush"));
            }
        }
    }

    @Test
    void bothHashesAreCompared() {
        damaged = true;
        assertThatThrownBy(this::fetch).hasMessageContaining("came damaged twice")
                .hasMessageContaining("expected MD5 ");
        composed = true;
        assertThatThrownBy(this::fetch).hasMessageContaining("came damaged twice")
                .hasMessageContaining("expected CRC-32C ");
        damaged = false;
        requireRight(fetch());
    }

    @Test
    void aPrivateBucketSaysHowToSignIn() {
        requiredToken = "other";
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageContaining("gs://bucket/dlm/check point: the bucket is not public, and there are no cred")
                .hasMessageContaining("gcloud auth application-default login");
        machine = true;
        assertThatThrownBy(this::fetch).hasMessageContaining("denies access to this machine's account");
    }

    @Test
    void signedInWithGcloud() throws Exception {
        requiredToken = "ya29.secret";
        Path gcloud = Files.createDirectories(cache.resolve(".config/gcloud"));
        Files.writeString(gcloud.resolve("application_default_credentials.json"), "{\"type\": \"authorized_user\","
                + " \"client_id\": \"id\", \"client_secret\": \"hush+/\", \"refresh_token\": \"1//x\","
                + " \"token_uri\": \"" + server.url()
                + "/token\"}");
        requireRight(fetch());
        assertThat(form)
                .isEqualTo("grant_type=refresh_token&client_id=id&client_secret=hush%2B%2F&refresh_token=1%2F%2Fx");
        assertThat(server.requests("/token")).as("kept while it is good").hasSize(1);

        try (RoughServer other = new RoughServer(request -> RoughServer.Reply.of(200, "{\"access_token\": \"x\"}"))) {
            tokenMoved = other.url() + "/token";
            assertThatThrownBy(this::fetch).hasMessageContaining("Google does not accept these credentials");
            assertThat(other.requests()).as("what is posted is secret").isEmpty();
            tokenMoved = "";
        }

        requiredToken = "another";
        assertThatThrownBy(this::fetch)
                .hasMessageContaining("denies access to the account of " + gcloud)
                .satisfies(e -> assertThat(e.toString()).doesNotContain("ya29").doesNotContain("hush"));
    }

    @Test
    void asAServiceAccount() throws Exception {
        requiredToken = "ya29.secret";
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        KeyPair pair = generator.generateKeyPair();
        String pem = "-----BEGIN PRIVATE KEY-----\\n"
                + Base64.getEncoder().encodeToString(pair.getPrivate().getEncoded()).replaceAll("(.{64})", "$1\\\\n")
                + "\\n-----END PRIVATE KEY-----\\n";
        Path key = cache.resolve("key.json");
        Files.writeString(key,
                "{\"type\": \"service_account\", \"client_email\": \"tern@project.iam\", \"private_key_id\": \"k1\","
                + " \"private_key\": \"" + pem + "\", \"token_uri\": \"" + server.url() + "/token\"}");
        environment.put("GOOGLE_APPLICATION_CREDENTIALS", key.toString());
        Instant before = Instant.now();
        requireRight(fetch());

        assertThat(form).startsWith("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
        String[] parts = form.substring(form.indexOf("assertion=") + 10).split("\\.");
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initVerify(pair.getPublic());
        signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
        assertThat(signature.verify(Base64.getUrlDecoder().decode(parts[2]))).isTrue();
        JsonMapper json = JsonMapper.builder().build();
        assertThat(json.readTree(Base64.getUrlDecoder().decode(parts[0])))
                .isEqualTo(json.readTree("{\"alg\": \"RS256\", \"typ\": \"JWT\", \"kid\": \"k1\"}"));
        JsonNode claims = json.readTree(Base64.getUrlDecoder().decode(parts[1]));
        assertThat(claims.path("iss").asString()).isEqualTo("tern@project.iam");
        assertThat(claims.path("aud").asString()).isEqualTo(server.url() + "/token");
        assertThat(claims.path("scope").asString()).isEqualTo("https://www.googleapis.com/auth/devstorage.read_only");
        assertThat(claims.path("iat").asLong()).isBetween(before.getEpochSecond(), Instant.now().getEpochSecond());
        assertThat(claims.path("exp").asLong() - claims.path("iat").asLong()).isEqualTo(3600);

        requiredToken = "another";
        assertThatThrownBy(this::fetch).hasMessageContaining("denies access to tern@project.iam");
        Files.writeString(key, Files.readString(key).replace("BEGIN PRIVATE KEY-----", "BEGIN PRIVATE KEY-----AAAA"));
        assertThatThrownBy(this::fetch).hasMessageContaining(key + ": key 'private_key'")
                .hasMessageContaining("an RSA key");
        Files.writeString(key, "secret: hush");
        assertThatThrownBy(this::fetch)
                .hasMessageContaining("expected a key file")
                .satisfies(e -> assertThat(e.toString()).doesNotContain("hush"));
        Files.writeString(key, "{\"type\": \"external_account\"}");
        assertThatThrownBy(this::fetch).hasMessageContaining("found \"external_account\"");
    }

    @Test
    void onAMachineOfGoogle() {
        requiredToken = "of-machine";
        machine = true;
        requireRight(fetch());
        environment.put("NO_GCE_CHECK", "true");
        objects.put(PREFIX + "config.json", new byte[3]);
        assertThatThrownBy(this::fetch).hasMessageContaining("there are no credentials");
    }

    @Test
    void noBucketAndNothingInIt() {
        FetchOptions options = FetchOptions.builder().environment(environment).patience(FakeHub.patience(pauses))
                .build();
        assertThatThrownBy(() -> ModelSource.parse("gs://nobucket/x").fetch(options))
                .hasMessageContaining("no such bucket");
        assertThatThrownBy(() -> ModelSource.parse("gs://bucket/elsewhere").fetch(options))
                .hasMessageContaining("there is no config.json in it; found nothing");
    }
}
