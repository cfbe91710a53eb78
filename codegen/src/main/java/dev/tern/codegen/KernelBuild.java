package dev.tern.codegen;

import java.io.File;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Builds the library of a plan with CMake, once: {@code libtern-lut-<plan>.so} in a folder of its own under {@code cache}. The
 * folder's name holds the plan's hash and that of all sources, so that a library of another version of Tern is never taken
 * for one of this. It appears whole, by a rename; a second process that wants the same library waits for the first. Stateless
 * apart from the cache; thread-safe.
 *
 * <p>The cache must be a folder that only its user can write to: what lies there is loaded and run.
 */
public final class KernelBuild {
    private static final String LOCK = ".lock";
    private static final int SHOWN_LINES = 40;

    /** A cache may lie in a home that several kinds of machine share. */
    private static final String PLATFORM = System.getProperty("os.name") + " " + System.getProperty("os.arch");

    /**
     * Variables that would change what is compiled, without a trace in the library's name: with -ffast-math sums would not be
     * those of other machines, with -march=native they would not run there.
     */
    private static final Set<String> FOREIGN_SETTINGS = Set.of(
            "CFLAGS",
            "CPPFLAGS",
            "LDFLAGS",
            "CMAKE_GENERATOR",
            "CMAKE_TOOLCHAIN_FILE",
            "CMAKE_BUILD_TYPE",
            "CMAKE_C_COMPILER_LAUNCHER",
            "CMAKE_C_LINKER_LAUNCHER");

    /** File locks are the process's, so threads of one process need a lock of their own. */
    private static final Object ONE_AT_A_TIME = new Object();

    private final Path cache;
    private final KernelPlan plan;
    private final Map<String, String> environment;
    private final String header;
    private final String sources;

    /** @param cache an existing folder, the user's own */
    public KernelBuild(Path cache, KernelPlan plan) {
        this(cache, plan, System.getenv());
    }

    /** @param environment of the tools, which are looked for on its PATH; CC names another C compiler */
    KernelBuild(Path cache, KernelPlan plan, Map<String, String> environment) {
        this.cache = cache.toAbsolutePath().normalize();
        this.plan = plan;
        this.environment = new HashMap<>(environment);
        this.environment.keySet().removeAll(FOREIGN_SETTINGS);
        this.header = HeaderGenerator.generate(plan);
        this.sources = Hash.sha256(header + CSource.libraryHash() + PLATFORM);
    }

    /** Where the library lies or will lie. */
    public Path folder() {
        return cache.resolve(plan.hash().substring(0, 16) + "-" + sources.substring(0, 16));
    }

    /**
     * The library, when it has been built and is still what was built; empty when there is none.
     *
     * @throws KernelBuildException when there is one that was changed, cut short or is another plan's, saying what differs
     */
    public Optional<KernelLibraryFile> find() {
        Path folder = folder();
        if (!KernelManifest.isIn(folder)) {
            return Optional.empty();
        }
        KernelManifest manifest = KernelManifest.read(folder);
        manifest.require("plan", plan.hash());
        manifest.require("sources", sources);
        Path library = manifest.library();
        Path headerFile = folder.resolve(HeaderGenerator.FILE_NAME);
        KernelManifest.requireHash(headerFile, Hash.sha256(header));
        return Optional.of(new KernelLibraryFile(folder, library, manifest.sha256(), headerFile));
    }

    /**
     * The library, built when there is none or what is there was changed.
     *
     * @throws KernelBuildException when a tool is missing or fails, with the end of its output, or the cache cannot be written
     */
    public KernelLibraryFile build() {
        synchronized (ONE_AT_A_TIME) {
            Path lockFile = cache.resolve(folder().getFileName() + LOCK);
            try (FileChannel channel =
                            FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                if (!lock.isValid()) {
                    throw new KernelBuildException(lockFile + ": the lock was lost");
                }
                Optional<KernelLibraryFile> there = findIntact();
                if (there.isPresent()) {
                    return there.get();
                }
                return buildLocked();
            } catch (ClosedByInterruptException | FileLockInterruptionException e) {
                Thread.currentThread().interrupt();
                throw new KernelBuildException("interrupted while another build of the same kernels was waited for", e);
            } catch (OverlappingFileLockException e) {
                throw new KernelBuildException(cache + ": another build of the same kernels is running in this program", e);
            } catch (IOException e) {
                throw new KernelBuildException(
                        cache + ": kernels cannot be built there: " + reason(e) + "; point TERN_CACHE to another folder", e);
            }
        }
    }

    private Optional<KernelLibraryFile> findIntact() {
        try {
            return find();
        } catch (KernelBuildException e) {
            return Optional.empty(); // built again, and replaced
        }
    }

