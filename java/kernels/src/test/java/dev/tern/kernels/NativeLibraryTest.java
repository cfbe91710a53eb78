package dev.tern.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.kernels.LibraryStatus.Origin;
import dev.tern.kernels.ffi.tern_kernels_h;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the library comes from, what is verified, and what is said when it cannot be had. */
class NativeLibraryTest {
    @TempDir
    Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, byte[]> replaced = new HashMap<>();
    private final NativeSetting real = NativeSetting.ofThisProcess();
    private final String resource = "dev/tern/kernels/native/" + real.platform() + "/" + real.libraryName();

    @BeforeEach
    void aCacheOfItsOwn() {
        Assumptions.assumeFalse("off".equals(System.getProperty("tern.native")), "built with -Dtern.native=off");
        environment.put("TERN_CACHE", folder.resolve("cache").toString());
    }

    private NativeSetting setting() {
        return new NativeSetting(Map.copyOf(environment), real.osName(), real.osArch(), folder, name -> {
            byte[] bytes = replaced.get(name);
            if (bytes == null) {
                return real.resources().open(name);
            }
            return bytes.length == 0 ? null : new ByteArrayInputStream(bytes);
        });
    }

    private NativeLibrary library() {
        return new NativeLibrary(setting());
    }

    private KernelChoice best() {
        return KernelChoice.best(setting(), library());
    }

    private String failure() {
        NativeLibrary library = library();
        assertThat(library.tiers()).isEmpty();
        assertThat(library.kernels(Tier.SCALAR)).isEmpty();
        KernelChoice choice = KernelChoice.best(setting(), library);
        assertThat(choice.kernels().tier()).isEqualTo(Tier.JAVA);
        assertThat(choice.notes()).contains(library.failure().orElseThrow());
        assertThat(choice.libraryStatus().failure()).isEqualTo(library.failure());
        assertThatThrownBy(() -> KernelChoice.requireNative(choice))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageContaining(library.failure().get());
        assertThatThrownBy(() -> KernelChoice.of(Tier.SCALAR, library))
                .isInstanceOf(KernelUnavailableException.class)
                .hasMessageContaining(library.failure().get());
        return library.failure().get();
    }

