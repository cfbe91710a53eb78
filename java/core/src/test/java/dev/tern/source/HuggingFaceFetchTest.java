package dev.tern.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fetching from the Hugging Face hub: what is fetched, where it lies, who is asked, and what refusals say. */
class HuggingFaceFetchTest {
    private static final String OTHER = "fedcba9876543210fedcba9876543210fedcba98";

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

    private Path snapshot(String commit) {
        return hub.family(cache).resolve(commit).resolve("model");
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void fetchesWhatAModelNeedsAndNothingElse() throws Exception {
        for (String other : List.of("README.md", "optimizer.bin", "pytorch_model.bin", "adapter_model.safetensors",
                "a/config.json")) {
            hub.files.put(other, new byte[100]);
        }
        FetchedModel model = hub.fetch(cache);

        assertThat(model.path()).isEqualTo(snapshot(FakeHub.COMMIT)).isEqualTo(model.folder());
        assertThat(model.revision()).contains(FakeHub.COMMIT);
        assertThat(names(model.path())).containsExactly(".tern", "config.json", "model.safetensors", "tokenizer.json");
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
            assertThat(model.path().resolve(name)).hasBinaryContent(hub.files.get(name));
        }
        long bytes = Stream.of("config.json", "model.safetensors", "tokenizer.json")
                .mapToLong(name -> hub.files.get(name).length)
                .sum();
        assertThat(model.fetchedBytes()).isEqualTo(bytes);
        assertThat(model.notes()).containsExactly(
                "hf://org/model: commit " + FakeHub.COMMIT + ", " + bytes + " bytes fetched to " + model.path(),
                "optimizer.bin and 2 others are not needed and were left out");
        assertThat(names(model.path().resolve(".tern"))).containsExactly("lock", "snapshot.json");
    }

    @Test
    void takesTheShardsThatTheIndexNames() throws Exception {
        byte[] single = hub.files.remove("model.safetensors");
        hub.files.put("model-1.safetensors", FakeHub.safetensors(1500, 2));
        hub.files.put("model-2.safetensors", FakeHub.safetensors(10, 3));
        hub.files.put("model-3.safetensors", FakeHub.safetensors(10, 4));
        hub.files.put("model.safetensors.index.json", ("{\"weight_map\": {\"a\": \"model-1.safetensors\","
                        + " \"b\": \"model-2.safetensors\", \"c\": \"model-1.safetensors\"}}")
                .getBytes(StandardCharsets.UTF_8));
        Path path = hub.fetch(cache).path();
        assertThat(names(path)).containsExactly(
                ".tern", "config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json",
                "tokenizer.json");
        assertThat(path.resolve("model-1.safetensors")).hasBinaryContent(hub.files.get("model-1.safetensors"));

        hub.files.put("model.safetensors", single);
        hub.commits.put("main", OTHER);
        assertThat(names(hub.fetch(cache).path()))
                .as("the single file counts before the index")
                .containsExactly(".tern", "config.json", "model.safetensors", "tokenizer.json");
    }

