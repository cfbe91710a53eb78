package dev.tern.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Servers that break off, stall, refuse for a while, lie, and two clients at once: the bytes are right or the error
 * is.
 */
class FaultyServerTest {
    private static final String WEIGHTS = "model.safetensors";

    @TempDir
    Path cache;

    private FakeHub hub;

    @BeforeEach
    void start() throws IOException {
        hub = new FakeHub();
    }

    @AfterEach
    void stop() throws IOException {
        hub.close();
    }

    private void requireRight(FetchedModel model) {
        for (String name : List.of("config.json", "tokenizer.json", WEIGHTS)) {
            assertThat(model.path().resolve(name)).hasBinaryContent(hub.files.get(name));
        }
    }

    private List<String> ranges() {
        return hub.storage.requests().stream().map(request -> request.header("Range")).toList();
    }

    @Test
    void largeFilesComeInSegments() {
        requireRight(hub.fetch(cache));
        int size = hub.files.get(WEIGHTS).length;
        List<String> expected = new ArrayList<>();
        for (int from = 0; from < size; from += 1000) {
            expected.add("bytes=" + from + "-" + (Math.min(size, from + 1000) - 1));
        }
        assertThat(ranges()).containsExactlyInAnyOrderElementsOf(expected).hasSize(6);
    }

    @Test
    void aBrokenConnectionIsTakenUpWhereItBroke() {
        hub.fault(WEIGHTS, reply -> reply.cutAfter(300), reply -> reply.cutAfter(0));
        requireRight(hub.fetch(cache));
        assertThat(ranges()).startsWith("bytes=0-999", "bytes=300-999", "bytes=300-999");
        assertThat(hub.pauses).hasSize(2);
    }

    @Test
    void aStalledConnectionIsGivenUp() {
        hub.fault(WEIGHTS, reply -> reply.stallAfter(500));
        hub.fault("api", reply -> reply.stallAfter(10));
        requireRight(hub.fetch(cache));
        assertThat(ranges()).startsWith("bytes=0-999", "bytes=500-999");
    }

    @Test
    void aServerInTroubleIsAskedAgainAndAgain() {
        hub.fault("api", reply -> RoughServer.Reply.of(500, "oops"), reply -> RoughServer.Reply.of(503, ""));
        hub.fault(WEIGHTS, reply -> RoughServer.Reply.of(502, ""), reply -> RoughServer.Reply.of(408, ""));
        requireRight(hub.fetch(cache));
        assertThat(hub.pauses).hasSize(4);
        assertThat(hub.pauses.getFirst()).isBetween(Duration.ofMillis(250), Duration.ofMillis(500));
        assertThat(hub.pauses.get(1)).isBetween(Duration.ofMillis(500), Duration.ofMillis(1000));
    }

    @Test
    void aServerThatIsBusySaysHowLong() {
        hub.fault("api", reply -> RoughServer.Reply.of(429, "").with("Retry-After", "7"));
        hub.fault(WEIGHTS, reply -> RoughServer.Reply.of(429, "").with("Retry-After", "11"));
        requireRight(hub.fetch(cache));
        assertThat(hub.pauses).containsExactly(Duration.ofSeconds(7), Duration.ofSeconds(11));

        hub.pauses.clear();
        hub.commits.put("main", "3".repeat(40));
        hub.fault("api", reply -> RoughServer.Reply.of(503, "").with("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"));
        requireRight(hub.fetch(cache));
        assertThat(hub.pauses).as("a time that is over").allMatch(pause -> pause.toMillis() <= 500).hasSize(1);

        hub.commits.put("main", "1".repeat(40));
        hub.fault("api", reply -> RoughServer.Reply.of(429, "").with("Retry-After", "86400"));
        assertThatThrownBy(() -> hub.fetch(cache)).hasMessageContaining("left alone for 86400 s");
    }

    @Test
    void theNumberOfAttemptsIsBounded() {
        Path small = hub.family(cache).resolve(FakeHub.COMMIT + "/model/config.json");
        hub.fault(WEIGHTS, Collections.nCopies(100, (UnaryOperator<RoughServer.Reply>) reply -> {
            while (!Files.exists(small)) {
                Thread.onSpinWait(); // an error ends all downloads
            }
            return RoughServer.Reply.of(500, "");
        }).toArray(UnaryOperator[]::new));
        assertThatThrownBy(() -> hub.fetch(cache))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("hf://org/model/model.safetensors: cannot be fetched: localhost answers 500")
                .hasMessageContaining("the last of 4 attempts in a row")
                .hasMessageContaining("goes on where this one stopped");
        assertThat(hub.storage.requests()).hasSize(4);
        assertThat(hub.pauses).hasSize(3);
        assertThat(small).as("what is whole is kept").hasBinaryContent(hub.files.get("config.json"));
    }

