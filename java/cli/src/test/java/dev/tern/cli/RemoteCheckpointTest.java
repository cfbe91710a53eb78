package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Commands on a checkpoint that lies on a server do what they do on the same checkpoint in a folder. */
class RemoteCheckpointTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    Path folder;

    private HubServer hub;

    @BeforeEach
    void start() throws IOException {
        hub = new HubServer(PACKED);
    }

    @AfterEach
    void stop() throws IOException {
        hub.close();
    }

    /** Runs with this server as the hub and a cache of this test. */
    private InProcess.Result tern(String arguments) throws Exception {
        return TernProcess.shell("export HF_ENDPOINT='" + hub.url() + "' TERN_CACHE='" + folder.resolve("cache")
                + "' HF_TOKEN=; cd '"
                + folder + "'; tern " + arguments);
    }

    private Path snapshot() {
        return folder.resolve("cache/models")
                .resolve(hub.url().replace("http://", "").replace(":", "%3A"))
                .resolve("org/packed-u8")
                .resolve(HubServer.COMMIT)
                .resolve("packed-u8");
    }

    @Test
    void convertsWhatItFetchesToTheSameBytes() throws Exception {
        hub.breaks.set(1);
        InProcess.Result remote = tern("convert hf://org/packed-u8 -o remote.gguf --outtype tq1_0 --validate");
        assertThat(remote.status()).as(remote.err()).isZero();
        assertThat(remote.err())
                .contains("tern: note: hf://org/packed-u8: commit " + HubServer.COMMIT + ", ")
                .contains("tern: note: optimizer.bin is not needed and was left out");
        assertThat(InProcess.tern("convert", PACKED, "-o", folder.resolve("local.gguf"), "--outtype", "tq1_0").status())
                .isZero();
        assertThat(folder.resolve("remote.gguf")).hasSameBinaryContentAs(folder.resolve("local.gguf"));
        assertThat(hub.requests).noneMatch(request -> request.contains("optimizer"));
        assertThat(hub.requests.stream().filter(request -> request.endsWith("model.safetensors")))
                .hasSizeGreaterThan(1);

        int before = hub.requests.size();
        InProcess.Result offline = tern("validate remote.gguf --against hf://org/packed-u8 --offline");
        assertThat(offline.status()).as(offline.err()).isZero();
        InProcess.Result inspected = tern("inspect hf://org/packed-u8@" + HubServer.COMMIT + " --json");
        assertThat(inspected.status()).as(inspected.err()).isZero();
        assertThat(JSON.readTree(inspected.out())).isNotEmpty();
        assertThat(hub.requests).as("all was there").hasSize(before);
    }

    @Test
    void setupTakesARemoteCheckpoint() throws Exception {
        InProcess.Result first = tern("setup hf://org/packed-u8 -q i2_s -n 4");
        assertThat(first.status()).as(first.err()).isZero();
        Path made = folder.resolve("packed-u8-i2_s");
        assertThat(made.resolve("packed-u8-i2_s.gguf")).exists();
        JsonNode record = JSON.readTree(Files.readString(made.resolve("setup.json")));
        assertThat(record.path("checkpoint").asString()).isEqualTo(snapshot().toRealPath().toString());
        assertThat(record.path("inputs").findValuesAsString("name"))
                .containsExactlyElementsOf(names(snapshot()).stream().filter(name -> !name.startsWith(".")).toList());

        JsonNode again = JSON.readTree(tern("setup hf://org/packed-u8 -q i2_s -n 4 --json").out());
        assertThat(again.path("steps").findValuesAsString("status"))
                .containsExactly("done", "skipped", "skipped", "done");
    }

    @Test
    void kernelsNeedTheConfigurationAlone() throws Exception {
        InProcess.Result result = tern("kernels hf://org/packed-u8 --dry-run");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).contains("there are no weights in");
        assertThat(result.out()).contains("512 x 1536");
        assertThat(hub.requests).noneMatch(request -> request.endsWith(".safetensors"));
        InProcess.Result web = tern("kernels " + hub.url() + "/files/config.json --dry-run");
        assertThat(web.status()).as(web.err()).isZero();
        assertThat(web.out()).contains("512 x 1536");
        assertThat(hub.requests).noneMatch(request -> request.matches("GET .*[.]safetensors"));
    }

    /** Gigabytes are not fetched for a command that can only fail. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "convert hf://org/packed-u8 -o x.gguf --outtype q9 | 2 | outtype 'q9'",
        "convert hf://org/packed-u8 -o x.gguf --embedding-type q4_0 | 2 | expected f16, bf16, f32, q8_0 or q6_k",
        "convert hf://org/packed-u8 -o x.gguf -t 0 | 2 | --threads: expected a positive number",
        "convert hf://org/packed-u8 -o x.gguf --kernel-config x.ini | 2 | --kernel-config is for --outtype tl1 or tl2",
        "convert hf://org/packed-u8 -o x.gguf --outtype tl2 --kernel-config x.ini | 1 | x.ini: cannot be read",
        "convert hf://org/packed-u8 -o x.gguf --source-kernel-config x.ini | 2 | is for a GGUF file",
        "convert hf://org/packed-u8 -o there.gguf | 1 | there.gguf: exists already",
        "convert hf://org/packed-u8 -o no/x.gguf | 1 | does not exist",
        "convert hf://org/packed-u8 -o x.gguf --report no/x.json | 1 | does not exist",
        "validate gone.gguf --against hf://org/packed-u8 | 1 | gone.gguf: no such file",
        "validate there.gguf --against hf://org/packed-u8 | 1 | there.gguf: ",
        "setup hf://org/packed-u8 -q q9 | 2 | outtype 'q9'",
        "setup hf://org/packed-u8 --embedding-type q4_0 | 2 | expected f16, bf16, f32, q8_0 or q6_k",
        "setup hf://org/packed-u8 --kernel-config x.ini | 1 | x.ini: cannot be read",
    })
    void cheapMistakesAreFoundBeforeAnythingIsFetched(String arguments, int status, String words) throws Exception {
        Files.writeString(folder.resolve("there.gguf"), "mine");
        InProcess.Result result = tern(arguments);
        assertThat(result.status()).as(result.err()).isEqualTo(status);
        assertThat(result.err()).contains(words);
        assertThat(hub.requests).isEmpty();
        assertThat(folder.resolve("there.gguf")).hasContent("mine");
        assertThat(names(folder)).containsExactly("there.gguf");
    }

    @Test
    void pullPrintsTheFolder() throws Exception {
        assertThat(tern("pull --list").out().strip()).isEqualTo("no models in " + folder.resolve("cache/models"));
        InProcess.Result result = tern("pull hf://org/packed-u8");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out().strip()).isEqualTo(snapshot().toString());
        assertThat(result.err()).as("no bar in a pipe").doesNotContain("\r")
                .contains("7.2 MiB fetched to " + snapshot());
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
            assertThat(snapshot().resolve(name)).hasSameBinaryContentAs(PACKED.resolve(name));
        }
        assertThat(tern("pull --list").out()).startsWith("hf://org/packed-u8, commit " + HubServer.COMMIT + ": 7.");
        JsonNode listed = JSON.readTree(tern("pull --list --json").out()).path("models").path(0);
        assertThat(listed.path("whole").asBoolean()).isTrue();

        InProcess.Result web = tern("pull " + hub.url() + "/files/ -o own");
        assertThat(web.status()).as(web.err()).isZero();
        assertThat(web.out().strip()).isEqualTo("own");
        assertThat(folder.resolve("own/model.safetensors")).hasSameBinaryContentAs(PACKED.resolve("model.safetensors"));

        assertThat(tern("pull --list").out()).doesNotContain("only");
        assertThat(tern("pull --config-only " + hub.url() + "/files/").status()).isZero();
        assertThat(tern("pull --list").out()).contains(" KiB, configuration only\n");

        assertThat(tern("pull").status()).isEqualTo(2);
        assertThat(tern("pull hf://a/b --list").status()).isEqualTo(2);
        assertThat(tern("pull " + folder).err()).contains("on this machine already");
        InProcess.Result missing = tern("pull hf://org/other");
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).startsWith("tern: hf://org/other: no such model, or a private one")
                .doesNotContain("\tat ");
    }

    @Test
    void controlCKeepsWhatWasFetched() throws Exception {
        hub.stalls.set(1);
        Path log = folder.resolve("interrupted.log");
        ProcessBuilder builder = new ProcessBuilder(TernProcess.command("pull", "hf://org/packed-u8"))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment()
                .putAll(Map.of("HF_ENDPOINT", hub.url(), "TERN_CACHE", folder.resolve("cache").toString()));
        Process process = builder.start();
        assertThat(hub.stalled.await(30, TimeUnit.SECONDS)).isTrue();
        long size = Files.size(PACKED.resolve("model.safetensors"));
        Path part = snapshot().resolve(".tern/model.safetensors.part");
        while (Files.size(part) < size / 2 && process.isAlive()) {
            Thread.sleep(20);
        }
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(130);
        assertThat(Files.readString(log)).doesNotContain("\tat ").doesNotContain("Exception");
        assertThat(snapshot().resolve("model.safetensors")).doesNotExist();

        JsonNode pulled = JSON.readTree(tern("pull hf://org/packed-u8 --json").out());
        assertThat(pulled.path("fetched_bytes").asLong()).isBetween(1L, size - size / 2 + 500_000);
        assertThat(snapshot().resolve("model.safetensors")).hasSameBinaryContentAs(PACKED.resolve("model.safetensors"));
    }

    @Test
    void twoProcessesFetchAModelOnce() throws Exception {
        InProcess.Result both = tern("pull hf://org/packed-u8 & first=$!; tern pull hf://org/packed-u8; wait $first");
        assertThat(both.status()).as(both.err()).isZero();
        assertThat(both.out().lines()).containsExactly(snapshot().toString(), snapshot().toString());
        assertThat(hub.requests.stream().filter(request -> request.endsWith("model.safetensors"))).hasSize(1);
        assertThat(snapshot().resolve("model.safetensors")).hasSameBinaryContentAs(PACKED.resolve("model.safetensors"));
    }

    /** A limit to the size of files stands for a full disk, which a test cannot have. */
    @Test
    void aDiskThatTakesNoMoreIsOneSentence() throws Exception {
        InProcess.Result result = tern("--version >/dev/null; ulimit -f 2000; tern pull hf://org/packed-u8");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err())
                .startsWith("tern: " + snapshot().resolve(".tern/model.safetensors.part")
                + ": cannot be written: File too large")
                .hasLineCount(1);
        assertThat(tern("pull hf://org/packed-u8").status()).isZero();
    }

    @Test
    void offlineSaysWhatIsMissing() throws Exception {
        InProcess.Result result = tern("convert hf://org/packed-u8 -o x.gguf --offline");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("hf://org/packed-u8: is not in the cache, and offline nothing is fetched");
        assertThat(hub.requests).isEmpty();
        assertThat(folder.resolve("x.gguf")).doesNotExist();
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
