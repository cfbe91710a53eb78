package dev.tern.cli;

import static dev.tern.cli.InProcess.ONLINE;
import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code tern setup} on the trained model: fresh, again, and after each of its results was removed, damaged or changed. */
class SetupCommandTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String NAME = "packed-u8-tl2.gguf";
    private static final String FOX = "Tell me the fable of The Fox and the Grapes.";

    @TempDir
    static Path shared;

    private static InProcess.Result first;
    private static Path fresh;

    @TempDir
    Path temporary;

    private Path folder;

    @BeforeAll
    static void setUpOnce() {
        fresh = shared.resolve("fresh/made");
        first = tern("setup", PACKED, "-o", fresh, "-n", "8", "-p", FOX);
    }

    @BeforeEach
    void copy() throws IOException {
        folder = copy(fresh, temporary.resolve("set up"));
    }

    private static Path copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        return to;
    }

    @Test
    void goesFromACheckpointToTokens() throws Exception {
        assertThat(first.status()).as(first.err()).isZero();
        assertThat(first.out().lines().map(SetupCommandTest::stepOf).filter(step -> !step.isEmpty()))
                .containsExactly("inspect done", "kernels done", "build skipped", "convert done", "validate done", "run done");
        assertThat(first.out()).contains("\n> " + FOX + "\n\nA hungry Fox saw").contains("28 ternary tensors").contains("a second");
        assertThat(first.out()).contains("Go on with: tern chat -m " + fresh.resolve(NAME));
        assertThat(names(fresh)).containsExactlyInAnyOrder(NAME, "bitnet-lut-kernels.h", "kernel_config.ini", "setup.json");

        Path converted = temporary.resolve("converted.gguf");
        assertThat(tern("convert", PACKED, "-o", converted, "--outtype", "tl2").status()).isZero();
        assertThat(fresh.resolve(NAME)).hasSameBinaryContentAs(converted);
        assertThat(tern("convert", PACKED, "--outtype", "tl2", "--dry-run", "--kernel-config", fresh.resolve("kernel_config.ini"))
                        .status())
                .isZero();
    }

    @Test
    void doesNothingAgainThatIsRight() throws Exception {
        Map<String, FileTime> before = times(folder);
        assertThat(steps()).isEqualTo(expected());
        assertThat(times(folder)).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource({
        "bitnet-lut-kernels.h, kernels",
        "kernel_config.ini, kernels",
        "packed-u8-tl2.gguf, convert validate",
        "setup.json, validate",
    })
    void makesAgainOnlyWhatWasRemoved(String name, String redone) throws Exception {
        byte[] made = Files.readAllBytes(folder.resolve(name));
        Files.delete(folder.resolve(name));
        assertThat(steps()).isEqualTo(expected(redone.split(" ")));
        assertThat(folder.resolve(name)).hasBinaryContent(made);
    }

    @ParameterizedTest
    @CsvSource({
        "bitnet-lut-kernels.h, kernels",
        "packed-u8-tl2.gguf, convert validate",
    })
    void makesAgainOnlyWhatWasDamaged(String name, String redone) throws Exception {
        byte[] made = Files.readAllBytes(folder.resolve(name));
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve(name).toFile(), "rw")) {
            file.seek(made.length / 2);
            file.write(made[made.length / 2] ^ 1);
        }
        assertThat(steps()).isEqualTo(expected(redone.split(" ")));
        assertThat(folder.resolve(name)).hasBinaryContent(made);

        Files.write(folder.resolve(name), java.util.Arrays.copyOf(made, made.length - 1));
        assertThat(steps()).isEqualTo(expected(redone.split(" ")));
        assertThat(folder.resolve(name)).hasBinaryContent(made);
    }

    @Test
    void aRecordThatCannotBeReadCostsAValidation() throws Exception {
        Files.writeString(folder.resolve("setup.json"), "{\"version\": 1, \"tiles\": [{}]}");
        JsonNode document = json();
        assertThat(steps(document)).isEqualTo(expected("validate"));
        assertThat(why(document, "convert")).contains("setup.json cannot be used");
        assertThat(steps()).isEqualTo(expected());
    }

    @Test
    void aFileThatWasNotValidatedIs() throws Exception {
        Path record = folder.resolve("setup.json");
        Files.writeString(record, Files.readString(record).replace("\"validated\" : true", "\"validated\" : false"));
        assertThat(steps()).isEqualTo(expected("validate"));
        assertThat(Files.readString(record)).contains("\"validated\" : true");
    }

    @Test
    void anotherCheckpointIsConvertedAgain() throws Exception {
        Path checkpoint = copy(PACKED, temporary.resolve("packed-u8"));
        assertThat(steps(json("setup", checkpoint))).as("a copy with its times is the same").isEqualTo(expected());
        Files.setLastModifiedTime(checkpoint.resolve("model.safetensors"), FileTime.fromMillis(1_700_000_000_000L));
        Path config = checkpoint.resolve("config.json");
        Files.writeString(config, Files.readString(config) + "\n");
        JsonNode document = json("setup", checkpoint);
        assertThat(steps(document)).isEqualTo(expected("convert", "validate"));
        assertThat(why(document, "convert"))
                .contains("model.safetensors of the checkpoint has changed", "config.json has other contents");
        assertThat(steps(json("setup", checkpoint))).isEqualTo(expected());
    }

    @Test
    void anotherEmbeddingIsConvertedAgain() {
        JsonNode document = json("setup", PACKED, "--embedding-type", "bf16");
        assertThat(steps(document)).isEqualTo(expected("convert", "validate"));
        assertThat(why(document, "convert")).contains("the embedding is bf16, was f16");
    }

    @Test
    void anotherTypeGetsAFileOfItsOwn() throws Exception {
        JsonNode document = json("setup", PACKED, "-q", "i2_s");
        assertThat(steps(document).toString()).isEqualTo("{inspect=done, convert=done, validate=done, run=done}");
        assertThat(document.has("plan")).isFalse();
        assertThat(names(folder)).contains(NAME, "packed-u8-i2_s.gguf");

        JsonNode tl1 = json("setup", PACKED, "-q", "tl1");
        assertThat(steps(tl1)).isEqualTo(expected("kernels", "convert", "validate"));
        assertThat(Files.readString(folder.resolve("kernel_config.ini"))).contains("# format: tl1");

        JsonNode back = json();
        assertThat(steps(back)).isEqualTo(expected("kernels", "validate"));
        assertThat(why(back, "convert")).contains("setup.json is that of packed-u8-tl1.gguf");
    }

    @Test
    void withoutTilesThereAreNoKernels() throws Exception {
        Path made = temporary.resolve("i2s");
        InProcess.Result result = tern("setup", PACKED, "-q", "i2_s", "-o", made, "-n", "2");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(names(made)).containsExactlyInAnyOrder("packed-u8-i2_s.gguf", "setup.json");
        assertThat(result.out()).doesNotContain("kernels done").doesNotContain("build ");
    }

    @Test
    void aKernelConfigDecidesTheTilesFromThenOn() throws Exception {
        Path ini = ini(temporary.resolve("mine.ini"));
        JsonNode document = json("setup", PACKED, "--kernel-config", ini);
        assertThat(document.path("tiles").path(0).path("bm").asInt()).isEqualTo(64);
        assertThat(why(document, "convert")).contains("tl2 512x512 has the tile 64/96/32, was ");
        JsonNode again = json();
        assertThat(why(again, "inspect")).contains("tiles of " + folder.resolve("kernel_config.ini"));
        assertThat(steps(again).get("convert")).isEqualTo("skipped");
        assertThat(again.path("plan")).isEqualTo(document.path("plan"));
    }

    @Test
    void tilesThatTernTunedInTheFolderAreUsed() throws Exception {
        Path other = temporary.resolve("other");
        Path ini = ini(temporary.resolve("mine.ini"));
        assertThat(tern("setup", PACKED, "-o", other, "--kernel-config", ini, "-n", "1").status()).isZero();
        Files.copy(other.resolve("kernel_config.ini"), folder.resolve("kernel_config.ini"), StandardCopyOption.REPLACE_EXISTING);
        JsonNode document = json();
        assertThat(why(document, "kernels")).contains("bitnet-lut-kernels.h (was another or damaged)");
        assertThat(why(document, "convert")).contains("has the tile 64/96/32, was ");
        assertThat(folder.resolve("bitnet-lut-kernels.h")).hasSameTextualContentAs(other.resolve("bitnet-lut-kernels.h"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aKernelConfigEditedByHandIsRefused(boolean planLine) throws Exception {
        Path ini = folder.resolve("kernel_config.ini");
        String text = Files.readString(ini).replaceFirst("bm = \\d+", "bm = 32");
        Files.writeString(ini, planLine ? text : text.replaceFirst("# plan.*\n", ""));
        Map<String, FileTime> before = times(folder);

        InProcess.Result result = tern("setup", PACKED, "-o", folder);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err())
                .startsWith("tern: " + ini)
                .contains(planLine ? "was changed since Tern wrote it" : "has other tiles than this folder was set up with")
                .contains("tl2 512x512 has the tile 32/", ", was ", "--kernel-config");
        assertThat(times(folder)).isEqualTo(before);

        Files.delete(ini);
        assertThat(steps()).as("the cure").isEqualTo(expected("kernels"));
    }

    @Test
    void anEditedKernelConfigIsUsedWhenNamed() throws Exception {
        Path ini = folder.resolve("kernel_config.ini");
        String text = Files.readString(ini).replaceFirst("bm = \\d+", "bm = 32").replaceFirst("# plan.*\n", "");
        Files.writeString(ini, text);
        JsonNode document = json("setup", PACKED, "--kernel-config", ini);
        assertThat(document.path("tiles").path(0).path("bm").asInt()).isEqualTo(32);
        assertThat(ini).hasContent(text);
        assertThat(steps()).as("known from then on").containsEntry("convert", "skipped");
    }

    @Test
    void aForeignKernelConfigIsNeitherUsedNorReplaced() throws Exception {
        Path made = Files.createDirectories(temporary.resolve("foreign"));
        Path ini = ini(made.resolve("kernel_config.ini"));
        String text = Files.readString(ini);
        InProcess.Result unnamed = tern("setup", PACKED, "-o", made);
        assertThat(unnamed.status()).isEqualTo(1);
        assertThat(unnamed.err()).contains(ini.toString()).contains("was not written by Tern");

        Path other = ini(temporary.resolve("other.ini"));
        Files.writeString(other, text.replace("bm = 64", "bm = 128"));
        InProcess.Result replaced = tern("setup", PACKED, "-o", made, "--kernel-config", other);
        assertThat(replaced.status()).isEqualTo(1);
        assertThat(replaced.err()).contains("would be replaced");
        assertThat(ini).hasContent(text);
        assertThat(names(made)).containsExactly("kernel_config.ini");
    }

    @Test
    void aKernelConfigOfAnotherModelIsRefused() throws Exception {
        Path other = temporary.resolve("kernels-of-another");
        assertThat(tern("synth", "--config", smaller(), "--format", "packed", "-o", temporary.resolve("smaller")).status()).isZero();
        assertThat(tern("setup", temporary.resolve("smaller"), "-o", other, "-n", "1").status()).isZero();
        InProcess.Result result = tern("setup", PACKED, "-o", other);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("is another model's").contains("m = 1536 and k = 512").contains("512x1024");
    }

    private Path smaller() throws IOException {
        String config = Files.readString(PACKED.resolve("config.json")).replaceFirst("\"intermediate_size\": \\d+", "\"intermediate_size\": 1024");
        return Files.writeString(temporary.resolve("config.json"), config);
    }

    @Test
    void somebodyElsesFileIsNotReplaced() throws Exception {
        Path made = Files.createDirectories(temporary.resolve("mine"));
        for (String content : List.of("not a model", "")) {
            Files.writeString(made.resolve(NAME), content);
            InProcess.Result result = tern("setup", PACKED, "-o", made);
            assertThat(result.status()).isEqualTo(1);
            assertThat(result.err()).contains(made.resolve(NAME).toString()).contains("Remove it");
            assertThat(made.resolve(NAME)).hasContent(content);
        }
        assertThat(tern("convert", ONLINE, "--outtype", "tl2", "-o", made.resolve(NAME), "--overwrite").status()).isZero();
        assertThat(tern("setup", PACKED, "-o", made).err()).as("scales of another checkpoint").contains("Remove it");
        assertThat(tern("convert", PACKED, "--outtype", "tl2", "-o", made.resolve(NAME), "--overwrite").status()).isZero();
        assertThat(tern("setup", PACKED, "-o", made, "-n", "1").status()).as("it is what setup makes").isZero();
    }

    @Test
    void theJsonSaysEverything() throws Exception {
        JsonNode document = json("setup", PACKED, "-p", FOX, "-n", "5");
        assertThat(document.path("file").asString()).isEqualTo(folder.resolve(NAME).toString());
        assertThat(document.path("file_bytes").asLong()).isEqualTo(Files.size(folder.resolve(NAME)));
        assertThat(document.path("sha256").asString()).hasSize(64);
        assertThat(document.path("validated").asBoolean()).isTrue();
        assertThat(document.path("tiles").size()).isEqualTo(4);
        assertThat(document.path("plan").asString()).hasSize(64);
        assertThat(Path.of(document.path("header").asString())).isRegularFile();
        assertThat(Path.of(document.path("kernel_config").asString())).isRegularFile();
        assertThat(document.path("ids").size()).isEqualTo(5);
        assertThat(document.path("text").asString()).startsWith("A hungry");
        assertThat(document.path("timings").path("predicted_n").asInt()).isEqualTo(5);
        assertThat(document.path("steps").path(0).propertyNames()).containsExactly("name", "status", "why", "seconds");
    }

    @Test
    void onATerminalLinesFitEightyColumns() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(new ByteArrayInputStream(new byte[0]), bytes, new ByteArrayOutputStream(), true, true, false);
        String relative = Path.of("").toAbsolutePath().relativize(folder.toAbsolutePath()).toString();
        assertThat(Tern.run(terminal, new Interruption(), "setup", PACKED.toString(), "-o", relative)).isZero();
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines().filter(line -> !line.contains(relative)))
                .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "setup gs://BUCKET/prefix -o @new | 1 | the bucket 'BUCKET'",
        "setup hf://org/name@main --offline -o @new | 1 | hf://org/name: is not in the cache",
        "setup http://x.org/model -o @new | 1 | unencrypted connection to another machine",
        "setup ftp://x.org/model -o @new | 1 | Download it first",
        "setup /no/such/folder -o @new | 1 | /no/such/folder",
        "setup @packed -o @packed | 1 | only read",
        "setup @packed -o @packed/made | 1 | only read",
        "setup @packed -q q9_z -o @new | 2 | q9_z",
        "setup @packed -q i2_s --kernel-config x.ini -o @new | 2 | tl1 or tl2",
        "setup @packed --kernel-config /no/such.ini -o @new | 1 | /no/such.ini",
        "setup @packed --embedding-type q4_0 -o @new | 2 | q4_0",
        "setup @packed -n 0 -o @new | 2 | -n",
        "setup @packed -o @packed/config.json/x | 1 | only read",
        "setup -o @new | 2 | CHECKPOINT",
    })
    void saysWhatIsWrongAndLeavesNothing(String line, int status, String word) {
        Path made = temporary.resolve("new");
        Object[] arguments = Stream.of(line.split(" "))
                .map(argument -> argument.replace("@packed", PACKED.toString()).replace("@new", made.toString()))
                .toArray();
        InProcess.Result result = tern(arguments);
        assertThat(result.status()).as(result.err()).isEqualTo(status);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("tern: ").contains(word).doesNotContain("\tat ");
        assertThat(made).doesNotExist();
    }

    @Test
    void aFileInPlaceOfTheFolderIsSaid() throws Exception {
        Path file = Files.writeString(temporary.resolve("file"), "x");
        InProcess.Result result = tern("setup", PACKED, "-o", file);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains(file.toString()).contains("-o");
    }

    @Test
    void anInterruptedSetupLeavesNothingHalfAndGoesOn() throws Exception {
        Interruption interruption = new Interruption();
        interruption.finish();
        interruption.shutDown(); // as Ctrl-C does
        Path made = temporary.resolve("interrupted");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(new ByteArrayInputStream(new byte[0]), bytes, bytes, false, false, false);
        assertThat(Tern.run(terminal, interruption, "setup", PACKED.toString(), "-o", made.toString())).isEqualTo(130);
        assertThat(made).doesNotExist();
        assertThat(tern("setup", PACKED, "-o", made, "-n", "1").status()).isZero();
    }

    @Test
    void whatAKilledSetupLeftHalfGoesAndTheRestStays() throws Exception {
        Path half = Files.writeString(folder.resolve("." + NAME + ".0123456789abcdef.tmp"), "half");
        Path other = Files.writeString(folder.resolve(".mine.tmp"), "mine");
        Files.writeString(folder.resolve(".setup.lock"), "");
        assertThat(steps()).isEqualTo(expected());
        assertThat(half).doesNotExist();
        assertThat(other).exists();
        assertThat(folder.resolve(".setup.lock")).doesNotExist();
    }

    @Test
    void twoDoNotWorkInOneFolder() {
        try (SetupFolder taken = SetupFolder.take(folder, folder.resolve(NAME))) {
            assertThat(taken).isNotNull();
            InProcess.Result result = tern("setup", PACKED, "-o", folder);
            assertThat(result.status()).isEqualTo(1);
            assertThat(result.err()).contains(folder.toString()).contains("another setup is at work");
        }
        assertThat(steps()).isEqualTo(expected());
    }

    // ---- what a setup said -----------------------------------------------------------------------------------------

    /** The model's first tokens always come; kernels of these tiles are in libtern, or not needed without it. */
    private static Map<String, String> expected(String... redone) {
        Map<String, String> steps = new LinkedHashMap<>();
        for (String step : List.of("inspect", "kernels", "build", "convert", "validate", "run")) {
            boolean always = step.equals("inspect") || step.equals("run");
            steps.put(step, always || List.of(redone).contains(step) ? "done" : "skipped");
        }
        return steps;
    }

    private Map<String, String> steps() {
        return steps(json());
    }

    private static Map<String, String> steps(JsonNode document) {
        Map<String, String> steps = new LinkedHashMap<>();
        document.path("steps").forEach(step -> steps.put(step.path("name").asString(), step.path("status").asString()));
        return steps;
    }

    private static String why(JsonNode document, String step) {
        for (JsonNode each : document.path("steps")) {
            if (each.path("name").asString().equals(step)) {
                return each.path("why").asString();
            }
        }
        throw new AssertionError(step);
    }

    private JsonNode json() {
        return json("setup", PACKED);
    }

    private JsonNode json(Object... command) {
        List<Object> arguments = new ArrayList<>(List.of(command));
        arguments.addAll(List.of("-o", folder, "--json"));
        if (!arguments.contains("-n")) {
            arguments.addAll(List.of("-n", "1"));
        }
        InProcess.Result result = tern(arguments.toArray());
        assertThat(result.status()).as(result.err()).isZero();
        return JSON.readTree(result.out());
    }

    /** {@code "convert  done      388 ms  ..."} is {@code "convert done"}. */
    private static String stepOf(String line) {
        return line.matches("[a-z]+ +(done|skipped|failed) +[0-9.]+ m?s  .*")
                ? line.replaceFirst(" +", " ").replaceFirst("^(\\S+ \\S+) .*", "$1")
                : "";
    }

    /** An ini as bitnet.cpp's generators write it. */
    private static Path ini(Path file) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String shape : List.of("512 512", "128 512", "1536 512", "512 1536")) {
            String[] mk = shape.split(" ");
            text.append("[Kernels_").append(text.length()).append("]\nm = ").append(mk[0]);
            text.append("\nk = ").append(mk[1]).append("\nbm = 64\nbk = 96\nbmm = 32\n\n");
        }
        return Files.writeString(file, text);
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static Map<String, FileTime> times(Path folder) throws IOException {
        Map<String, FileTime> times = new TreeMap<>();
        for (String name : names(folder)) {
            times.put(name, Files.getLastModifiedTime(folder.resolve(name)));
        }
        return times;
    }
}
