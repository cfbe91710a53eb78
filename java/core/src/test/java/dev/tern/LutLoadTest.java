package dev.tern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.codegen.KernelConfig;
import dev.tern.codegen.KernelPlan;
import dev.tern.codegen.LutFormat;
import dev.tern.codegen.MatrixShape;
import dev.tern.codegen.PlannedKernel;
import dev.tern.codegen.Tile;
import dev.tern.io.InputException;
import dev.tern.kernels.KernelChoice;
import dev.tern.kernels.KernelUnavailableException;
import dev.tern.kernels.Tier;
import dev.tern.lut.KernelFamily;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.LutTiles;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What loading a TL1 or TL2 file does about kernels: with and without a compiler, with a cache that was tampered with, where
 * looking up is slower, where there is no native code. Whatever happens, the results are the same and what happened is said.
 */
class LutLoadTest {
    private static final int[] IDS = {1, 2, 3, 5, 8, 13, 21};

    private static final ModelHyperparameters GRAPH = new ModelHyperparameters(
            "bitnet", "", 40, 64, 128, 256, 2, 4, 2, 32, 32, 10000, 1e-5f, FfnActivation.RELU_SQUARED, true, true);

    /** The format for which there is vector code on this machine. */
    private static final LutFormat FAST =
            System.getProperty("os.arch").equals("aarch64") ? LutFormat.TL1 : LutFormat.TL2;

    private static final Outtype OUTTYPE = Outtype.valueOf(FAST.name());

    /** No published model is cut like this. */
    private static final KernelPlan PLAN =
            plan(FAST == LutFormat.TL2 ? new Tile(64, 96, 32) : new Tile(64, 64, 64));

    private @TempDir Path folder;
    private final Map<String, String> environment = new HashMap<>();
    private Path cache;
    private Path file;

    private static KernelPlan plan(Tile tile) {
        return new KernelPlan(Stream.of(
                        new MatrixShape(128, 128),
                        new MatrixShape(64, 128),
                        new MatrixShape(256, 128),
                        new MatrixShape(128, 256))
                .map(shape -> new PlannedKernel(FAST, shape, tile))
                .toList());
    }

    private static TestGguf gguf() {
        return TestGguf.random(GRAPH, OUTTYPE, 1, LutTiles.of(PLAN));
    }

    @BeforeEach
    void anEmptyCache() {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        cache = folder.resolve("cache");
        file = gguf().write(folder.resolve("model.gguf"));
        System.getenv().forEach((name, value) -> {
            if (!name.startsWith("TERN_") && !name.startsWith("JAVA_TOOL") && !name.equals("CC")) {
                environment.put(name, value);
            }
        });
        environment.put("TERN_CACHE", cache.toString());
    }

    /** @param lut the look-up-table kernels, "none", or "error" with the message as only note */
    private record Loaded(String lut, List<String> notes, String logits) {
        String allNotes() {
            return String.join("\n", notes);
        }
    }

