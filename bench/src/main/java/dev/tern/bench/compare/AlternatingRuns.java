package dev.tern.bench.compare;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * {@code bench/compare --with}: the benchmarks of two builds in turns, one fork at a time, so that what the machine
 * does meanwhile befalls both. Rounds go A B, B A, A B ...: a machine that slows down steadily favours neither.
 *
 * <p>Arguments: {@code FOLDER ROUNDS NAME_A JAR_A NAME_B JAR_B [arguments of JMH]}. Writes {@code NAME_A.json} and
 * {@code NAME_B.json} to the folder, and prints the comparison, in pairs.
 */
public final class AlternatingRuns {
    private static final int SHOWN_OF_A_FAILURE = 25;

    private record Build(String name, Path jar) {}

    private final Path folder;
    private final List<String> jmh;

    private AlternatingRuns(Path folder, List<String> jmh) {
        this.folder = folder;
        this.jmh = jmh;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try {
            run(
                    Path.of(arguments[0]),
                    Integer.parseInt(arguments[1]),
                    arguments[2],
                    Path.of(arguments[3]),
                    arguments[4],
                    Path.of(arguments[5]),
                    Arrays.asList(arguments).subList(6, arguments.length));
        } catch (InputException e) {
            System.err.println("compare: " + e.getMessage());
            System.exit(1);
        }
    }

    static void run(Path folder, int rounds, String nameA, Path jarA, String nameB, Path jarB, List<String> jmh)
            throws IOException, InterruptedException {
        new AlternatingRuns(folder, jmh).run(rounds, new Build(nameA, jarA), new Build(nameB, jarB));
    }

    private void run(int rounds, Build a, Build b) throws IOException, InterruptedException {
        Path rawFolder = Files.createTempDirectory("tern-bench-compare");
        List<Path> ofA = new ArrayList<>();
        List<Path> ofB = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            boolean first = round % 2 == 0;
            for (Build build : first ? List.of(a, b) : List.of(b, a)) {
                Path out = rawFolder.resolve(build.name() + "." + round + ".json");
                (build == a ? ofA : ofB).add(out);
                long start = System.nanoTime();
                System.err.print("round " + (round + 1) + " of " + rounds + ": " + build.name() + " ...");
                measure(build, out, rawFolder.resolve("output"));
                System.err.printf(Locale.ROOT, " %.0f s%n", (System.nanoTime() - start) / 1e9);
            }
        }
        Files.createDirectories(folder);
        BenchmarkRun runA = merged(ofA, folder.resolve(a.name() + ".json"));
        BenchmarkRun runB = merged(ofB, folder.resolve(b.name() + ".json"));
        for (List<Path> files : List.of(ofA, ofB, List.of(rawFolder.resolve("output"), rawFolder))) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        System.err.println("results: " + folder);
        System.out.print(ComparisonTable.of(RunComparison.of(runA, runB, true, 0.95), runA, runB, 0.95));
    }

    private static BenchmarkRun merged(List<Path> rounds, Path out) throws IOException {
        RoundFiles.merge(rounds, out);
        return BenchmarkRun.read(out);
    }

    private void measure(Build build, Path out, Path log) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dtern.bench.limits=off", // shares of the machine's limits are not compared
                "-jar",
                build.jar().toString()));
        command.addAll(jmh);
        command.addAll(List.of("-f", "1", "-rf", "json", "-rff", out.toString()));
        int status = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
        if (status != 0 || !Files.exists(out) || BenchmarkRun.array(out).isEmpty()) {
            System.err.println(" failed");
            List<String> lines = Files.readAllLines(log);
            lines.subList(Math.max(0, lines.size() - SHOWN_OF_A_FAILURE), lines.size()).forEach(System.err::println);
            throw InputException.at(build.jar())
                    .problem("the benchmarks of " + build.name() + " did not run")
                    .found("exit status " + status + ", output in " + log)
                    .exception();
        }
    }
}
