package dev.tern.measure.rivals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Engines made of a few lines of shell, and the files that describe them. */
final class FakeEngine {
    private final Path folder;

    FakeEngine(Path folder) {
        this.folder = folder;
    }

    /** A program of these lines. */
    Path program(String name, String... lines) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
        if (!file.toFile().setExecutable(true)) {
            throw new IOException(file + " cannot be made executable");
        }
        return file;
    }

    /** A rivals file with these engines. */
    Path file(String... engines) throws IOException {
        Path file = folder.resolve("rivals.json");
        Files.writeString(file, "{\"engines\": [" + String.join(",\n", engines) + "]}");
        return file;
    }

    /** An engine of one run, whose output is read by this JSON value; further fields follow. */
    static String engine(String name, Path program, String reads, String... fields) {
        String more = fields.length == 0 ? "" : ", " + String.join(", ", fields);
        return """
                {"engine": "%s", "type": "Q2", "runs": [{"command": ["%s", "{threads}", "{prompt}", "{generated}"], \
                "reads": %s}]%s}""".formatted(name, program, reads, more);
    }

    static final String RATES = """
            ["pp (?<prefill>[0-9.]+)", "tg (?<decode>[0-9.]+)"]""";

    /** One engine's bench for 64 and 16 tokens on so many threads. */
    static RivalBench only(Path file, Integer... threads) {
        return benches(file, Map.of(), threads).getFirst();
    }

    static List<RivalBench> benches(Path file, Map<String, Path> files, Integer... threads) {
        Workload workload = new Workload(64, 16, List.of(threads), files);
        return Rivals.read(file).benches(workload, Map.of("PATH", "/usr/bin:/bin", "EMPTY", ""));
    }
}