    private Path unpacked() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache/native"))) {
            List<Path> all = files.toList();
            assertThat(all).as("one library and no leftovers").hasSize(1);
            return all.getFirst();
        }
    }

    private byte[] packed() throws IOException {
        try (InputStream in = real.resources().open(resource)) {
            return in.readAllBytes();
        }
    }

    @Test
    void unpacksThePackedLibraryForTheUserAlone() throws IOException {
        NativeLibrary library = library();
        assertThat(library.failure()).isEmpty();
        assertThat(library.origin()).isEqualTo(Origin.PACKAGED);
        assertThat(library.path()).contains(unpacked());
        assertThat(library.abiVersion()).contains(tern_kernels_h.TERN_ABI_VERSION());
        assertThat(unpacked()).hasBinaryContent(packed());
        for (Path closed : List.of(folder.resolve("cache"), folder.resolve("cache/native"))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(closed))).isEqualTo("rwx------");
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(unpacked()))).isEqualTo("rw-------");
    }

    @Test
    void closesAFolderThatOthersCouldWriteTo() throws IOException {
        Path native_ = Files.createDirectories(folder.resolve("cache/native"));
        Files.setPosixFilePermissions(native_, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThat(library().failure()).isEmpty();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(native_))).isEqualTo("rwx------");
    }

    @Test
    void findsTheCacheAsTheUserSetIt() {
        environment.remove("TERN_CACHE");
        assertThat(setting().cache()).isEqualTo(folder.resolve(".cache/tern"));
        environment.put("XDG_CACHE_HOME", folder.resolve("xdg").toString());
        assertThat(setting().cache()).isEqualTo(folder.resolve("xdg/tern"));
        environment.put("TERN_CACHE", folder.resolve("own").toString());
        assertThat(setting().cache()).isEqualTo(folder.resolve("own"));
        environment.put("TERN_CACHE", "");
        assertThat(setting().cache()).isEqualTo(folder.resolve("xdg/tern"));
        environment.put("XDG_CACHE_HOME", "relative");
        assertThat(setting().cache()).isEqualTo(folder.resolve(".cache/tern"));
        environment.put("HOME", folder.resolve("home").toString());
        assertThat(setting().cache()).isEqualTo(folder.resolve("home/.cache/tern"));
    }

    @Test
    void saysThatThereIsNoHome() {
        NativeSetting homeless =
                new NativeSetting(Map.of(), real.osName(), real.osArch(), Path.of("?"), real.resources());
        assertThat(new NativeLibrary(homeless).failure().orElseThrow())
                .startsWith("there is no home folder to unpack the native library in")
                .endsWith("set TERN_CACHE to a folder you can write to");
    }

    @Test
    void replacesAFileThatIsNotTheLibrary() throws IOException {
        Path file = new PackedLibrary(setting()).file(); // not loaded: a loaded library must not be written to
        Files.write(file, new byte[] {1, 2, 3});
        assertThat(library().failure()).isEmpty();
        assertThat(unpacked()).isEqualTo(file).hasBinaryContent(packed());
    }

    @Test
    void replacesALinkByTheLibrary() throws IOException {
        assertThat(library().failure()).isEmpty();
        Path file = unpacked();
        Path elsewhere = folder.resolve("elsewhere.so");
        Files.move(file, elsewhere);
        Files.createSymbolicLink(file, elsewhere);
        assertThat(library().failure()).isEmpty();
        assertThat(file).isRegularFile().satisfies(path -> assertThat(Files.isSymbolicLink(path)).isFalse());
    }

    @Test
    void loadsAgainWithoutWriting() throws IOException {
        assertThat(library().failure()).isEmpty();
        Object before = Files.getAttribute(unpacked(), "unix:ino");
        assertThat(library().failure()).isEmpty();
        assertThat(Files.getAttribute(unpacked(), "unix:ino")).isEqualTo(before);
    }

    @Test
    void refusesADamagedJar() throws IOException {
        byte[] damaged = packed();
        damaged[damaged.length / 2] ^= 1;
        replaced.put(resource, damaged);
        assertThat(failure()).startsWith(resource + ": damaged: SHA-256 is ").endsWith("; reinstall Tern");
        try (Stream<Path> files = Files.list(folder.resolve("cache/native"))) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void refusesAHashThatIsNone() {
        replaced.put(resource + ".sha256", "no hash\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(failure())
                .isEqualTo(resource + ".sha256: expected 64 hex digits, found \"no hash\"; reinstall Tern");
    }

    @Test
    void refusesAHashWithoutALibrary() {
        replaced.put(resource, new byte[0]);
        assertThat(failure()).isEqualTo(resource + ": missing beside its .sha256; reinstall Tern");
    }

    @Test
    void saysThatThereIsNoneForAnotherMachine() {
        NativeLibrary library =
                new NativeLibrary(new NativeSetting(environment, "Linux", "riscv64", folder, real.resources()));
        assertThat(library.failure().orElseThrow())
                .startsWith("this build of Tern has no native kernels for linux-riscv64")
                .contains("TERN_LIBRARY");
    }

    @Test
    void saysThatTheCacheCannotBeWritten() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        environment.put("TERN_CACHE", file.toString());
        assertThat(failure())
                .startsWith(file.resolve("native") + ": native libraries cannot be kept there: ")
                .endsWith("; make it a folder you can write to, or point TERN_CACHE to one");
    }

    @Test
    void refusesAFolderThatIsALink() throws IOException {
        Files.createDirectories(folder.resolve("cache"));
        Files.createDirectories(folder.resolve("other"));
        Files.createSymbolicLink(folder.resolve("cache/native"), folder.resolve("other"));
        assertThat(failure()).contains("cache/native: not a folder;");
    }

    @Test
    void refusesAFolderOfSomebodyElse() throws IOException {
        Path theirs = Files.createDirectories(folder.resolve("cache/native"));
        try {
            Files.setAttribute(theirs, "unix:uid", 54321);
        } catch (IOException e) {
            Assumptions.abort("only root can give files away");
        }
        assertThat(failure()).contains("cache/native: belongs to 54321, expected ");
    }

    @Test
    void refusesANamedLibraryThatIsMissing() {
        environment.put("TERN_LIBRARY", "no/such.so");
        assertThat(failure())
                .startsWith("TERN_LIBRARY=no/such.so: ")
                .endsWith(" does not exist; correct it or unset it");
        assertThat(library().origin()).isEqualTo(Origin.NAMED);
    }

    @Test
    void refusesANamedLibraryThatIsNone() throws IOException {
        Path text = Files.writeString(folder.resolve("text.so"), "This is a text, not a library.\n");
        environment.put("TERN_LIBRARY", text.toString());
        assertThat(failure())
                .isEqualTo("TERN_LIBRARY=" + text + ": " + text + " is no shared library; correct it or unset it");
        environment.put("TERN_LIBRARY", folder.toString());
        assertThat(failure()).endsWith(folder + " is not a file; correct it or unset it");
    }

    /** Handed to the system's loader, such a file would end the process. */
    @Test
    void refusesALibraryThatIsCutShort() throws IOException {
        Assumptions.assumeTrue(real.platform().startsWith("linux"), "writes ELF");
        byte[] whole = packed();
        for (int size : new int[] {64, 1000, whole.length / 2, whole.length - 1}) {
            Path cut = Files.write(folder.resolve("cut.so"), Arrays.copyOf(whole, size));
            environment.put("TERN_LIBRARY", cut.toString());
            assertThat(failure()).contains("is cut short: it has " + size + " bytes, expected ");
        }
    }

    @Test
    void saysWhatTheSystemHasAgainstALibrary() throws Exception {
        Assumptions.assumeTrue(real.platform().startsWith("linux"), "there, undefined symbols link");
        Path needy = CompiledC.library(
                folder,
                "int missing_function(void); int tern_abi_version(void) { return missing_function(); }",
                "-Wl,-z,now");
        environment.put("TERN_LIBRARY", needy.toString());
        assertThat(failure())
                .startsWith(needy + ": the system cannot load it: ")
                .contains("missing_function");
    }

    @Test
    void refusesALibraryOfSomethingElse() throws Exception {
        Path library = CompiledC.library(folder, "int something_else(void) { return 0; }");
        environment.put("TERN_LIBRARY", library.toString());
        assertThat(failure())
                .isEqualTo(library + ": no library of Tern's kernels: it has no function tern_abi_version");
    }

    @Test
    void refusesALibraryOfAnotherVersion() throws Exception {
        Path library = CompiledC.library(folder, "int tern_abi_version(void) { return 999; }");
        environment.put("TERN_LIBRARY", library.toString());
        assertThat(failure()).isEqualTo(library + ": built for version 999 of Tern's kernels, expected "
                + tern_kernels_h.TERN_ABI_VERSION() + "; build the library and Tern from the same sources");
        assertThat(library().abiVersion()).contains(999);
    }

    @Test
    void refusesALibraryOfAnotherHeader() throws Exception {
        Path library = CompiledC.library(folder, """
                int tern_abi_version(void) { return %d; }
                const char *tern_abi_hash(void) { return "0123abcd"; }""".formatted(tern_kernels_h.TERN_ABI_VERSION()));
        environment.put("TERN_LIBRARY", library.toString());
        assertThat(failure())
                .startsWith(library + ": built with another tern_kernels.h: its SHA-256 is 0123abcd, expected ");
        assertThat(library().abiHash()).contains("0123abcd");
    }

    @Test
    void loadsANamedLibrary() throws IOException {
        Path copy = Files.write(folder.resolve("mine.so"), packed());
        environment.put("TERN_LIBRARY", copy.toString());
        NativeLibrary library = library();
        assertThat(library.failure()).isEmpty();
        assertThat(library.path()).contains(copy);
        assertThat(library.origin()).isEqualTo(Origin.NAMED);
        assertThat(folder.resolve("cache")).doesNotExist();
    }

    @Test
    void leavesTheLibraryAloneWhenTurnedOff() {
        environment.put("TERN_NATIVE", "off");
        assertThat(failure()).isEqualTo("TERN_NATIVE=off turns the native kernels off");
        assertThat(folder.resolve("cache")).doesNotExist();
        assertThat(library().origin()).isEqualTo(Origin.OFF);
    }

    @Test
    void refusesAnUnknownMode() {
        environment.put("TERN_NATIVE", "maybe");
        assertThat(failure()).isEqualTo("TERN_NATIVE=maybe: expected on or off; correct it or unset it");
    }

    @Test
    void refusesAnUnknownTier() {
        environment.put("TERN_MAX_TIER", "avx3");
        KernelChoice best = best();
        assertThat(best.kernels().tier()).isEqualTo(Tier.JAVA);
        assertThat(best.notes())
                .contains("TERN_MAX_TIER=avx3 names no tier; expected one of java, scalar, avx2, avxvnni, avx512vnni, "
                        + "amx, neon, neondot");
        assertThatThrownBy(() -> KernelChoice.requireNative(best)).hasMessageContaining("TERN_MAX_TIER=avx3");
    }

    @Test
    void capsTheTier() {
        Tier uncapped = best().kernels().tier();
        assertThat(best().libraryStatus().cappedBy()).isEmpty();
        environment.put("TERN_MAX_TIER", "scalar");
        assertThat(best().kernels().tier()).isEqualTo(Tier.SCALAR);
        assertThat(best().libraryStatus().cappedBy().isPresent()).isEqualTo(uncapped.compareTo(Tier.SCALAR) > 0);
        environment.put("TERN_MAX_TIER", "java");
        KernelChoice java = best();
        assertThat(java.kernels().tier()).isEqualTo(Tier.JAVA);
        assertThat(java.libraryStatus().cappedBy()).contains("TERN_MAX_TIER=java");
        assertThatThrownBy(() -> KernelChoice.requireNative(java)).hasMessageContaining("TERN_MAX_TIER=java");
    }

    /** The rule is written down twice, in Java for all settings and in C for the process: they must agree. */
    @ParameterizedTest
    @ValueSource(strings = {"", "scalar", "avx2"})
    void choosesTheTierThatTheLibraryWouldChoose(String cap) throws Throwable {
        Linker linker = Linker.nativeLinker();
        MethodHandle setenv = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("setenv"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        SymbolLookup library = SymbolLookup.libraryLookup(library().path().orElseThrow(), Arena.global());
        MethodHandle bestTier = linker.downcallHandle(
                library.findOrThrow("tern_best_tier"), FunctionDescriptor.of(ValueLayout.JAVA_INT));
        String inherited = System.getenv().getOrDefault("TERN_MAX_TIER", "");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom("TERN_MAX_TIER");
            assertThat((int) setenv.invoke(name, arena.allocateFrom(cap), 1)).isZero();
            environment.put("TERN_MAX_TIER", cap);
            assertThat(best().kernels().tier().code()).isEqualTo((int) bestTier.invoke());
            assertThat((int) setenv.invoke(name, arena.allocateFrom(inherited), 1)).isZero();
        }
    }

    @Test
    void manyThreadsUnpackAtOnce() throws Exception {
        int threads = 8;
        CyclicBarrier start = new CyclicBarrier(threads);
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<Optional<String>>> failures = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                failures.add(executor.submit(() -> {
                    start.await();
                    return library().failure();
                }));
            }
            for (Future<Optional<String>> failure : failures) {
                assertThat(failure.get()).isEmpty();
            }
        }
        assertThat(unpacked()).hasBinaryContent(packed());
    }

    @Test
    void twoProcessesUnpackAtOnce() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(child());
        }
        for (Process process : processes) {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(said).isZero();
            assertThat(said.strip()).isEqualTo(unpacked().toString());
        }
        assertThat(unpacked()).hasBinaryContent(packed());
    }

    /** A JVM that prints the library it chose, with the environment of this test. */
    private Process child() throws IOException {
        String classPath = locationOf(KernelChoice.class) + ":" + locationOf(NativeLibraryTest.class);
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                ChosenLibrary.class.getName());
        builder.environment().keySet().removeIf(name -> name.startsWith("TERN_") || name.startsWith("JAVA_TOOL"));
        builder.environment().putAll(environment);
        return builder.redirectErrorStream(true).start();
    }

    private static Path locationOf(Class<?> type) {
        String name = type.getName().replace('.', '/') + ".class";
        for (String property : List.of("tern.test.classes", "tern.main.classes")) {
            Path root = Path.of(System.getProperty(property));
            if (Files.exists(root.resolve(name))) {
                return root;
            }
        }
        throw new IllegalStateException(name + " is in neither folder of classes");
    }

    /** Main class of the child processes. */
    static final class ChosenLibrary {
        private ChosenLibrary() {}

        public static void main(String[] args) {
            KernelChoice.requireNative().kernels().findInvalidCode(Arena.global().allocate(8));
            System.out.println(KernelChoice.status().path().orElseThrow());
        }
    }
}
