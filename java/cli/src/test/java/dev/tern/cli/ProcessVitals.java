package dev.tern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a process holds of the system, as Linux tells it.
 *
 * @param threads of the system, which virtual threads are not
 * @param descriptors files and sockets that are open
 * @param residentBytes memory in use
 */
record ProcessVitals(int threads, int descriptors, long residentBytes) {
    /** Empty where there is no {@code /proc}. */
    static Optional<ProcessVitals> of(long pid) throws IOException {
        Path process = Path.of("/proc/" + pid);
        if (!Files.isReadable(process.resolve("status"))) {
            return Optional.empty();
        }
        String status = Files.readString(process.resolve("status"));
        try (Stream<Path> open = Files.list(process.resolve("fd"))) {
            return Optional.of(new ProcessVitals(
                    (int) number(status, "Threads:\\s+(\\d+)"),
                    (int) open.count(),
                    1024 * number(status, "VmRSS:\\s+(\\d+) kB")));
        }
    }

    private static long number(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (!matcher.find()) {
            throw new AssertionError("no " + pattern + " in " + text);
        }
        return Long.parseLong(matcher.group(1));
    }
}
