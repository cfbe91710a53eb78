package dev.tern.bench.compare;

import dev.tern.bench.compare.BenchmarkRun.Id;
import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Rounds of the same benchmarks put together: one run of JMH for each round becomes a fork of one run. */
final class RoundFiles {
    private RoundFiles() {}

    /**
     * Writes a file in JMH's form in which each round's forks follow those of the one before. The score is the mean of
     * all iterations; its error and percentiles, which JMH took from one round, are left out, as are secondary metrics.
     *
     * @throws InputException where a round lacks a benchmark of the first one, or has it in another unit
     */
    static void merge(List<Path> rounds, Path out) throws IOException {
        ArrayNode first = BenchmarkRun.array(rounds.getFirst());
        SequencedMap<Id, ObjectNode> merged = new LinkedHashMap<>();
        for (JsonNode entry : first) {
            merged.put(BenchmarkRun.id(rounds.getFirst(), entry), (ObjectNode) entry);
        }
        for (Path round : rounds.subList(1, rounds.size())) {
            Map<Id, JsonNode> results = new LinkedHashMap<>();
            BenchmarkRun.array(round).forEach(entry -> results.put(BenchmarkRun.id(round, entry), entry));
            merged.forEach((id, entry) -> append(round, id, results.get(id), entry));
        }
        for (ObjectNode entry : merged.values()) {
            ObjectNode metric = (ObjectNode) entry.get("primaryMetric");
            JsonNode forks = metric.path("rawData");
            entry.put("forks", forks.size());
            metric.put("score", StreamSupport.stream(forks.spliterator(), false)
                    .flatMap(fork -> StreamSupport.stream(fork.spliterator(), false))
                    .mapToDouble(score -> score.asDouble(Double.NaN))
                    .average()
                    .orElse(Double.NaN));
            metric.remove(List.of("scoreError", "scoreConfidence", "scorePercentiles"));
            entry.set("secondaryMetrics", JsonMapper.shared().createObjectNode());
        }
        Files.writeString(out, JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(first) + "\n");
    }

    private static void append(Path round, Id id, @Nullable JsonNode from, ObjectNode to) {
        ObjectNode metric = (ObjectNode) to.get("primaryMetric");
        String unit = metric.path("scoreUnit").asString("");
        String found = from == null ? "none" : from.get("primaryMetric").path("scoreUnit").asString("");
        if (!found.equals(unit)) {
            throw InputException.at(round)
                    .problem("a round is not of the first one's benchmarks")
                    .expected(id + " in " + unit)
                    .found(found)
                    .cure("JMH's output says why it failed.")
                    .exception();
        }
        if (metric.path("rawData") instanceof ArrayNode forks) {
            from.get("primaryMetric").path("rawData").forEach(forks::add);
        }
    }
}
