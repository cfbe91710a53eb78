package dev.tern.bench.compare;

import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;

/**
 * What JMH wrote with {@code -rf json}: of each benchmark with its parameters the scores of all iterations, by forks.
 *
 * @param name of the file
 * @param results in the file's order
 */
public record BenchmarkRun(String name, SequencedMap<Id, Scores> results) {

    /**
     * What is the same measurement in another run.
     *
     * @param benchmark class and method
     * @param mode JMH's short name: {@code thrpt}, {@code avgt}, {@code ss}
     * @param threads of JMH
     * @param parameters names and values, by name
     */
    public record Id(String benchmark, String mode, int threads, SequencedMap<String, String> parameters) {

        /** Whether a larger score is the better one. */
        public boolean higherIsBetter() {
            return mode.equals("thrpt");
        }

        /** Class and method, without packages and the word that all classes end in. */
        public String shortName() {
            int method = benchmark.lastIndexOf('.');
            int type = benchmark.lastIndexOf('.', method - 1);
            return benchmark.substring(type + 1).replaceFirst("Benchmark\\.", ".");
        }
    }

    /**
     * @param unit of the scores
     * @param forks the iterations of each fork, none empty
     */
    public record Scores(String unit, List<double[]> forks) {

        /** Of all iterations, which JMH calls the score. */
        public double mean() {
            return RatioInterval.mean(iterations());
        }

        double[] iterations() {
            return forks.stream().flatMapToDouble(Arrays::stream).toArray();
        }

        double[] forkMeans() {
            return forks.stream().mapToDouble(RatioInterval::mean).toArray();
        }
    }

    /**
     * Reads such a file.
     *
     * @throws InputException where it is none of JMH's or has a benchmark twice
     */
    public static BenchmarkRun read(Path file) {
        ArrayNode json = array(file);
        SequencedMap<Id, Scores> results = new LinkedHashMap<>();
        for (JsonNode entry : json) {
            Id id = id(file, entry);
            JsonNode metric = entry.get("primaryMetric");
            Scores scores = new Scores(metric.path("scoreUnit").asString(""), forks(file, id, metric));
            if (results.put(id, scores) != null) {
                throw InputException.at(file)
                        .problem("results of a benchmark stand twice in it")
                        .found(id)
                        .exception();
            }
        }
        return new BenchmarkRun(String.valueOf(file.getFileName()), results);
    }

    /** The array that is the file. */
    static ArrayNode array(Path file) {
        JsonNode json;
        try {
            json = JsonMapper.shared().readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        } catch (JacksonException e) {
            throw InputException.at(file).problem("not valid JSON: " + e.getOriginalMessage()).exception(e);
        }
        if (json instanceof ArrayNode array) {
            return array;
        }
        throw notOfJmh(file, "an array of results", json);
    }

    /** Whose result an entry of the array is. */
    static Id id(Path file, JsonNode entry) {
        if (!entry.path("benchmark").isString()
                || !entry.path("mode").isString()
                || !entry.path("primaryMetric").isObject()) {
            throw notOfJmh(file, "results with benchmark, mode and primaryMetric", entry);
        }
        SequencedMap<String, String> parameters = new TreeMap<>();
        entry.path("params").properties().forEach(p -> parameters.put(p.getKey(), p.getValue().asString("")));
        return new Id(
                entry.get("benchmark").asString(),
                entry.get("mode").asString(),
                entry.path("threads").asInt(1),
                parameters);
    }

    private static List<double[]> forks(Path file, Id id, JsonNode metric) {
        List<double[]> forks = new ArrayList<>();
        for (JsonNode fork : metric.path("rawData")) {
            double[] scores = new double[fork.size()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = fork.get(i).asDouble(Double.NaN);
            }
            if (scores.length > 0) {
                forks.add(scores);
            }
        }
        if (forks.isEmpty()) {
            throw InputException.at(file)
                    .problem("no scores of single iterations")
                    .expected("rawData, which JMH writes in every mode but sample")
                    .found(id.benchmark() + " in mode " + id.mode())
                    .cure("Measure it with -bm avgt or -bm thrpt.")
                    .exception();
        }
        return List.copyOf(forks);
    }

    private static InputException notOfJmh(Path file, String expected, JsonNode found) {
        return InputException.at(file)
                .problem("not a file of JMH's results")
                .expected(expected)
                .found(JsonFile.shown(found))
                .cure("bench/run writes them to bench/results; JMH does with -rf json.")
                .exception();
    }
}