    @Test
    void aServerThatKnowsNoRangesSendsAllInOne() {
        hub.knowsRanges = false;
        hub.fault(WEIGHTS, reply -> reply, reply -> reply.cutAfter(3000));
        FetchedModel model = hub.fetch(cache);
        requireRight(model);
        assertThat(ranges()).containsExactly("bytes=0-999", "", "");
    }

    @ParameterizedTest
    @ValueSource(strings = {WEIGHTS, "config.json"})
    void damagedBytesAreFetchedAgainOnceAndThenRefused(String name) {
        UnaryOperator<RoughServer.Reply> damage = reply -> {
            byte[] bytes = reply.body().clone();
            bytes[bytes.length / 2] ^= 4;
            return reply.body(bytes);
        };
        hub.fault(name, damage);
        FetchedModel model = hub.fetch(cache);
        requireRight(model);
        assertThat(model.notes()).contains(name + " came damaged and is fetched again");

        hub.commits.put("main", "2".repeat(40));
        hub.files.put(name, name.equals(WEIGHTS) ? FakeHub.safetensors(999, 8) : "{\"a\": 1}".getBytes());
        int segments = (hub.files.get(name).length + 999) / 1000;
        for (int i = 0; i < 2; i++) {
            hub.fault(name, damage);
            for (int rest = 1; rest < segments; rest++) {
                hub.fault(name, reply -> reply);
            }
        }
        byte[] bytes = hub.files.get(name);
        byte[] blob = ("blob " + bytes.length + "\0" + new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1))
                .getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        String expected = name.equals(WEIGHTS) ? "SHA-256 " + FakeHub.hex("SHA-256", bytes) : "git blob SHA-1 "
                + FakeHub.hex("SHA-1", blob);
        assertThatThrownBy(() -> hub.fetch(cache))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("hf://org/model/" + name + ": came damaged twice; expected " + expected
                + ", found ");
        Path folder = hub.family(cache).resolve("2".repeat(40)).resolve("model");
        assertThat(folder.resolve(name)).doesNotExist();
        requireRight(hub.fetch(cache));
    }

    @Test
    void aStoppedFetchGoesOnLater() {
        hub.files.put(WEIGHTS, FakeHub.safetensors(20_000, 1));
        AtomicBoolean stopped = new AtomicBoolean();
        hub.fault(WEIGHTS, reply -> reply, reply -> reply, reply -> reply.stallAfter(400),
                reply -> reply.stallAfter(400));
        FetchOptions stopping = hub.options(cache)
                .connections(2)
                .progress((task, done, total) -> {
                    if (done > 2500 && stopped.compareAndSet(false, true)) {
                        throw new IllegalStateException("Ctrl-C");
                    }
                })
                .build();
        assertThatThrownBy(() -> ModelSource.parse("hf://org/model").fetch(stopping)).hasMessage("Ctrl-C");
        Path hidden = hub.family(cache).resolve(FakeHub.COMMIT + "/model/.tern");
        assertThat(hidden.resolve(WEIGHTS + ".part")).exists();
        assertThat(hidden.resolveSibling(WEIGHTS)).doesNotExist();

        FetchedModel model = hub.fetch(cache);
        requireRight(model);
        assertThat(model.fetchedBytes()).isLessThan(hub.files.get(WEIGHTS).length - 2000);
        assertThat(model.notes()).anyMatch(note -> note.startsWith("went on after "));
        assertThat(hidden.resolve(WEIGHTS + ".part")).doesNotExist();
        assertThat(hidden.resolve(WEIGHTS + ".part.json")).doesNotExist();
    }

    @Test
    void aPartThatIsNoPartIsNotTrusted() throws IOException {
        Path hidden = hub.family(cache).resolve(FakeHub.COMMIT + "/model/.tern");
        Files.createDirectories(hidden);
        String identity = "SHA-256 " + FakeHub.hex("SHA-256", hub.files.get(WEIGHTS));
        int size = hub.files.get(WEIGHTS).length;
        for (String state : List.of(
                "not json",
                "{\"identity\": \"other\", \"size\": " + size + ", \"segments\": [[0, 1000, " + size + "]]}",
                "{\"identity\": \"" + identity + "\", \"size\": " + size + ", \"segments\": [[0, 4000, " + size + "]]}",
                "{\"identity\": \"" + identity + "\", \"size\": " + size + ", \"segments\": [[0, 100, 200]]}",
                "{\"identity\": \"" + identity + "\", \"size\": " + size + ", \"segments\": [[-5, 100, " + size
                        + "]]}")) {
            Files.write(hidden.resolve(WEIGHTS + ".part"), new byte[2000]);
            Files.writeString(hidden.resolve(WEIGHTS + ".part.json"), state);
            FetchedModel model = hub.fetch(cache);
            requireRight(model);
            assertThat(model.notes()).as(state)
                    .noneMatch(note -> note.contains("damaged") || note.startsWith("went on"));
            Files.delete(model.path().resolve(WEIGHTS));
        }
    }

    @Test
    void twoFetchesOfOneModelDoItOnce() throws Exception {
        hub.files.put(WEIGHTS, FakeHub.safetensors(50_000, 1));
        List<CompletableFuture<FetchedModel>> both = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            both.add(CompletableFuture.supplyAsync(() -> hub.fetch(cache), command -> Thread.ofPlatform()
                    .start(command)));
        }
        long bytes = 0;
        for (CompletableFuture<FetchedModel> one : both) {
            FetchedModel model = one.get(60, TimeUnit.SECONDS);
            requireRight(model);
            bytes += model.fetchedBytes();
        }
        assertThat(bytes).isEqualTo(hub.files.values().stream().mapToLong(file -> file.length).sum());
    }

    @Test
    void aServerThatSendsOtherBytesThanAskedForIsNotBelieved() {
        byte[] all = hub.files.get(WEIGHTS);
        hub.fault(WEIGHTS, reply -> reply.body(Arrays.copyOfRange(all, 1, 1001))
                .with("Content-Range", "bytes 1-1000/" + all.length));
        hub.fault("tokenizer.json", reply -> reply.body(Arrays.copyOf(reply.body(), 200)));
        FetchedModel model = hub.fetch(cache);
        requireRight(model);
        assertThat(model.notes()).as("not even written").noneMatch(note -> note.contains("damaged"));
    }

    @Test
    void redirectsAreBounded() {
        hub.refusal = RoughServer.Reply.redirect("/again");
        assertThatThrownBy(() -> hub.fetch(cache)).hasMessageContaining("redirects again and again");
        hub.refusal = RoughServer.Reply.redirect("http://example.org/elsewhere");
        assertThatThrownBy(() -> hub.fetch(cache))
                .hasMessageContaining("unencrypted connection to another machine is refused");
        hub.refusal = RoughServer.Reply.redirect("nonsense://");
        assertThatThrownBy(() -> hub.fetch(cache)).hasMessageContaining("redirects to something that is no address");
    }

    @Test
    void redirectsNeverLeaveEncryption() {
        URI from = URI.create("https://hub.org/a/b?key=secret");
        assertThat(Http.redirected(from, "../c")).hasToString("https://hub.org/c");
        assertThat(Http.redirected(from, "//cdn.org/c?signature=x")).hasToString("https://cdn.org/c?signature=x");
        assertThat(Http.redirected(URI.create("http://localhost/a"), "https://hub.org/"))
                .hasToString("https://hub.org/");
        for (String location : List.of("http://hub.org/a", "http://localhost/a?token=secret", "ftp://hub.org/a")) {
            assertThatThrownBy(() -> Http.redirected(from, location))
                    .isInstanceOf(InputException.class)
                    .hasMessageContaining("redirects from https to an unencrypted address")
                    .satisfies(e -> assertThat(e.toString()).doesNotContain("secret"));
        }
    }

    @Test
    void aServerThatIsNotThere() throws IOException {
        hub.close();
        assertThatThrownBy(() -> hub.fetch(cache))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("cannot be fetched: no connection to localhost")
                .hasMessageContaining("Check the network");
    }

    @Test
    void aCacheThatCannotBeWritten() throws IOException {
        Path file = Files.createFile(cache.resolve("file"));
        assertThatThrownBy(() -> hub.fetch(file))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("TERN_CACHE");

        Path closed = Files.createDirectory(cache.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("r-xr-xr-x"));
        Assumptions.assumeFalse(Files.isWritable(closed), "root may write anywhere");
        assertThatThrownBy(() -> hub.fetch(closed)).hasMessageContaining("cannot be made: permission denied");
    }

    @Test
    void aFolderThatVanishes() throws IOException {
        Path model = hub.family(cache);
        hub.fault(WEIGHTS, reply -> {
            try {
                Files.move(model, cache.resolve("elsewhere"));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            return reply;
        });
        assertThatThrownBy(() -> hub.fetch(cache))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("no such file or folder")
                .hasMessageContaining("Check that the disk is there");
    }

    @Test
    void aFullDiskIsFoundBeforehand() {
        assertThatThrownBy(() -> Disk.requireRoom(cache, Long.MAX_VALUE))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("the disk is too full")
                .hasMessageContaining("expected " + Long.MAX_VALUE + " bytes of room");
        assertThat(Disk.failure(cache, "cannot be written", new IOException("No space left on device")))
                .hasMessageContaining("cannot be written: No space left on device")
                .hasMessageContaining("Free some space");
    }

    @Test
    void aWholeCacheMayBeReadOnly() throws IOException {
        FetchedModel model = hub.fetch(cache);
        Files.delete(model.path().resolve(".tern/lock"));
        assertThat(hub.fetch(cache).fetchedBytes()).isZero();
        assertThat(model.path().resolve(".tern/lock")).as("nothing was locked or written").doesNotExist();
    }
}
