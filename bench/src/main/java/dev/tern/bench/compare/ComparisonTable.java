package dev.tern.bench.compare;

import dev.tern.bench.compare.BenchmarkRun.Id;
import dev.tern.bench.compare.RunComparison.Row;
import dev.tern.bench.compare.RunComparison.Samples;
import dev.tern.bench.compare.RunComparison.Verdict;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A comparison as text: a table that is Markdown too, what only one run has, and how to read it. */
final class ComparisonTable {
    private static final int SPEED = 5; // column of the ratio

    private ComparisonTable() {}

    static String of(RunComparison comparison, BenchmarkRun a, BenchmarkRun b, double confidence) {
        StringBuilder out = new StringBuilder();
        out.append("A: ").append(a.name()).append("\nB: ").append(b.name()).append('\n');
        Set<Map.Entry<String, String>> common = common(comparison);
        if (!common.isEmpty()) {
            out.append("all: ").append(parameters(common)).append('\n');
        }
        out.append('\n');
        if (comparison.rows().isEmpty()) {
            out.append("The runs have no benchmark in common.\n");
        } else {
            table(comparison.rows(), common, confidence, out);
        }
        only("A", comparison.onlyA(), out);
        only("B", comparison.onlyB(), out);
        if (!comparison.rows().isEmpty()) {
            notes(comparison.rows(), confidence, out);
        }
        return out.toString();
    }

    private static void table(
            List<Row> rows, Set<Map.Entry<String, String>> common, double confidence, StringBuilder out) {
        String interval = BigDecimal.valueOf(100).multiply(BigDecimal.valueOf(confidence)).stripTrailingZeros()
                .toPlainString() + " % interval";
        List<String[]> lines = new ArrayList<>();
        lines.add(new String[] {"benchmark", "parameters", "A", "B", "unit", "speed of B / A", interval, ""});
        for (Row row : rows) {
            lines.add(new String[] {
                row.id().shortName(),
                parameters(row.id(), common),
                number(row.a()),
                number(row.b()),
                row.unit(),
                number(row.speed()),
                row.interval() == null
                        ? "none"
                        : number(row.interval().low()) + " – " + number(row.interval().high()),
                word(row.verdict())
            });
        }
        int[] widths = new int[lines.getFirst().length];
        for (String[] line : lines) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line[i].length());
            }
        }
        for (int n = 0; n < lines.size(); n++) {
            for (int i = 0; i < widths.length; i++) {
                String cell = lines.get(n)[i];
                String padding = " ".repeat(widths[i] - cell.length());
                out.append("| ").append(isNumber(i) ? padding + cell : cell + padding).append(' ');
            }
            out.append("|\n");
            if (n == 0) {
                for (int i = 0; i < widths.length; i++) {
                    out.append('|').append(isNumber(i) ? "-".repeat(widths[i] + 1) + ":" : "-".repeat(widths[i] + 2));
                }
                out.append("|\n");
            }
        }
    }

    private static boolean isNumber(int column) {
        return column == 2 || column == 3 || column == SPEED || column == SPEED + 1;
    }

    private static String word(Verdict verdict) {
        return switch (verdict) {
            case FASTER -> "faster";
            case SLOWER -> "SLOWER";
            case UNDECIDED -> "";
            case UNKNOWN -> "?";
        };
    }

    private static void only(String run, List<Id> ids, StringBuilder out) {
        if (!ids.isEmpty()) {
            out.append("\nonly in ").append(run).append(":\n");
            for (Id id : ids) {
                out.append("  ").append(id.shortName());
                String parameters = parameters(id, Set.of());
                out.append(parameters.isEmpty() ? "" : " " + parameters).append('\n');
            }
        }
    }

    private static void notes(List<Row> rows, double confidence, StringBuilder out) {
        Set<Samples> samples = rows.stream().map(Row::samples).collect(Collectors.toSet());
        out.append("""

                        A ratio above 1: B is faster, whether scores are times or rates. A word at the end: the interval
                        does not have 1 in it. Intervals are Fieller's, for a ratio of means, over
                        """)
                .append(samples.stream().sorted().map(ComparisonTable::words).collect(Collectors.joining(";\nor ")))
                .append(".\n");
        double byChance = rows.size() * (1 - confidence);
        if (byChance >= 0.5) {
            out.append(String.format(
                    Locale.ROOT,
                    "Of %d rows some %.0f would be marked by chance alone: measure again what is close to 1.%n",
                    rows.size(),
                    Math.ceil(byChance)));
        }
        if (rows.stream().anyMatch(row -> row.interval() == null)) {
            out.append("none: needs two iterations or forks on each side, and less noise than would hide the mean.\n");
        }
    }

    private static String words(Samples samples) {
        return switch (samples) {
            case ITERATIONS ->
                "the iterations of one fork, so that what\ndiffers from fork to fork is not in them (-f 3 and more)";
            case FORKS -> "means of forks";
            case PAIRS -> "pairs of forks that ran next to each other";
        };
    }

    /** Parameters that all results of both runs have, with one value. */
    private static Set<Map.Entry<String, String>> common(RunComparison comparison) {
        List<Set<Map.Entry<String, String>>> all = Stream.of(
                        comparison.rows().stream().map(Row::id),
                        comparison.onlyA().stream(),
                        comparison.onlyB().stream())
                .flatMap(ids -> ids)
                .map(ComparisonTable::entries)
                .toList();
        if (all.size() < 2) {
            return Set.of();
        }
        Set<Map.Entry<String, String>> common = new LinkedHashSet<>(all.getFirst());
        all.forEach(common::retainAll);
        return common;
    }

    private static Set<Map.Entry<String, String>> entries(Id id) {
        Set<Map.Entry<String, String>> entries = new LinkedHashSet<>(id.parameters().entrySet());
        if (id.threads() > 1) {
            entries.add(Map.entry("threads of JMH", Integer.toString(id.threads())));
        }
        return entries;
    }

    private static String parameters(Id id, Set<Map.Entry<String, String>> without) {
        Set<Map.Entry<String, String>> rest = entries(id);
        rest.removeAll(without);
        return parameters(rest);
    }

    private static String parameters(Set<Map.Entry<String, String>> entries) {
        return entries.stream()
                .map(entry -> entry.getKey() + "=" + (entry.getValue().isEmpty() ? "''" : entry.getValue()))
                .collect(Collectors.joining(" "));
    }

    /** Four digits. */
    private static String number(double value) {
        double size = Math.abs(value);
        if (!(size >= 1e-3 && size < 1e7)) {
            return value == 0 ? "0" : String.format(Locale.ROOT, "%.3e", value);
        }
        int decimals = Math.clamp(3 - (int) Math.floor(Math.log10(size)), 0, 6);
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }
}