    @Test
    void anIndexCannotLeadOutOfTheFolder() {
        hub.files.remove("model.safetensors");
        hub.files.put("model.safetensors.index.json",
                "{\"weight_map\": {\"a\": \"../x.safetensors\"}}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> hub.fetch(cache))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("key 'weight_map.a'")
                .hasMessageContaining("../x.safetensors");

        hub.files.put("model.safetensors.index.json",
                "{\"weight_map\": {\"a\": \"gone.safetensors\"}}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> hub.fetch(cache))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("hf://org/model/gone.safetensors: no such file, though");
    }

    @Test
    void refusesPicklesAndOtherThingsBeforeAnythingIsFetched() {
        hub.files.remove("model.safetensors");
        hub.files.put("pytorch_model.bin", new byte[10]);
        assertThatThrownBy(() -> hub.fetch(cache))
                .hasMessageContainingAll("pickle", "pytorch_model.bin", "safe_serialization");
        hub.files.put("lora.safetensors", new byte[10]);
        assertThatThrownBy(() -> hub.fetch(cache)).hasMessageContainingAll("usual names", "lora.safetensors");
        hub.files.remove("lora.safetensors");
        hub.files.remove("pytorch_model.bin");
        hub.files.put("model-i2_s.gguf", new byte[10]);
        assertThatThrownBy(() -> hub.fetch(cache)).hasMessageContainingAll("GGUF", "model-i2_s.gguf");
        hub.files.remove("config.json");
        assertThatThrownBy(() -> hub.fetch(cache)).hasMessageContaining("there is no config.json in it");
        assertThat(hub.api.requests().stream().map(RoughServer.Request::path))
                .allMatch(path -> path.startsWith("/api/"));
        assertThat(hub.storage.requests()).isEmpty();
    }

    @Test
    void aWholeSnapshotIsUsedAgain() throws Exception {
        hub.fetch(cache);
        int before = hub.api.requests().size();
        FetchedModel again = hub.fetch(cache);
        assertThat(again.fetchedBytes()).isZero();
        assertThat(again.notes()).containsExactly("hf://org/model: commit " + FakeHub.COMMIT + ", fetched before");
        assertThat(hub.api.requests()).as("one question for the branch").hasSize(before + 1);

        ModelSource pinned = ModelSource.parse("hf://org/model@" + FakeHub.COMMIT);
        assertThat(pinned.fetch(hub.options(cache).build()).path()).isEqualTo(again.path());
        assertThat(hub.api.requests()).as("a commit never changes").hasSize(before + 1);

        Files.delete(again.path().resolve("tokenizer.json"));
        assertThat(hub.fetch(cache).fetchedBytes()).isEqualTo(hub.files.get("tokenizer.json").length);
        assertThat(again.path().resolve("tokenizer.json")).hasBinaryContent(hub.files.get("tokenizer.json"));
    }

    @Test
    void offlineUsesTheCacheAlone() throws Exception {
        FetchOptions offline = hub.options(cache).offline(true).build();
        ModelSource source = ModelSource.parse("hf://org/model");
        assertThatThrownBy(() -> source.fetch(offline))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("hf://org/model: is not in the cache, and offline nothing is fetched")
                .hasMessageContaining("without --offline");
        Path path = hub.fetch(cache).path();
        int before = hub.api.requests().size();
        assertThat(source.fetch(offline).path()).isEqualTo(path);

        Map<String, String> environment = new HashMap<>(offline.environment());
        environment.put("TERN_OFFLINE", "1");
        FetchOptions variable = FetchOptions.builder().environment(environment).build();
        assertThat(source.fetch(variable).path()).isEqualTo(path);

        Files.delete(path.resolve("model.safetensors"));
        assertThatThrownBy(() -> source.fetch(offline)).hasMessageContaining("is not whole in the cache")
                .hasMessageContaining("missing model.safetensors");
        assertThat(hub.api.requests()).hasSize(before);
    }

    @Test
    void aBranchThatMovedIsNoticedAndWhatIsTheSameIsNotFetchedAgain() throws Exception {
        Path old = hub.fetch(cache).path();
        hub.commits.put("main", OTHER);
        hub.files.put("config.json", "{\"model_type\": \"bitnet\", \"new\": 1}".getBytes(StandardCharsets.UTF_8));
        int stored = hub.storage.requests().size();
        FetchedModel moved = hub.fetch(cache);
        assertThat(moved.path()).isEqualTo(snapshot(OTHER));
        assertThat(moved.notes()).anyMatch(note -> note.contains("has moved") && note.contains(FakeHub.COMMIT));
        assertThat(moved.path().resolve("config.json")).hasBinaryContent(hub.files.get("config.json"));
        assertThat(moved.path().resolve("model.safetensors")).hasBinaryContent(hub.files.get("model.safetensors"));
        assertThat(hub.storage.requests()).as("the weights are those of the old commit").hasSize(stored);
        assertThat(Files.getLastModifiedTime(moved.path().resolve("model.safetensors")))
                .isEqualTo(Files.getLastModifiedTime(old.resolve("model.safetensors")));
        assertThat(ModelSource.parse("hf://org/model").fetch(hub.options(cache).offline(true).build()).path())
                .isEqualTo(moved.path());
    }

    @Test
    void configurationAloneCanBeHad() throws Exception {
        FetchedModel model = ModelSource.parse("hf://org/model").fetch(hub.options(cache).weights(false).build());
        assertThat(names(model.path())).containsExactly(".tern", "config.json", "tokenizer.json");
        assertThatThrownBy(() -> ModelSource.parse("hf://org/model").fetch(hub.options(cache).offline(true).build()))
                .hasMessageContaining("only config of commit " + FakeHub.COMMIT);
        assertThat(names(hub.fetch(cache).path())).contains("model.safetensors");
    }

    @Test
    void revisionsSubfoldersAndSingleFiles() throws Exception {
        hub.commits.put("v1.0", OTHER);
        hub.commits.put("refs/pr/7", "7".repeat(40));
        hub.files.put("sub/folder/config.json", hub.files.get("config.json"));
        hub.files.put("sub/folder/model.safetensors", FakeHub.safetensors(20, 9));
        hub.files.put("ema.safetensors", FakeHub.safetensors(30, 5));

        FetchOptions options = hub.options(cache).build();
        assertThat(ModelSource.parse("hf://org/model@v1.0").fetch(options).path()).isEqualTo(snapshot(OTHER));
        assertThat(ModelSource.parse("hf://org/model@refs/pr/7").fetch(options).path())
                .isEqualTo(snapshot("7".repeat(40)));
        FetchedModel sub = ModelSource.parse("hf://org/model@v1.0/sub/folder").fetch(options);
        assertThat(sub.path()).isEqualTo(snapshot(OTHER).resolve("sub/folder"));
        assertThat(sub.path().resolve("model.safetensors"))
                .hasBinaryContent(hub.files.get("sub/folder/model.safetensors"));
        FetchedModel named = ModelSource.parse("hf://org/model/ema.safetensors").fetch(options);
        assertThat(named.path()).isEqualTo(snapshot(FakeHub.COMMIT).resolve("ema.safetensors"));
        assertThat(names(named.folder())).containsExactly(".tern", "config.json", "ema.safetensors", "tokenizer.json");
    }

    @Test
    void theTokenStaysWithTheHub() throws Exception {
        hub.requiredToken = "hf_verysecret";
        Path home = cache.resolve("home");
        Files.createDirectories(home);
        Files.writeString(home.resolve("token"), "hf_verysecret\n");
        Map<String, String> environment = new HashMap<>(hub.options(cache).build().environment());
        assertThatThrownBy(() -> hub.fetch(cache))
                .hasMessageContaining("gated")
                .hasMessageContaining("Ask for access at " + hub.api.url() + "/org/model")
                .hasMessageContaining("HF_TOKEN");

        environment.put("HF_HOME", home.toString());
        FetchedModel model = ModelSource.parse("hf://org/model")
                .fetch(hub.options(cache).environment(environment).build());
        assertThat(model.notes()).noneMatch(note -> note.contains("verysecret") || note.contains("signature"));
        assertThat(hub.storage.requests()).isNotEmpty().allMatch(request -> request.header("Authorization").isEmpty());

        environment.put("HF_TOKEN", "hf_wrong");
        assertThatThrownBy(() -> ModelSource.parse("hf://org/model")
                .fetch(hub.options(cache).environment(environment).build()))
                .hasMessageContaining("The token in use is that of HF_TOKEN")
                .satisfies(e -> assertThat(stackText(e)).doesNotContain("hf_wrong").doesNotContain("verysecret"));
    }

    private static String stackText(Throwable e) {
        java.io.StringWriter text = new java.io.StringWriter();
        e.printStackTrace(new java.io.PrintWriter(text));
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "404 | X-Error-Code | RepoNotFound | no such model, or a private one",
        "401 | X-Other | x | no such model, or a private one",
        "404 | X-Error-Code | RevisionNotFound | no revision 'main'",
        "403 | X-Error-Code | GatedRepo | gated",
        "401 | X-Error-Message | Invalid credentials in Authorization header | does not accept the token",
        "403 | X-Error-Message | Forbidden: pay first | denies access: Forbidden: pay first",
        "403 | X-Error-Message | Access to this resource is disabled. | has disabled this model",
        "418 | X-Other | x | answers 418",
    })
    void refusalsSayWhy(int status, String header, String value, String words) {
        hub.refusal = RoughServer.Reply.of(status, "<html>").with(header, value);
        assertThatThrownBy(() -> hub.fetch(cache))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("hf://org/model: ")
                .hasMessageContaining(words);
        assertThat(hub.api.requests()).as("a refusal does not pass").hasSize(1);
    }

    @Test
    void whatHoldsSecretsDoesNotShowThem() {
        FetchOptions options = hub.options(cache).environment(Map.of("HF_TOKEN", "hf_verysecret")).build();
        assertThat(options.toString()).contains("offline=false").doesNotContain("verysecret");
        assertThat(HuggingFaceToken.find(options).toString()).contains("HF_TOKEN").doesNotContain("verysecret");
        FetchOptions odd = hub.options(cache).environment(Map.of("HF_TOKEN", "hf secret")).build();
        assertThatThrownBy(() -> HuggingFaceToken.find(odd))
                .hasMessageStartingWith("HF_TOKEN: holds no token")
                .satisfies(e -> assertThat(e.toString()).doesNotContain("secret"));
    }

    @Test
    void anEndpointThatIsNoAddress() {
        for (String endpoint : List.of("hub.example.org", "https://", "a b")) {
            FetchOptions options = hub.options(cache)
                    .environment(Map.of("TERN_CACHE", cache.toString(), "HF_ENDPOINT", endpoint))
                    .build();
            assertThatThrownBy(() -> ModelSource.parse("hf://org/model").fetch(options))
                    .isInstanceOf(InputException.class)
                    .hasMessageStartingWith("HF_ENDPOINT: expected a web address");
        }
    }

    /** Neither offline nor for a commit that needs no question: the folder's own record says what it holds. */
    @Test
    void aFolderOfAnotherModelIsNeverTakenForThisOne() throws Exception {
        Path own = cache.resolve("own");
        hub.commits.put(FakeHub.COMMIT, FakeHub.COMMIT);
        hub.files.put("sub/config.json", hub.files.get("config.json"));
        hub.files.put("sub/model.safetensors", FakeHub.safetensors(20, 9));
        ModelSource model = ModelSource.parse("hf://org/model");
        ModelSource sub = ModelSource.parse("hf://org/model/sub");
        sub.fetch(hub.options(cache).build()); // seen, in the cache
        model.fetch(hub.options(cache).folder(own).build());
        FetchOptions offline = hub.options(cache).folder(own).offline(true).build();
        assertThat(model.fetch(offline).path()).isEqualTo(own);
        assertThatThrownBy(() -> sub.fetch(offline))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(own + ": holds something else already")
                .hasMessageContaining("found hf://org/model, commit " + FakeHub.COMMIT);
        for (FetchOptions options : List.of(offline, hub.options(cache).folder(own).build())) {
            assertThatThrownBy(() -> ModelSource.parse("hf://org/model@" + FakeHub.COMMIT + "/sub").fetch(options))
                    .hasMessageContaining("holds something else already");
        }

        hub.commits.put("main", OTHER);
        hub.fetch(cache); // what the cache has seen since is nothing to the folder
        FetchedModel old = model.fetch(offline);
        assertThat(old.path()).isEqualTo(own);
        assertThat(old.revision()).contains(FakeHub.COMMIT);

        FetchOptions empty = hub.options(cache).folder(cache.resolve("empty")).offline(true).build();
        assertThatThrownBy(() -> model.fetch(empty))
                .hasMessageContaining("is not in the folder, and offline nothing is fetched")
                .hasMessageContaining("nothing of it in " + cache.resolve("empty"));
    }

    @Test
    void theListOfTheCacheSaysWhatIsThereAndHowToHaveItAgain() throws Exception {
        FetchOptions options = hub.options(cache).build();
        assertThat(CachedModel.list(options)).isEmpty();
        assertThat(CachedModel.folder(options)).isEqualTo(cache.resolve("models"));
        hub.files.put("ema.safetensors", FakeHub.safetensors(30, 5));
        hub.files.put("sub/config.json", hub.files.get("config.json"));
        hub.files.put("sub/model.safetensors", FakeHub.safetensors(20, 9));
        hub.commits.put("feature/x", OTHER);
        ModelSource named = ModelSource.parse("hf://org/model/ema.safetensors");
        FetchedModel model = named.fetch(options);
        CachedModel listed = CachedModel.list(options).getFirst();
        assertThat(ModelSource.parse(listed.source())).isEqualTo(named);
        assertThat(listed.folder()).isEqualTo(model.folder());
        assertThat(listed.whole()).isTrue();
        assertThat(listed.bytes()).isEqualTo(model.fetchedBytes());
        hub.fetch(cache);
        assertThat(CachedModel.list(options).getFirst().source()).isEqualTo("hf://org/model");

        ModelSource branch = ModelSource.parse("hf://org/model@feature%2Fx/sub");
        Path folder = branch.fetch(hub.options(cache).weights(false).build()).folder();
        CachedModel configuration = CachedModel.list(options).getLast();
        assertThat(ModelSource.parse(configuration.source())).isEqualTo(branch);
        assertThat(configuration.configurationOnly()).isTrue();
        assertThat(configuration.whole()).isFalse();
        Files.delete(folder.resolve("config.json"));
        assertThat(CachedModel.list(options).getLast().configurationOnly()).isFalse();
    }

    @Test
    void everyHubHasItsOwnModels() throws Exception {
        Path path = hub.fetch(cache).path();
        try (FakeHub other = new FakeHub()) {
            assertThatThrownBy(() -> ModelSource.parse("hf://org/model")
                            .fetch(other.options(cache).offline(true).build()))
                    .hasMessageContaining("is not in the cache");
            other.files.put("model.safetensors", FakeHub.safetensors(70, 8));
            assertThat(other.fetch(cache).path()).isNotEqualTo(path)
                    .hasParent(other.family(cache).resolve(FakeHub.COMMIT));
        }
        HuggingFaceSource source = (HuggingFaceSource) ModelSource.parse("hf://org/model");
        FetchOptions usual = FetchOptions.builder().environment(Map.of("HOME", cache.toString())).build();
        assertThat(source.cachePath(usual)).containsExactly("huggingface.co", "org", "model");
    }

    @Test
    void aFolderOfOnesOwn() throws Exception {
        Path own = cache.resolve("own");
        FetchOptions options = hub.options(cache).folder(own).build();
        ModelSource source = ModelSource.parse("hf://org/model");
        assertThat(source.fetch(options).path()).isEqualTo(own);
        assertThat(names(own)).containsExactly(".tern", "config.json", "model.safetensors", "tokenizer.json");
        assertThat(source.fetch(options).fetchedBytes()).isZero();
        assertThat(cache.resolve("models")).doesNotExist();

        hub.commits.put("main", OTHER);
        assertThatThrownBy(() -> source.fetch(options)).hasMessageContaining("holds something else already")
                .hasMessageContaining(FakeHub.COMMIT);
        Path foreign = Files.createDirectory(cache.resolve("foreign"));
        Files.writeString(foreign.resolve("thesis.txt"), "irreplaceable");
        assertThatThrownBy(() -> source.fetch(hub.options(cache).folder(foreign).build()))
                .hasMessageContaining("other files");
        assertThat(names(foreign)).containsExactly("thesis.txt");
    }
}