    /** Loads the model in a process with the test's environment, as on a machine of another kind. */
    private Loaded load(KernelFamily family) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(
                        ":",
                        System.getProperty("tern.test.classes"),
                        System.getProperty("jdk.module.path", ""),
                        System.getProperty("java.class.path")),
                Loads.class.getName(),
                file.toString(),
                family.name());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        List<String> lines = said.lines().filter(line -> line.startsWith("> ")).map(line -> line.substring(2)).toList();
        assertThat(lines).as(said).hasSizeGreaterThanOrEqualTo(2);
        return new Loaded(lines.getFirst(), lines.subList(2, lines.size()), lines.get(1));
    }

    /** Main class of the child processes: loads a model, says how, and what it computes. */
    static final class Loads {
        private Loads() {}

        public static void main(String[] args) {
            ModelOptions options = ModelOptions.builder()
                    .threads(1)
                    .family(KernelFamily.valueOf(args[1]))
                    .build();
            try (Model model = Model.load(Path.of(args[0]), options)) {
                System.out.println("> " + model.info().lut().orElse("none"));
                System.out.println("> " + logits(model));
                model.info().notes().forEach(note -> System.out.println("> " + note.replace("\n", "\n> ")));
            } catch (KernelUnavailableException e) {
                System.out.println("> error\n> \n> " + String.valueOf(e.getMessage()).replace("\n", "\n> "));
            }
        }
    }

    private static String logits(Model model) {
        try (Session session = model.session()) {
            session.feed(IDS);
            return Arrays.toString(session.logits().toArray(ValueLayout.JAVA_FLOAT));
        }
    }

    /** What the same weights give as I2_S. */
    private String expected() {
        Path plain = TestGguf.random(GRAPH, Outtype.I2_S, 1).write(folder.resolve("plain.gguf"));
        try (Model model = Model.load(plain, ModelOptions.builder().threads(1).build())) {
            return logits(model);
        }
    }

    private void assertLookedUp(Loaded loaded) {
        assertThat(loaded.lut).as(loaded.allNotes()).startsWith("libtern-lut-" + PLAN.hash().substring(0, 16));
        assertThat(loaded.logits).isEqualTo(expected());
    }

    private void assertRepacked(Loaded loaded) {
        assertThat(loaded.lut).as(loaded.allNotes()).isEqualTo("none");
        assertThat(loaded.logits).isEqualTo(expected());
        assertThat(loaded.allNotes()).contains("repacked");
    }

    private static void assumeVectors() {
        Tier tier = KernelChoice.best().kernels().tier();
        Assumptions.assumeTrue(tier.compareTo(Tier.SCALAR) > 0, "there is no vector code on " + tier.label());
    }

    private void withoutTools() throws IOException {
        environment.put("PATH", Files.createDirectories(folder.resolve("empty")).toString());
    }

    private List<Path> inCache(String glob) throws IOException {
        try (Stream<Path> files = Files.walk(cache.resolve("lut"))) {
            return files.filter(path -> path.getFileName().toString().matches(glob)).toList();
        }
    }

    @Test
    void missingKernelsAreBuiltOnce() throws Exception {
        Loaded first = load(KernelFamily.LUT);
        assertLookedUp(first);
        Path library = inCache("libtern-lut-.*").getFirst();
        assertThat(first.notes).containsOnlyOnce("built kernels for this model's shapes and tiles: " + library);
        withoutTools(); // they are not needed any more
        Loaded second = load(KernelFamily.LUT);
        assertLookedUp(second);
        assertThat(second.allNotes()).doesNotContain("built");
    }

    @Test
    void withoutACompilerTheWeightsAreRepacked() throws Exception {
        assumeVectors();
        withoutTools();
        Loaded loaded = load(KernelFamily.AUTO);
        assertRepacked(loaded);
        assertThat(loaded.allNotes())
                .contains("there is no cmake on the PATH; install CMake")
                .contains(FAST.label() + ": without kernels for this model's shapes and tiles the weights were repacked for"
                        + " multiply-add kernels, with the same results");
    }

    @Test
    void withoutACompilerADemandIsRefused() throws Exception {
        withoutTools();
        Loaded loaded = load(KernelFamily.LUT);
        assertThat(loaded.lut).isEqualTo("error");
        assertThat(loaded.allNotes())
                .startsWith("look-up-table kernels are demanded but cannot be had: ")
                .contains("there is no cmake on the PATH; install CMake");
    }

    @Test
    void whatABrokenCompilerPrintsIsSaid() throws Exception {
        assumeVectors();
        Path cc = Files.createDirectory(folder.resolve("programs")).resolve("cc");
        Files.writeString(cc, "#!/bin/sh\necho 'cc: the disk is on fire' >&2\nexit 1\n");
        Files.setPosixFilePermissions(cc, PosixFilePermissions.fromString("rwxr-xr-x"));
        environment.merge("PATH", cc.getParent().toString(), (path, programs) -> programs + ":" + path);
        Loaded loaded = load(KernelFamily.AUTO);
        assertRepacked(loaded);
        assertThat(loaded.allNotes()).contains("configuring the kernels failed: ", "cc: the disk is on fire");
    }

    @Test
    void aLibraryThatWasTamperedWithIsRefused() throws Exception {
        assumeVectors();
        load(KernelFamily.LUT);
        Path library = inCache("libtern-lut-.*").getFirst();
        byte[] bytes = Files.readAllBytes(library);
        bytes[bytes.length / 2] ^= 1;
        Files.write(library, bytes);
        String path = environment.get("PATH");
        withoutTools();
        Loaded repacked = load(KernelFamily.AUTO);
        assertRepacked(repacked);
        assertThat(repacked.allNotes()).contains("refused: " + library + ": changed since it was built: its SHA-256 is ");
        environment.put("PATH", path);
        Loaded built = load(KernelFamily.LUT);
        assertLookedUp(built);
        assertThat(built.allNotes())
                .contains("refused: " + library + ": changed since it was built", "built kernels for this model's");
    }

    @Test
    void withoutNativeCodeTheReferenceMultiplies() throws Exception {
        environment.put("TERN_NATIVE", "off");
        assertRepacked(load(KernelFamily.AUTO));
        Loaded demanded = load(KernelFamily.LUT);
        assertThat(demanded.lut).isEqualTo("error");
        assertThat(demanded.allNotes()).contains("the Java reference has no look-up-table kernels");
        assertThat(cache).doesNotExist();
    }

    @Test
    void plainCIsForThoseWhoAskForIt() throws Exception {
        environment.put("TERN_MAX_TIER", "scalar");
        Loaded auto = load(KernelFamily.AUTO);
        if (FAST == LutFormat.TL2) {
            assertRepacked(auto);
            assertThat(auto.allNotes()).contains("there is no vector code to look up in tables on this machine");
            assertThat(cache.resolve("lut")).doesNotExist(); // nothing is built that nobody would use
        }
        Loaded demanded = load(KernelFamily.LUT);
        assertLookedUp(demanded);
        assertThat(demanded.lut).endsWith(" (portable)");
    }

    @Test
    void withoutACacheTheWeightsAreRepacked() throws Exception {
        assumeVectors();
        environment.put("TERN_LIBRARY", KernelChoice.status().path().orElseThrow().toString());
        environment.put("TERN_CACHE", Files.createFile(folder.resolve("file")).toString());
        Loaded loaded = load(KernelFamily.AUTO);
        assertRepacked(loaded);
        assertThat(loaded.allNotes()).contains("native libraries cannot be kept there");
    }

    /** What a measurement found is kept, and decides the next time; what is no measurement is made again. */
    @Test
    void theFasterFamilyIsTaken() throws Exception {
        assumeVectors();
        Loaded first = load(KernelFamily.AUTO);
        assertThat(first.logits).isEqualTo(expected());
        assertThat(first.allNotes()).contains(FAST.label() + ": looking up decodes ");
        Path speeds = inCache("speeds-.*\\.properties").getFirst();
        Properties measured = new Properties();
        try (var in = Files.newInputStream(speeds)) {
            measured.load(in);
        }
        assertThat(Double.parseDouble(measured.getProperty("lut"))).isPositive();
        assertThat(Double.parseDouble(measured.getProperty("mad"))).isPositive();

        Files.writeString(speeds, "lut=7e9\nmad=8e9\n");
        Loaded slower = load(KernelFamily.AUTO);
        assertRepacked(slower);
        assertThat(slower.notes)
                .contains(FAST.label() + ": looking up decodes 7 G weights/s here, multiply-add 8: the weights were repacked"
                        + " (--kernels lut or mad decides otherwise)");
        Files.writeString(speeds, "lut=8e9\nmad=7e9\n");
        Loaded faster = load(KernelFamily.AUTO);
        assertLookedUp(faster);
        assertThat(faster.notes)
                .contains(FAST.label() + ": looking up decodes 8 G weights/s here, multiply-add 7: the weights are used as"
                        + " they lie (--kernels lut or mad decides otherwise)");

        for (String nonsense : List.of("", "lut=fast\nmad=NaN\n", "lut=\\u00zz")) {
            Files.writeString(speeds, nonsense);
            assertThat(load(KernelFamily.AUTO).logits).as(nonsense).isEqualTo(faster.logits);
            assertThat(Files.readString(speeds)).as("measured again").isNotEqualTo(nonsense).contains("mad=");
        }
        assertThat(inCache("speeds-.*")).containsExactly(speeds);
    }

    /** A file as bitnet.cpp's converter writes it, which does not say how it was cut. */
    private Path withoutTiles() {
        TestGguf upstream = gguf();
        upstream.metadata.keySet().removeIf(key -> key.startsWith("ternary."));
        return upstream.write(folder.resolve("upstream.gguf"));
    }

    private Path ini(KernelPlan plan) throws IOException {
        return Files.writeString(folder.resolve("kernel_config.ini"), KernelConfig.text(plan));
    }

    private static ModelOptions options(Path ini) {
        return ModelOptions.builder().threads(1).kernelConfig(ini).build();
    }

    @Test
    void aFileWithoutTilesNeedsAKernelConfig() throws IOException {
        Path upstream = withoutTiles();
        assertThatThrownBy(() -> Model.load(upstream))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(upstream.toString())
                .hasMessageContainingAll(
                        "blk.0.attn_q.weight",
                        "packed as " + FAST + " for kernels whose tiles the file does not store",
                        "ternary." + FAST.label() + ".128x128",
                        "--kernel-config kernel_config.ini");
        try (Model model = Model.load(upstream, options(ini(PLAN)))) {
            assertThat(logits(model)).isEqualTo(expected());
        }
        // As bitnet.cpp's generators write it: no comments, so that the file's tensors say what it is for.
        Path bare = Files.writeString(
                folder.resolve("bare.ini"), KernelConfig.text(PLAN).lines().filter(line -> !line.startsWith("#"))
                        .reduce("", (text, line) -> text + line + "\n"));
        try (Model model = Model.load(upstream, options(bare))) {
            assertThat(logits(model)).isEqualTo(expected());
        }
    }

    @Test
    void aKernelConfigThatContradictsTheFileIsRefused() throws IOException {
        Path other = ini(plan(new Tile(32, FAST == LutFormat.TL2 ? 96 : 64, 32)));
        assertThatThrownBy(() -> Model.load(file, options(other)))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(
                        "ternary." + FAST.label() + ".",
                        "contradicts " + other + " on the tile of the ",
                        "leave the kernel config away");
        try (Model model = Model.load(file, options(ini(PLAN)))) { // the same once more does no harm
            assertThat(logits(model)).isEqualTo(expected());
        }
    }

    @Test
    void aKernelConfigThatWasEditedIsRefused() throws IOException {
        Path upstream = withoutTiles();
        Path ini = ini(PLAN);
        String text = Files.readString(ini);
        Files.writeString(ini, text.replaceFirst("bm = 64", "bm = 32"));
        if (FAST == LutFormat.TL2) { // where the edited tile is as legal as the other
            assertThatThrownBy(() -> Model.load(upstream, options(ini)))
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll(ini + ":", "edited after it was generated", PLAN.hash());
        }
        Files.writeString(ini, text.substring(0, text.indexOf("[Kernels_3]")));
        assertThatThrownBy(() -> Model.load(upstream, options(ini)))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(ini + ":", "edited after it was generated");
        Files.writeString(ini, text.substring(0, text.lastIndexOf("bmm")));
        assertThatThrownBy(() -> Model.load(upstream, options(ini)))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(ini + ":", "[Kernels_3]", "is missing");
    }

    @Test
    void aKernelConfigForSomethingElseIsRefused() throws IOException {
        Path upstream = withoutTiles();
        Path less = ini(new KernelPlan(PLAN.kernels().subList(0, 2)));
        assertThatThrownBy(() -> Model.load(upstream, options(less)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("ternary." + FAST.label() + ".256x128");
        LutFormat slow = FAST == LutFormat.TL2 ? LutFormat.TL1 : LutFormat.TL2;
        MatrixShape shape = new MatrixShape(128, 128);
        Path foreign = ini(new KernelPlan(List.of(new PlannedKernel(slow, shape, slow.legalTiles(shape).getFirst()))));
        assertThatThrownBy(() -> Model.load(upstream, options(foreign)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("these tiles are for " + slow.label() + "; expected tiles for " + FAST.label());
        Path plain = TestGguf.random(GRAPH, Outtype.I2_S, 1).write(folder.resolve("i2_s.gguf"));
        assertThatThrownBy(() -> Model.load(plain, options(foreign)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("holds no TL1 or TL2 tensor");
        Path missing = folder.resolve("missing.ini");
        assertThatThrownBy(() -> Model.load(upstream, options(missing)))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith(missing.toString());
    }
}
