package dev.tern.measure.formats;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Runs {@code tern bench} in a process of its own: nobody inherits another's heap, compiled code or memory, and load,
 * first token and peak are those of a process that has done nothing else.
 */
final class BenchProcess {
    private static final long ASK_MILLIS = 50;
    private static final long PATIENCE_SECONDS = 5;
    private static final int LINES_OF_COMPLAINT = 3;

    private final Surroundings surroundings;
    private final Path folder;

    /** @param folder for what it prints, meanwhile */
    BenchProcess(Surroundings surroundings, Path folder) {
        this.surroundings = surroundings;
        this.folder = folder;
    }

    /**
     * Runs each test once, after a run that warms up.
     *
     * @param threads numbers of threads; the first is that with which load and first token are measured
     * @throws InputException when the process fails or prints no results; with what it said
     */
    BenchOutput run(Path model, int prompt, int generated, List<Integer> threads) {
        List<String> arguments = new ArrayList<>(List.of(
                "bench",
                "-m",
                model.toString(),
                "-p",
                Integer.toString(prompt),
                "-n",
                Integer.toString(generated),
                "-t",
                threads.stream().map(String::valueOf).collect(Collectors.joining(",")),
                "-r",
                "1",
                "-o",
                "json"));
        if (surroundings.requireNative()) {
            arguments.add("--require-native");
        }
        Path out = folder.resolve("bench.out");
        Path err = folder.resolve("bench.err");
        try {
            int status = await(new ProcessBuilder(surroundings.tern(arguments))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start());
            surroundings.check(); // Ctrl-C ends the process, too
            if (status != 0) {
                throw InputException.at(model)
                        .problem("tern bench ended with status " + status + complaint(Files.readString(err)))
                        .exception();
            }
            return BenchOutput.parse(Files.readString(out, StandardCharsets.UTF_8), "tern bench -m " + model);
        } catch (IOException e) {
            throw InputException.at(model).problem("tern bench could not be run", e).exception(e);
        } finally {
            remove(out);
            remove(err);
        }
    }

    /** The last lines of what it said. */
    private static String complaint(String text) {
        List<String> lines = text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
        return lines.isEmpty()
                ? ""
                : ": " + String.join(" ", lines.subList(Math.max(0, lines.size() - LINES_OF_COMPLAINT), lines.size()));
    }

    private int await(Process process) throws IOException {
        try {
            process.getOutputStream().close();
            while (!process.waitFor(ASK_MILLIS, TimeUnit.MILLISECONDS)) {
                surroundings.check();
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw InputException.at("tern bench").problem("interrupted").exception(e);
        } finally {
            end(process);
        }
    }

    /** Where it still runs, nobody wants its results; its file must be free to go. */
    private static void end(Process process) {
        if (!process.isAlive()) {
            return;
        }
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // The folder goes, too; a kept one has a small file too many.
        }
    }
}
