package dev.tern.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The machine as Linux describes it in {@code /proc} and {@code /sys}; elsewhere what the JDK knows.
 *
 * @param os name and version
 * @param distribution the {@code ID} and {@code ID_LIKE} words of os-release, for the name of the package manager
 * @param arch as Java calls it
 * @param cpu the model's name
 * @param processors logical processors that Java may use
 * @param features those CPU features, of the ones that matter to ternary kernels, that are there
 * @param memoryBytes physical memory
 * @param availableBytes memory that new programs can get
 * @param memoryLimitBytes the control group's limit, where there is one
 * @param hugePages state of transparent huge pages: {@code always}, {@code madvise}, {@code never}
 */
public record Machine(
        String os,
        Set<String> distribution,
        String arch,
        String cpu,
        int processors,
        List<String> features,
        OptionalLong memoryBytes,
        OptionalLong availableBytes,
        OptionalLong memoryLimitBytes,
        String hugePages) {

    /** As {@code /proc/cpuinfo} spells them: x86 first, then Arm. */
    private static final List<String> RELEVANT_FEATURES = List.of(
            "avx2",
            "fma",
            "f16c",
            "avx_vnni",
            "avx512f",
            "avx512bw",
            "avx512vl",
            "avx512_vbmi",
            "avx512_vnni",
            "amx_tile",
            "amx_int8",
            "asimd",
            "asimddp",
            "i8mm",
            "sve");

    public static Machine current() {
        return read(Path.of("/"));
    }

    /** Reads the files under {@code root}, which is {@code /} but in tests. */
    public static Machine read(Path root) {
        List<String> cpuinfo = lines(root.resolve("proc/cpuinfo"));
        List<String> meminfo = lines(root.resolve("proc/meminfo"));
        List<String> release = lines(root.resolve("etc/os-release"));
        Set<String> present = new LinkedHashSet<>();
        value(cpuinfo, ':', key -> key.equals("flags") || key.equals("Features"))
                .ifPresent(text -> present.addAll(Arrays.asList(text.split(" "))));
        String kernel = System.getProperty("os.name") + " " + System.getProperty("os.version");
        Set<String> distribution = new LinkedHashSet<>();
        for (String key : List.of("ID", "ID_LIKE")) {
            value(release, '=', key::equals)
                    .ifPresent(text -> distribution.addAll(Arrays.asList(text.replace("\"", "").split(" "))));
        }
        return new Machine(
                value(release, '=', "PRETTY_NAME"::equals)
                        .map(name -> name.replace("\"", "") + ", " + kernel)
                        .orElse(kernel),
                distribution,
                System.getProperty("os.arch"),
                value(cpuinfo, ':', key -> key.equals("model name") || key.equals("Model"))
                        .orElse("unknown"),
                Runtime.getRuntime().availableProcessors(),
                RELEVANT_FEATURES.stream().filter(present::contains).toList(),
                kibibytes(meminfo, "MemTotal"),
                kibibytes(meminfo, "MemAvailable"),
                bytes(lines(root.resolve("sys/fs/cgroup/memory.max"))),
                chosen(lines(root.resolve("sys/kernel/mm/transparent_hugepage/enabled"))));
    }

    private static Optional<String> value(List<String> lines, char separator, Predicate<String> key) {
        for (String line : lines) {
            int at = line.indexOf(separator);
            if (at > 0 && key.test(line.substring(0, at).strip())) {
                return Optional.of(line.substring(at + 1).strip());
            }
        }
        return Optional.empty();
    }

    private static OptionalLong kibibytes(List<String> meminfo, String key) {
        return value(meminfo, ':', key::equals)
                .map(text -> bytes(List.of(text.replace(" kB", ""))))
                .filter(OptionalLong::isPresent)
                .map(kib -> OptionalLong.of(kib.getAsLong() * 1024))
                .orElse(OptionalLong.empty());
    }

    /** The number on the first line; none for {@code max} or a missing file. */
    private static OptionalLong bytes(List<String> lines) {
        try {
            return lines.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(lines.getFirst().strip()));
        } catch (NumberFormatException unlimited) {
            return OptionalLong.empty();
        }
    }

    /** The bracketed word of a choice such as {@code always [madvise] never}. */
    private static String chosen(List<String> lines) {
        String line = lines.isEmpty() ? "" : lines.getFirst();
        int open = line.indexOf('[');
        int close = line.indexOf(']', open + 1);
        return open >= 0 && close > open ? line.substring(open + 1, close) : "unknown";
    }

    private static List<String> lines(Path file) {
        try {
            return Files.isReadable(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException notThere) {
            return List.of();
        }
    }
}
