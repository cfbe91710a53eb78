package dev.tern.kernels;

import dev.tern.kernels.TierProof.Outcome;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The process that {@link TierProbe} runs in, and what its end means. */
final class TierProcess {
    /** Far more than a busy machine needs. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Signals by number, as Linux and macOS both count them, those that an instruction or its data can raise. */
    private static final Map<Integer, String> SIGNALS = Map.of(
            4, "SIGILL", 5, "SIGTRAP", 6, "SIGABRT", 8, "SIGFPE", 9, "SIGKILL", 11, "SIGSEGV");

    /** How the JVM begins its report of a signal in native code; it ends by SIGABRT then, whatever the signal was. */
    private static final Pattern REPORT = Pattern.compile("^#\\s+(SIG[A-Z]+) \\(0x", Pattern.MULTILINE);

    private TierProcess() {}

    /** Runs the probe of a tier with the Java, and the Tern, of this process. */
    static List<String> command(Tier tier) {
        String module = "dev.tern.kernels";
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:+ErrorFileToStdout"));
        Module own = TierProbe.class.getModule();
        if (own.isNamed()) {
            command.add("--enable-native-access=" + module);
            ModuleLayer layer = own.getLayer();
            Optional<Path> location = layer.configuration()
                    .findModule(module)
                    .map(resolved -> resolved.reference())
                    .flatMap(ModuleReference::location)
                    .flatMap(TierProcess::file);
            // without one it is in the run-time image
            location.ifPresent(path -> command.addAll(List.of("-p", path.toString())));
            command.addAll(List.of("-m", module + "/" + TierProbe.class.getName()));
        } else {
            CodeSource source = TierProbe.class.getProtectionDomain().getCodeSource();
            String path = Optional.ofNullable(source)
                    .flatMap(TierProcess::file)
                    .map(Path::toString)
                    .orElse(System.getProperty("java.class.path"));
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-cp", path, TierProbe.class.getName()));
        }
        command.add(tier.label());
        return command;
    }

    private static Optional<Path> file(CodeSource source) {
        try {
            return file(source.getLocation().toURI());
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    private static Optional<Path> file(URI location) {
        return "file".equals(location.getScheme()) ? Optional.of(Path.of(location)) : Optional.empty();
    }

    /** Runs a command that does as {@link TierProbe} does, to its end. */
    static TierProof prove(Tier tier, List<String> command) throws InterruptedException {
        return prove(tier, command, Map.of(), PATIENCE);
    }

    static TierProof prove(Tier tier, List<String> command, Map<String, String> environment, Duration patience)
            throws InterruptedException {
        Path output = null;
        try {
            output = Files.createTempFile("tern-tier", ".log"); // a pipe that nobody reads could fill up
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectInput(ProcessBuilder.Redirect.from(nothing()))
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            try {
                if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                    String waited = "no answer within " + patience.toSeconds() + " seconds";
                    return new TierProof(tier, Outcome.UNKNOWN, waited + at(read(output)));
                }
                return verdict(tier, process.exitValue(), read(output));
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            return new TierProof(tier, Outcome.UNKNOWN, "it could not be tried: " + e.getMessage());
        } finally {
            delete(output);
        }
    }

    private static File nothing() {
        return new File(System.getProperty("os.name").startsWith("Windows") ? "NUL" : "/dev/null");
    }

    private static String read(Path output) throws IOException {
        return new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What an exit status and all that was printed mean. */
    static TierProof verdict(Tier tier, int status, String output) {
        List<String> lines = output.lines().toList();
        Matcher report = REPORT.matcher(output);
        if (report.find()) {
            return new TierProof(tier, Outcome.CRASHED, report.group(1) + at(output));
        }
        if (status > 128) { // so Java, as a shell, gives the end by a signal
            String signal = SIGNALS.getOrDefault(status - 128, "signal " + (status - 128));
            return new TierProof(tier, Outcome.CRASHED, signal + at(output));
        }
        for (String line : lines) {
            if (line.startsWith(TierProbe.WRONG)) {
                return new TierProof(tier, Outcome.WRONG, "in kernel " + line.substring(TierProbe.WRONG.length()));
            }
        }
        if (status == 0 && !lines.isEmpty() && lines.getLast().equals(TierProbe.DONE)) {
            return new TierProof(tier, Outcome.RUNS, "");
        }
        String last = lines.isEmpty() ? "" : ", its last words: " + lines.getLast().strip();
        return new TierProof(tier, Outcome.UNKNOWN, "the trial ended with status " + status + last);
    }

    /** Which kernel was begun last. */
    private static String at(String output) {
        return output.lines()
                .filter(line -> line.startsWith(TierProbe.KERNEL))
                .reduce((first, second) -> second)
                .map(line -> " in kernel " + line.substring(TierProbe.KERNEL.length()))
                .orElse("");
    }
}