    private KernelLibraryFile buildLocked() throws IOException {
        String cmake = requireTool("CMake", "cmake").toString();
        if (environment.getOrDefault("CC", "").isBlank()) {
            requireTool("a C compiler", "cc", "gcc", "clang");
        }
        String prefix = ".building-" + folder().getFileName() + "-";
        deleteRemains(prefix);
        Path work = Files.createTempDirectory(cache, prefix);
        AtomicReference<@Nullable Process> running = new AtomicReference<>();
        Thread abandoning = new Thread(() -> abandon(running.get(), work), "abandon " + work.getFileName());
        Runtime.getRuntime().addShutdownHook(abandoning);
        try {
            CSource.write(work.resolve("c"));
            Path result = Files.createDirectory(work.resolve("result"));
            Path headerFile = result.resolve(HeaderGenerator.FILE_NAME);
            Files.writeString(headerFile, header);
            Path log = work.resolve("build.log");
            run(running, log, "configuring", List.of(
                    cmake,
                    "-S",
                    work.resolve("c/src/lut").toString(),
                    "-B",
                    work.resolve("build").toString(),
                    "-DCMAKE_BUILD_TYPE=Release",
                    "-DTERN_LUT_HEADER=" + headerFile));
            run(running, log, "compiling", List.of(cmake, "--build", work.resolve("build").toString(), "--parallel"));
            Path built = builtLibrary(work.resolve("build"));
            Path library = result.resolve(built.getFileName());
            Files.move(built, library);
            KernelManifest.write(result, plan.hash(), sources, library);
            Path folder = folder();
            if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) { // a damaged one goes with the rest of the work
                Files.move(folder, work.resolve("replaced"), StandardCopyOption.ATOMIC_MOVE);
            }
            Files.move(result, folder, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            deleteQuietly(work);
            try {
                Runtime.getRuntime().removeShutdownHook(abandoning);
            } catch (IllegalStateException e) {
                // The JVM is ending and runs it.
            }
        }
        return find().orElseThrow(() -> KernelManifest.damaged(folder() + " has vanished"));
    }

    /** What a killed process left of a build of the same library; nobody else builds it, under its lock. */
    private void deleteRemains(String prefix) throws IOException {
        try (DirectoryStream<Path> remains = Files.newDirectoryStream(cache, prefix + "*")) {
            remains.forEach(KernelBuild::deleteQuietly);
        }
    }

    /** The program ends in the middle of a build: so do the tools, and what they made goes. */
    private static void abandon(@Nullable Process process, Path work) {
        if (process != null) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
        }
        deleteQuietly(work);
    }

    private static Path builtLibrary(Path build) throws IOException {
        try (Stream<Path> files = Files.list(build)) {
            return files.filter(file -> file.getFileName().toString().matches("libtern-lut-[0-9a-f]+\\.(so|dylib)"))
                    .findFirst()
                    .orElseThrow(() -> new KernelBuildException(build + ": CMake built no libtern-lut library"));
        }
    }

    /** The first of these programs on the PATH. */
    private Path requireTool(String what, String... names) {
        for (String folder : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
            for (String name : names) {
                Path tool = Path.of(folder, name);
                if (!folder.isEmpty() && Files.isRegularFile(tool) && Files.isExecutable(tool)) {
                    return tool.toAbsolutePath();
                }
            }
        }
        throw new KernelBuildException("kernels are built with CMake and a C compiler, and there is no "
                + String.join(", ", names) + " on the PATH; install " + what
                + " (Debian, Ubuntu: apt install cmake gcc make; Fedora: dnf install cmake gcc make; macOS: xcode-select"
                + " --install and brew install cmake)");
    }

    private void run(AtomicReference<@Nullable Process> running, Path log, String step, List<String> command)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new KernelBuildException(step + " the kernels failed: " + reason(e) + "; install CMake anew", e);
        }
        running.set(process);
        int status;
        try {
            status = process.waitFor();
        } catch (InterruptedException e) {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            Thread.currentThread().interrupt();
            throw new KernelBuildException("interrupted while the kernels were built", e);
        }
        if (status != 0) {
            // Decoded by a constructor, since a compiler may speak another encoding, and what it says must be shown.
            List<String> lines = new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
            int shown = Math.min(SHOWN_LINES, lines.size());
            throw new KernelBuildException(step + " the kernels failed: " + String.join(" ", command) + " ended with status "
                    + status + ":\n" + String.join("\n", lines.subList(lines.size() - shown, lines.size())));
        }
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    /** What cannot be deleted does no harm, and must not hide why a build failed. */
    private static void deleteQuietly(Path root) {
        try {
            deleteTree(root);
        } catch (IOException e) {
            // It stays in the cache, where nothing looks at it.
        }
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException e) throws IOException {
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
