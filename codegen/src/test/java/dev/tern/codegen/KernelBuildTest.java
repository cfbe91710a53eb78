package dev.tern.codegen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Libraries of kernels in a cache: built once, whole, and refused when they are not what was built. */
class KernelBuildTest {
    private static final KernelPlan PLAN = new KernelPlan(List.of(
            new PlannedKernel(LutFormat.TL2, new MatrixShape(64, 128), new Tile(32, 96, 32))));

    private static final String MANIFEST = "manifest.properties";

    @TempDir
    private static Path shared;

    private static KernelLibraryFile built;

    @TempDir
    private Path folder;

    private Path cache;

    @BeforeAll
    static void buildOnce() {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        built = new KernelBuild(shared, PLAN).build();
    }

    @BeforeEach
    void ownCache() throws IOException {
        cache = Files.createDirectory(folder.resolve("cache"));
    }

    /** A cache of its own with a copy of what was built. */
    private KernelBuild copied() throws IOException {
        KernelBuild build = new KernelBuild(cache, PLAN);
        Files.createDirectory(build.folder());
        try (Stream<Path> files = Files.list(built.folder())) {
            for (Path file : files.toList()) {
                Files.copy(file, build.folder().resolve(file.getFileName()));
            }
        }
        assertThat(build.find()).map(KernelLibraryFile::sha256).contains(built.sha256());
        return build;
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    /** Nothing but the folder of the library, if one was built, and its lock. */
    private static void assertTidy(Path cache, KernelBuild build, boolean isBuilt) throws IOException {
        Path lock = cache.resolve(build.folder().getFileName() + ".lock");
        assertThat(list(cache)).containsExactlyElementsOf(isBuilt ? List.of(build.folder(), lock) : List.of(lock));
    }

    @Test
    void holdsTheLibraryItsHeaderAndAManifest() throws IOException {
        KernelBuild build = new KernelBuild(shared, PLAN);
        assertThat(built.folder()).isEqualTo(build.folder()).hasParent(shared);
        assertThat(built.folder().getFileName().toString()).startsWith(PLAN.hash().substring(0, 16) + "-");
        assertThat(list(built.folder()))
                .containsExactlyInAnyOrder(built.library(), built.header(), built.folder().resolve(MANIFEST));
        assertThat(built.library().getFileName().toString())
                .matches("libtern-lut-" + PLAN.hash().substring(0, 16) + "\\.(so|dylib)");
        assertThat(Hash.sha256(built.library())).isEqualTo(built.sha256());
        assertThat(built.header()).hasContent(HeaderGenerator.generate(PLAN));
        assertThat(build.find()).contains(built);
        assertTidy(shared, build, true);
    }

    @Test
    void isNotBuiltAgain() throws IOException {
        Object file = Files.getAttribute(built.library(), "unix:ino");
        Object time = Files.getLastModifiedTime(built.library());
        KernelBuild without = new KernelBuild(shared, PLAN, Map.of("PATH", folder.toString()));
        assertThat(without.build()).isEqualTo(built); // for which no tool is needed
        assertThat(Files.getAttribute(built.library(), "unix:ino")).isEqualTo(file);
        assertThat(Files.getLastModifiedTime(built.library())).isEqualTo(time);
    }

    /** A cache named by way of a dot, and flags of the user's that would make other kernels of the same name. */
    @Test
    void isFoundByAnyNameOfTheCacheAndFreeOfTheUsersFlags() throws IOException {
        Path roundabout = cache.resolve(".").resolve("..").resolve(cache.getFileName());
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("CFLAGS", "-this-is-no-flag");
        environment.put("CMAKE_GENERATOR", "No such generator");
        KernelBuild build = new KernelBuild(roundabout, PLAN, environment);
        KernelLibraryFile library = build.build();
        assertThat(build.find()).contains(library);
        assertThat(new KernelBuild(cache, PLAN).find()).contains(library);
        assertThat(library.sha256()).isEqualTo(built.sha256());
    }

    @Test
    void anotherPlanHasAnotherFolder() {
        KernelPlan other = new KernelPlan(List.of(
                new PlannedKernel(LutFormat.TL2, new MatrixShape(64, 128), new Tile(64, 96, 32))));
        KernelBuild build = new KernelBuild(shared, other);
        assertThat(build.folder()).isNotEqualTo(built.folder());
        assertThat(build.find()).isEmpty();
    }

    /** What somebody does to a folder of the cache. */
    private interface Damage {
        void to(Path folder) throws IOException;
    }

    private static Damage library(Damage damage) {
        return folder -> damage.to(folder.resolve(built.library().getFileName()));
    }

    private static Damage header(Damage damage) {
        return folder -> damage.to(folder.resolve(HeaderGenerator.FILE_NAME));
    }

    private static Damage manifest(String key, String value) {
        return folder -> {
            Path file = folder.resolve(MANIFEST);
            List<String> lines = new ArrayList<>();
            for (String line : Files.readAllLines(file)) {
                lines.add(line.startsWith(key + "=") ? key + "=" + value : line);
            }
            assertThat(lines).isNotEqualTo(Files.readAllLines(file));
            Files.write(file, lines);
        };
    }

    private static void cut(Path file, int bytes) throws IOException {
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, bytes < 0 ? whole.length + bytes : bytes));
    }

    private static void edit(Path file, String from, String to) throws IOException {
        String text = Files.readString(file);
        assertThat(text).contains(from);
        Files.writeString(file, text.replace(from, to));
    }

    private static Arguments damage(String name, Damage damage, String... message) {
        return Arguments.of(name, damage, message);
    }

    private static Stream<Arguments> damages() {
        String zeros = "0".repeat(64);
        String changed = "changed since it was built: its SHA-256 is ";
        return Stream.of(
                damage("library flipped", library(file -> {
                    byte[] bytes = Files.readAllBytes(file);
                    bytes[bytes.length / 2] ^= 1;
                    Files.write(file, bytes);
                }), ".so: " + changed, ", expected " + built.sha256()),
                damage("library cut short", library(file -> cut(file, -1)), ".so: " + changed),
                damage("library empty", library(file -> cut(file, 0)), ".so: " + changed),
                damage("library of another version", library(file -> Files.writeString(file, "another")), ".so: " + changed),
                damage("library missing", library(Files::delete), ".so is missing"),
                damage("library a folder", library(file -> {
                    Files.delete(file);
                    Files.createDirectory(file);
                }), ".so is missing"),
                damage("library a link", library(file -> {
                    Files.delete(file);
                    Files.createSymbolicLink(file, file.resolveSibling(MANIFEST));
                }), ".so is missing"),
                damage("header edited", header(file -> edit(file, "lut_tl2_rows(call, 64, 128, 32", "lut_tl2_rows(call, 64, 128, 64")),
                        "kernels.h: " + changed, ", expected " + Hash.sha256(HeaderGenerator.generate(PLAN))),
                damage("header cut short", header(file -> cut(file, 5000)), "kernels.h: " + changed),
                damage("header missing", header(Files::delete), "kernels.h is missing"),
                damage("manifest of another plan", manifest("plan", zeros), "plan is " + zeros + ", expected " + PLAN.hash()),
                damage("manifest of other sources", manifest("sources", zeros), "sources is " + zeros + ", expected "),
                damage("manifest of another library", manifest("library.sha256", zeros), changed, ", expected " + zeros),
                damage("manifest with a library elsewhere", manifest("library", "../../libc.so"),
                        "names no library of its folder, but '../../libc.so'"),
                damage("manifest with an absolute library", manifest("library", "/lib/libc.so"),
                        "names no library of its folder, but '/lib/libc.so'"),
                damage("manifest with the folder itself", manifest("library", "."), "names no library of its folder, but '.'"),
                damage("manifest with no name of a file", manifest("library", "a\\u0000b"),
                        "names no library of its folder, but 'a?b'"),
                damage("manifest without a library", manifest("library", ""), "names no library of its folder, but ''"),
                damage("manifest cut short", folder -> cut(folder.resolve(MANIFEST), 60), " is nothing, expected "),
                damage("manifest that is none", folder -> Files.writeString(folder.resolve(MANIFEST), "\\uXYZW"),
                        MANIFEST + " cannot be read: "),
                damage("manifest a folder", folder -> {
                    Files.delete(folder.resolve(MANIFEST));
                    Files.createDirectory(folder.resolve(MANIFEST));
                }, MANIFEST + " cannot be read: "));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("damages")
    void whatDiffersIsSaid(String name, Damage damage, String[] message) throws IOException {
        KernelBuild build = copied();
        damage.to(build.folder());
        assertThatThrownBy(build::find)
                .isInstanceOf(KernelBuildException.class)
                .hasMessageStartingWith(build.folder().toString())
                .hasMessageContainingAll(message)
                .hasMessageEndingWith("; remove the folder, or build the kernels again with tern kernels --build");
    }

    /** Whatever somebody put there, a build replaces the folder. */
    @Test
    void aDamagedFolderIsReplaced() throws IOException {
        KernelBuild build = copied();
        Path library = build.folder().resolve(built.library().getFileName());
        cut(library, 1000);
        Files.createDirectories(build.folder().resolve("deep/deeper"));
        KernelLibraryFile again = build.build();
        assertThat(again.library()).isEqualTo(library);
        assertThat(build.find()).contains(again);
        assertThat(list(build.folder())).hasSize(3);
        assertTidy(cache, build, true);
    }

    /** As a process leaves it that was killed while it built, or between removing an old folder and moving in the new one. */
    @Test
    void leftoversDoNoHarm() throws IOException {
        Path leftover = Files.createDirectories(cache.resolve(".building-123456/result")).getParent();
        Files.writeString(leftover.resolve("result").resolve(MANIFEST), "plan=" + PLAN.hash());
        KernelBuild build = new KernelBuild(cache, PLAN);
        Files.createDirectory(build.folder());
        Files.writeString(build.folder().resolve("half"), "half");
        assertThat(build.find()).isEmpty();
        KernelLibraryFile file = build.build();
        assertThat(build.find()).contains(file);
        assertThat(list(build.folder())).hasSize(3);
        assertThat(leftover).isDirectory();
    }

    @Test
    void aCacheThatIsNoneIsTold() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        for (Path none : List.of(file, folder.resolve("missing"))) {
            assertThatThrownBy(() -> new KernelBuild(none, PLAN).build())
                    .isInstanceOf(KernelBuildException.class)
                    .hasMessageStartingWith(none + ": kernels cannot be built there: ")
                    .hasMessageEndingWith("; point TERN_CACHE to another folder");
        }
    }

    private static Path which(String tool) {
        for (String folder : System.getenv("PATH").split(":")) {
            if (Files.isExecutable(Path.of(folder, tool))) {
                return Path.of(folder, tool);
            }
        }
        throw new AssertionError("no " + tool + " on the PATH");
    }

    private Path script(Path file, String... lines) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Puts a program of the PATH into a folder of programs. */
    private void forward(Path programs, String tool) throws IOException {
        script(programs.resolve(tool), "exec " + which(tool) + " \"$@\"");
    }

    /** A folder of programs that comes before all others, or is the whole PATH. */
    private Map<String, String> with(Path programs, boolean alone) {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.remove("CC");
        environment.put("PATH", alone ? programs.toString() : programs + ":" + System.getenv("PATH"));
        return environment;
    }

    private KernelBuildException failure(Map<String, String> environment) throws IOException {
        KernelBuild build = new KernelBuild(cache, PLAN, environment);
        try {
            build.build();
        } catch (KernelBuildException e) {
            assertThat(build.find()).isEmpty();
            assertTidy(cache, build, false);
            return e;
        }
        throw new AssertionError("it was built");
    }

    @Test
    void missingToolsAreNamedWithTheirCure() throws IOException {
        Path programs = Files.createDirectory(folder.resolve("programs"));
        assertThat(failure(with(programs, true)))
                .hasMessageContaining("there is no cmake on the PATH; install CMake (Debian, Ubuntu: apt install cmake gcc make");
        Files.createDirectory(programs.resolve("cmake")); // a folder is no program
        assertThat(failure(with(programs, true))).hasMessageContaining("there is no cmake on the PATH");
        Files.delete(programs.resolve("cmake"));
        forward(programs, "cmake");
        assertThat(failure(with(programs, true)))
                .hasMessageContaining("there is no cc, gcc, clang on the PATH; install a C compiler (Debian, Ubuntu: apt ");
    }

    @Test
    void whatABrokenCompilerPrintsIsShown() throws IOException {
        Path programs = folder.resolve("programs");
        script(programs.resolve("cc"), "echo 'cc: the disk is on fire' >&2", "exit 1");
        assertThat(failure(with(programs, false)))
                .hasMessageStartingWith("configuring the kernels failed: ")
                .hasMessageContaining(" ended with status 1:\n")
                .hasMessageContaining("cc: the disk is on fire");
    }

    /** CC counts where CMake counts it, also when no compiler is on the PATH. */
    @Test
    void theCompilerOfTheEnvironmentIsTaken() throws IOException {
        Path programs = Files.createDirectory(folder.resolve("programs"));
        for (String tool : List.of("cmake", "make")) {
            forward(programs, tool);
        }
        Map<String, String> environment = with(programs, true);
        environment.put("CC", script(folder.resolve("own/own-cc"), "echo 'own-cc: no licence' >&2", "exit 1").toString());
        assertThat(failure(environment)).hasMessageContaining("own-cc: no licence");
    }

    /** A compiler that fails late, says much, and not in UTF-8. */
    @Test
    void theEndOfALongOutputIsShown() throws IOException {
        Path programs = folder.resolve("programs");
        script(
                programs.resolve("cc"),
                "case \"$*\" in *path_portable.c*)",
                "  i=0; while [ $i -lt 200 ]; do i=$((i + 1)); echo \"warning $i.\"; done",
                "  printf 'path_portable.c:1: \\344rger\\n'",
                "  exit 1;;",
                "esac",
                "exec " + which("cc") + " \"$@\"");
        assertThat(failure(with(programs, false)))
                .hasMessageStartingWith("compiling the kernels failed: ")
                .hasMessageContainingAll("warning 200.", "path_portable.c:1: \uFFFDrger")
                .hasMessageNotContaining("warning 1.\n")
                .satisfies(e -> assertThat(e.getMessage().lines()).hasSizeLessThan(60));
    }

    /** A PATH on which cmake notes each of its calls. */
    private Map<String, String> noting(Path calls) throws IOException {
        Path programs = folder.resolve("programs");
        script(programs.resolve("cmake"), "echo called >> " + calls, "exec " + which("cmake") + " \"$@\"");
        return with(programs, false);
    }

    /** One configured and one built: two calls, however many wanted the library. */
    private static void assertBuiltOnce(Path calls) throws IOException {
        assertThat(Files.readAllLines(calls)).hasSize(2);
    }

    @Test
    void threadsThatBuildAtOnceBuildOnce() throws Exception {
        Path calls = folder.resolve("calls");
        Map<String, String> environment = noting(calls);
        int threads = 4;
        CyclicBarrier start = new CyclicBarrier(threads);
        List<Future<KernelLibraryFile>> results = new ArrayList<>();
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            for (int i = 0; i < threads; i++) {
                results.add(executor.submit(() -> {
                    start.await();
                    return new KernelBuild(cache, PLAN, environment).build();
                }));
            }
        }
        KernelBuild build = new KernelBuild(cache, PLAN);
        for (Future<KernelLibraryFile> result : results) {
            assertThat(build.find()).contains(result.get());
        }
        assertBuiltOnce(calls);
        assertTidy(cache, build, true);
    }

    @Test
    void processesThatBuildAtOnceBuildOnce() throws Exception {
        Path calls = folder.resolve("calls");
        Map<String, String> environment = noting(calls);
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(child(environment));
        }
        KernelBuild build = new KernelBuild(cache, PLAN);
        for (Process process : processes) {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(said).isZero();
            assertThat(said.strip()).isEqualTo(build.find().orElseThrow().toString());
        }
        assertBuiltOnce(calls);
        assertTidy(cache, build, true);
    }

    private Process child(Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("tern.test.classes") + ":" + System.getProperty("tern.main.classes"),
                BuildsOnce.class.getName(),
                cache.toString());
        builder.environment().putAll(environment);
        builder.environment().keySet().removeIf(name -> name.startsWith("JAVA_TOOL"));
        return builder.redirectErrorStream(true).start();
    }

    /** Main class of the child processes: builds the plan into a cache. */
    static final class BuildsOnce {
        private BuildsOnce() {}

        public static void main(String[] args) {
            System.out.println(new KernelBuild(Path.of(args[0]), PLAN).build());
        }
    }
}
