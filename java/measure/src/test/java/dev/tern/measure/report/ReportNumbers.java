package dev.tern.measure.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import tools.jackson.databind.JsonNode;

/** Holds the cells of a report's tables against the JSON of the comparison. */
final class ReportNumbers {
    private static final int THREADS = 2; // that the tables are about
    private static final Map<String, ToDoubleFunction<JsonNode>> COLUMNS = Map.ofEntries(
            Map.entry("Size", entry -> entry.path("file_bytes").asDouble() / 1e6),
            Map.entry("Bits", entry -> entry.path("bits_per_weight").asDouble()),
            Map.entry("Convert", entry -> entry.path("convert_seconds").asDouble()),
            Map.entry("Prefill", entry -> speed(entry, "prompt")),
            Map.entry("Decode", entry -> speed(entry, "generated")),
            Map.entry("Load", entry -> median(entry.path("load_seconds"))),
            Map.entry("First token", entry -> median(entry.path("first_token_seconds"))),
            Map.entry("Memory", entry -> entry.path("peak_bytes").asDouble() / 1e6),
            Map.entry("Read per token", entry -> entry.path("bytes_per_token").asDouble() / 1e6),
            Map.entry(
                    "Perplexity",
                    entry -> entry.path("quality").path("perplexity").asDouble()),
            Map.entry("Mean KL", entry -> entry.path("quality").path("mean_kl").asDouble()),
            Map.entry(
                    "Largest KL", entry -> entry.path("quality").path("most_kl").asDouble()),
            Map.entry(
                    "Same token",
                    entry ->
                            100 * entry.path("quality").path("greedy_agreement").asDouble()));

    private ReportNumbers() {}

    /** Whether what is shown is the value, to the digits shown. */
    static void same(String shown, double value) {
        String digits = shown.replace(",", "");
        double half = 0.501 * Math.pow(10, -scale(digits));
        assertThat(Double.parseDouble(digits)).as(shown).isBetween(value - half, value + half);
    }

    private static int scale(String digits) {
        int e = digits.indexOf('e');
        int point = digits.indexOf('.');
        int decimals = point < 0 ? 0 : (e < 0 ? digits.length() : e) - point - 1;
        return decimals - (e < 0 ? 0 : Integer.parseInt(digits.substring(e + 1)));
    }

    /** Checks all cells of columns that are numbers of the JSON, and that those of every column were there. */
    static void check(List<List<String>> rows, JsonNode json) {
        Map<String, JsonNode> entries = new HashMap<>();
        json.path("formats")
                .forEach(format -> entries.put(format.path("outtype").asString(), format));
        json.path("rivals")
                .forEach(rival -> entries.put(
                        rival.path("engine").asString() + " "
                                + rival.path("type").asString(),
                        rival));
        Map<String, Integer> checked = new HashMap<>();
        List<String> columns = List.of();
        for (List<String> row : rows) {
            JsonNode entry = entries.get(row.getFirst().replace("`", "").replace(" failed", ""));
            if (row.contains("Size MB") || row.contains("Size, MB") || row.contains("Load, s")) {
                columns = row.stream()
                        .map(title -> title.replaceFirst("(?<=[a-zL])(,| (?=MB|a weight|s$|tokens|%|nats)).*", ""))
                        .toList();
            }
            if (entry == null || row.size() < 3) {
                continue;
            }
            int shift = columns.size() - row.size(); // the cell above the names spans both rows of headings
            for (int i = 1; i < row.size(); i++) {
                String column = columns.get(i + shift);
                String shown = row.get(i).replace("*", "").replaceFirst("[ (].*", "");
                ToDoubleFunction<JsonNode> value = COLUMNS.get(column);
                if (value == null || shown.equals(Numbers.NONE)) {
                    assertThat(value == null || !(value.applyAsDouble(entry) > 0))
                            .as(column + " of " + row)
                            .isTrue();
                    continue;
                }
                same(shown, value.applyAsDouble(entry));
                checked.merge(column, 1, Integer::sum);
            }
        }
        assertThat(checked.keySet()).isEqualTo(COLUMNS.keySet());
        assertThat(checked.values()).allMatch(count -> count >= 10);
    }

    private static double speed(JsonNode entry, String test) {
        for (JsonNode speed : entry.path("speeds")) {
            if (speed.path("threads").asInt() == THREADS && speed.path(test).asInt() > 0) {
                return median(speed.path("tokens_per_second"));
            }
        }
        return Double.NaN;
    }

    private static double median(JsonNode spread) {
        List<Double> samples = spread.path("samples")
                .valueStream()
                .map(JsonNode::asDouble)
                .sorted()
                .toList();
        return samples.isEmpty() ? Double.NaN : samples.get(samples.size() / 2);
    }

    /** Rows of all tables of a Markdown text, without their rules. */
    static List<List<String>> tables(String markdown) {
        List<List<String>> rows = new ArrayList<>();
        for (String line : markdown.lines().toList()) {
            if (line.startsWith("|") && !line.startsWith("|---")) {
                String[] cells = line.substring(1, line.length() - 1).split("(?<!\\\\)\\|");
                rows.add(List.of(cells).stream().map(String::strip).toList());
            }
        }
        return rows;
    }
}
