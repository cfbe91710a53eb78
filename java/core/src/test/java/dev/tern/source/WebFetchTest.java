package dev.tern.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fetching from a plain web server, which says little of its files and may change them at any time. */
class WebFetchTest {
    private static final String WEIGHTS = "model.safetensors";

    @TempDir
    Path cache;

    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final Map<String, String> tags = new ConcurrentHashMap<>();
    private final List<Duration> pauses = new CopyOnWriteArrayList<>();
    private volatile BiFunction<RoughServer.Request, RoughServer.Reply,
            RoughServer.Reply> fault = (request, reply) -> reply;
    private RoughServer server;

    @BeforeEach
    void start() throws IOException {
        files.put("config.json", "{\"a\": 1}".getBytes(StandardCharsets.UTF_8));
        files.put("tokenizer.json", "{}".getBytes(StandardCharsets.UTF_8));
        files.put(WEIGHTS, FakeHub.safetensors(3000, 1));
        files.keySet().forEach(name -> tags.put(name, "\"1\""));
        server = new RoughServer(request -> {
            String name = request.path().substring(request.path().lastIndexOf('/') + 1);
            byte[] bytes = files.get(name);
            if (bytes == null || !request.path().startsWith("/models/tiny/")) {
                return fault.apply(request, RoughServer.Reply.of(404, "no"));
            }
            String tag = tags.getOrDefault(name, "");
            boolean stretch = request.header("If-Range").isEmpty() || request.header("If-Range").equals(tag);
            RoughServer.Reply reply = stretch ? RoughServer.Reply.range(request, bytes) : RoughServer.Reply.ok(bytes);
            return fault.apply(request, tag.isEmpty() ? reply : reply.with("ETag", tag));
        });
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private FetchOptions.Builder options() {
        return FetchOptions.builder()
                .environment(Map.of("TERN_CACHE", cache.toString(), "HOME", cache.toString()))
                .patience(FakeHub.patience(pauses));
    }

    private FetchedModel fetch() {
        return ModelSource.parse(server.url() + "/models/tiny/").fetch(options().build());
    }

    private void requireRight(FetchedModel model) {
        requireRight(model, files);
    }

    private static void requireRight(FetchedModel model, Map<String, byte[]> right) {
        right.forEach((name, bytes) -> assertThat(model.path().resolve(name)).hasBinaryContent(bytes));
    }

    @Test
    void asksForTheFilesThatAModelMayHave() throws Exception {
        FetchedModel model = fetch();
        requireRight(model);
        String host = "localhost%3A" + server.url().replaceAll(".*:", "");
        assertThat(model.path()).hasFileName("tiny");
        assertThat(model.path().getParent().getParent())
                .isEqualTo(cache.resolve("models").resolve(host).resolve("models/tiny"));
        assertThat(model.notes()).anyMatch(note ->
                note.startsWith("the server offers no checksum of config.json, tokenizer.json, model.safetensors"));
        assertThat(server.requests("special_tokens_map.json")).hasSize(1);
        assertThat(server.requests()).noneMatch(request -> request.path().matches(".*(merges|vocab)[.].*"));
        assertThat(server.requests(".bin")).isEmpty();
        assertThat(server.requests(".index.json")).isEmpty();

        int gets = (int) server.requests().stream().filter(request -> request.method().equals("GET")).count();
        assertThat(fetch().fetchedBytes()).isZero();
        assertThat(server.requests().stream().filter(request -> request.method().equals("GET"))).hasSize(gets);
        assertThat(ModelSource.parse(server.url() + "/models/tiny").fetch(options().offline(true).build()).path())
                .isEqualTo(model.path());
    }

    /** What is wanted does not change what the state of the folder is called. */
    @Test
    void configurationFirstAndWeightsLater() throws Exception {
        ModelSource source = ModelSource.parse(server.url() + "/models/tiny/");
        FetchedModel configuration = source.fetch(options().weights(false).build());
        assertThat(configuration.path().resolve(WEIGHTS)).doesNotExist();
        assertThat(server.requests(WEIGHTS)).allMatch(request -> request.method().equals("HEAD"));
        FetchedModel whole = fetch();
        requireRight(whole);
        assertThat(whole.path()).isEqualTo(configuration.path());
        assertThat(whole.notes()).noneMatch(note -> note.contains("has moved"));
        FetchedModel again = source.fetch(options().weights(false).build());
        assertThat(again.revision()).isEqualTo(whole.revision());
        assertThat(again.notes()).noneMatch(note -> note.contains("has moved"));
        assertThat(source.fetch(options().offline(true).build()).path()).isEqualTo(whole.path());

        files.put("ema.safetensors", FakeHub.safetensors(40, 3));
        FetchedModel named = ModelSource.parse(server.url() + "/models/tiny/ema.safetensors").fetch(options().build());
        assertThat(named.path()).hasBinaryContent(files.get("ema.safetensors")).hasParent(whole.path());

        Path own = cache.resolve("own");
        source.fetch(options().folder(own).weights(false).build());
        requireRight(source.fetch(options().folder(own).build()), Map.of(WEIGHTS, files.get(WEIGHTS)));
    }

    @Test
    void theListOfTheCacheNamesAFileByItsAddress() {
        files.put("ema x.safetensors", FakeHub.safetensors(40, 3));
        ModelSource named = ModelSource.parse(server.url() + "/models/tiny/ema%20x.safetensors");
        assertThat(named.fetch(options().build()).path()).hasBinaryContent(files.get("ema x.safetensors"));
        String listed = CachedModel.list(options().build()).getFirst().source();
        assertThat(ModelSource.parse(listed)).isEqualTo(named);
    }

    @Test
    void partsAreHeldTogetherByTheEntityTag() {
        requireRight(fetch());
        assertThat(server.requests(WEIGHTS).stream().filter(request -> request.method().equals("GET")))
                .hasSize(4)
                .allMatch(request -> request.header("If-Range").equals("\"1\""));
    }

    @Test
    void aFileThatChangesWhileItIsFetchedIsFetchedWhole() {
        byte[] changed = FakeHub.safetensors(2500, 2);
        fault = (request, reply) -> {
            if (request.header("Range").startsWith("bytes=0-")) {
                files.put(WEIGHTS, changed); // after this answer was made of the old contents
                tags.put(WEIGHTS, "\"2\"");
            }
            return reply;
        };
        FetchedModel model = fetch();
        requireRight(model);
        assertThat(model.path().resolve(WEIGHTS)).hasBinaryContent(changed);
    }

    /** The folder holds an earlier state then, which this very fetch began: no fault of the person who named it. */
    @Test
    void aChangeWhileAFolderOfOnesOwnIsFetched() throws Exception {
        byte[] changed = FakeHub.safetensors(2500, 2);
        Path own = cache.resolve("own");
        fault = (request, reply) -> {
            if (request.header("Range").startsWith("bytes=0-") && files.put(WEIGHTS, changed) != changed) {
                while (!Files.exists(own.resolve("config.json")) || !Files.exists(own.resolve("tokenizer.json"))) {
                    Thread.onSpinWait();
                }
                tags.put(WEIGHTS, "\"2\"");
                files.remove("tokenizer.json");
                tags.remove("tokenizer.json");
                files.put("generation_config.json", new byte[] {'{', '}'});
            }
            return reply;
        };
        ModelSource source = ModelSource.parse(server.url() + "/models/tiny/");
        FetchedModel model = source.fetch(options().folder(own).build());
        requireRight(model);
        assertThat(own.resolve("tokenizer.json")).as("gone there").doesNotExist();
        assertThat(server.requests("config.json").stream()
                        .filter(request -> request.method().equals("GET"))
                        .filter(request -> request.path().endsWith("/config.json")))
                .as("the same as before").hasSize(1);
        assertThat(source.fetch(options().folder(own).build()).fetchedBytes()).isZero();

        files.put(WEIGHTS, FakeHub.safetensors(2500, 3));
        tags.put(WEIGHTS, "\"3\"");
        assertThatThrownBy(() -> source.fetch(options().folder(own).build()))
                .hasMessageContaining("holds something else already");
    }

    @Test
    void aFileThatChangesAllTheTimeIsGivenUp() {
        fault = (request, reply) -> {
            if (request.path().endsWith(WEIGHTS)) {
                tags.compute(WEIGHTS, (name, tag) -> "\"" + (Integer.parseInt(tag.replace("\"", "")) + 1) + "\"");
            }
            return reply;
        };
        assertThatThrownBy(this::fetch).isInstanceOf(InputException.class)
                .hasMessageContaining("changes again and again");
    }

    @Test
    void newContentsAreNoticed() {
        FetchedModel before = fetch();
        files.put(WEIGHTS, FakeHub.safetensors(3000, 7));
        tags.put(WEIGHTS, "\"2\"");
        FetchedModel after = fetch();
        requireRight(after);
        assertThat(after.revision()).isNotEqualTo(before.revision());
        assertThat(after.notes()).anyMatch(note -> note.contains("has moved"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "W/\"1\"", "\"\u00e4\""})
    void withoutAValidatorFilesComeInOnePiece(String tag) {
        tags.replaceAll((name, old) -> tag);
        fault = (request, reply) -> request.path().endsWith(WEIGHTS) && request.method().equals("GET")
                && pauses.isEmpty()
                ? reply.cutAfter(1000)
                : reply;
        requireRight(fetch());
        assertThat(pauses).hasSize(1);
        assertThat(server.requests(WEIGHTS)).allMatch(request -> request.header("Range").isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Repr-Digest", "Digest", "Content-MD5", "x-goog-hash"})
    void whatTheServerSaysOfTheBytesIsCompared(String header) throws Exception {
        byte[] bytes = files.get(WEIGHTS);
        String sha256 = Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(bytes));
        String md5 = Base64.getEncoder().encodeToString(MessageDigest.getInstance("MD5").digest(bytes));
        String value = switch (header) {
            case "Repr-Digest" -> "sha-256=:" + sha256 + ":";
            case "Digest" -> "unixsum=30637, SHA-256=" + sha256;
            case "x-goog-hash" -> "md5=" + md5;
            default -> md5;
        };
        fault = (request, reply) -> request.path().endsWith(WEIGHTS) ? reply.with(header, value) : reply;
        FetchedModel model = fetch();
        requireRight(model);
        assertThat(model.notes())
                .anyMatch(note -> note.startsWith("the server offers no checksum of config.json, tokenizer.json:"));

        byte[] other = bytes.clone();
        other[other.length - 1] ^= 1; // still a whole safetensors file
        files.put(WEIGHTS, other);
        tags.put(WEIGHTS, "\"2\"");
        Files.delete(model.path().resolve(WEIGHTS));
        assertThatThrownBy(this::fetch).isInstanceOf(InputException.class).hasMessageContaining("came damaged twice");
    }

    @Test
    void withoutAChecksumTheStructureOfSafetensorsCounts() {
        tags.put(WEIGHTS, "");
        files.put(WEIGHTS, java.util.Arrays.copyOf(files.get(WEIGHTS), 2000));
        assertThatThrownBy(this::fetch)
                .isInstanceOf(InputException.class)
                .hasMessageContaining("/models/tiny/model.safetensors: is damaged, or no safetensors file");
    }

    @Test
    void aServerThatDoesNotKnowHeadIsAskedOtherwise() {
        fault = (request, reply) -> request.method().equals("HEAD") ? RoughServer.Reply.of(405, "") : reply;
        requireRight(fetch());
    }

    @Test
    void aSizeThatIsNotAnnouncedIsNoHindrance() {
        tags.clear();
        fault = (request, reply) -> {
            if (reply.status() != 200) {
                return reply;
            }
            byte[] head = (Integer.toHexString(reply.body().length) + "\r\n").getBytes(StandardCharsets.US_ASCII);
            byte[] chunked = java.nio.ByteBuffer.allocate(head.length + reply.body().length + 7)
                    .put(head)
                    .put(reply.body())
                    .put("\r\n0\r\n\r\n".getBytes(StandardCharsets.US_ASCII))
                    .array();
            return reply.body(chunked).with("Transfer-Encoding", "chunked");
        };
        requireRight(fetch());
    }

    @Test
    void pagesForPeopleAreNoFiles() {
        fault = (request, reply) -> reply.status() == 404
                ? RoughServer.Reply.of(200, "<html>Welcome").with("Content-Type", "text/html; charset=utf-8")
                : reply;
        FetchedModel model = fetch();
        requireRight(model);
        assertThat(model.path().resolve("special_tokens_map.json")).doesNotExist();

        files.remove("config.json");
        assertThatThrownBy(this::fetch).hasMessageContaining("there is no config.json in it");
    }

    @Test
    void userAndQueryAreSentAndNeverShown() {
        fault = (request, reply) -> request.header("Authorization").equals("Basic bWU6c2VjcmV0") && request.query("key")
                .equals("hidden")
                ? reply
                : RoughServer.Reply.of(401, "");
        String address = server.url().replace("//", "//me:secret@") + "/models/tiny/?key=hidden";
        FetchedModel model = ModelSource.parse(address).fetch(options().build());
        requireRight(model);
        assertThat(model.toString()).doesNotContain("secret").doesNotContain("hidden");
        assertThatThrownBy(() -> ModelSource.parse(address.replace("key=hidden", "key=wrong")).fetch(options().build()))
                .hasMessageContaining("answers 401")
                .satisfies(e -> assertThat(e.toString()).doesNotContain("secret").doesNotContain("wrong"));
    }

    @Test
    void picklesAreRefused() {
        files.remove(WEIGHTS);
        files.put("pytorch_model.bin", new byte[10]);
        assertThatThrownBy(this::fetch).hasMessageContaining("pickle");
        assertThat(server.requests()).allMatch(request -> request.method().equals("HEAD"));
    }
}
