package dev.tern.cli;

import dev.tern.measure.Machine;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.RivalResult;
import dev.tern.measure.rivals.RivalBench;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The results of {@code tern rivals}. */
final class RivalsReport {
    private final Machine machine;
    private final Build build;
    private final int rounds;
    private final List<RivalResult> results;
    private final List<String> notes;

    private final Optional<MachineLimits> before;
    private final Optional<MachineLimits> after;

    /**
     * @param before limits of the machine before the first round, where they were measured
     * @param after the last
     */
    RivalsReport(
            Machine machine,
            Build build,
            int rounds,
            List<RivalBench> benches,
            Optional<MachineLimits> before,
            Optional<MachineLimits> after) {
        this.machine = machine;
        this.build = build;
        this.rounds = rounds;
        this.before = before;
        this.after = after;
        this.results = benches.stream().map(RivalBench::result).toList();
        this.notes = benches.stream().flatMap(bench -> bench.notes().stream()).toList();
    }

    /** A row for each engine and number of threads: medians, and from the least to the most where there are several. */
    String markdown() {
        Set<String> tests = new LinkedHashSet<>();
        results.forEach(result -> result.speeds().forEach(speed -> tests.add(speed.test())));
        List<List<String>> rows = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of("engine", "version", "type", "MB", "threads"));
        head.addAll(tests);
        rows.add(head);
        for (RivalResult result : results) {
            for (int threads : result.speeds().stream().map(Speed::threads).distinct().toList()) {
                List<String> row = new ArrayList<>(List.of(
                        result.engine(),
                        result.version(),
                        result.type(),
                        result.fileBytes() == 0 ? "" : Long.toString(Math.round(result.fileBytes() / 1e6)),
                        Integer.toString(threads)));
                for (String test : tests) {
                    row.add(result.speeds().stream()
                            .filter(speed -> speed.threads() == threads && speed.test().equals(test))
                            .map(speed -> cell(speed.tokensPerSecond()))
                            .findFirst()
                            .orElse(""));
                }
                rows.add(row);
            }
        }
        StringBuilder text = new StringBuilder();
        if (!tests.isEmpty()) {
            table(rows, text);
            text.append("\ntokens/s, median (least to most) of ").append(rounds);
            text.append(rounds == 1 ? " round" : " rounds").append(" in turns; tern ").append(build.version());
            text.append(build.commit().isEmpty() ? "" : " (" + build.commit() + ")");
            text.append("; ").append(machine.cpu()).append(", ").append(machine.processors()).append(" processors\n");
        }
        limits().forEach(line -> text.append("- ").append(line).append('\n'));
        notes.forEach(note -> text.append("- ").append(note).append('\n'));
        for (RivalResult result : results) {
            result.skipped().ifPresent(reason -> text.append("- ").append(result.engine()).append(": not measured: ")
                    .append(reason).append('\n'));
        }
        return text.toString();
    }

    /** What was read and multiplied at most, before and after: how far the machine itself changed meanwhile. */
    private List<String> limits() {
        List<String> lines = new ArrayList<>();
        if (before.isEmpty() || after.isEmpty()) {
            return lines;
        }
        for (MachineLimits.Read read : before.get().reads()) {
            after.get().reads().stream()
                    .filter(later -> later.threads() == read.threads() && later.largePages() == read.largePages())
                    .forEach(later -> lines.add(String.format(
                            Locale.ROOT,
                            "memory, %s, pages of %s: %.1f GB/s before, %.1f after",
                            threads(read.threads()),
                            read.largePages() ? "2 MiB" : "4 KiB",
                            read.gigabytesPerSecond(),
                            later.gigabytesPerSecond())));
        }
        for (MachineLimits.Peak peak : before.get().peaks()) {
            after.get().peaks().stream()
                    .filter(later -> later.threads() == peak.threads() && later.tier().equals(peak.tier()))
                    .forEach(later -> lines.add(String.format(
                            Locale.ROOT,
                            "8-bit products, %s, %s: %.0f Gop/s before, %.0f after",
                            peak.tier(),
                            threads(peak.threads()),
                            peak.gigaOperationsPerSecond(),
                            later.gigaOperationsPerSecond())));
        }
        return lines;
    }

    private static String threads(int count) {
        return count == 1 ? "1 thread" : count + " threads";
    }

    private static void table(List<List<String>> rows, StringBuilder text) {
        int columns = rows.getFirst().size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(Math.max(3, widths[i]), escaped(row.get(i)).length());
            }
        }
        for (int r = 0; r < rows.size(); r++) {
            for (int i = 0; i < columns; i++) {
                String cell = escaped(rows.get(r).get(i));
                String blanks = " ".repeat(widths[i] - cell.length());
                text.append("| ").append(i < 3 ? cell + blanks : blanks + cell).append(' ');
            }
            text.append("|\n");
            if (r == 0) {
                for (int i = 0; i < columns; i++) {
                    String line = i < 3 ? "-".repeat(widths[i]) : "-".repeat(widths[i] - 1) + ":";
                    text.append("| ").append(line).append(' ');
                }
                text.append("|\n");
            }
        }
    }

    private static String escaped(String cell) {
        return cell.replace("|", "\\|");
    }

    private static String cell(Spread rate) {
        String median = number(rate.median());
        return rate.samples().size() == 1
                ? median
                : median + " (" + number(rate.least()) + "\u2013" + number(rate.most()) + ")";
    }

    private static String number(double rate) {
        return String.format(Locale.ROOT, rate < 100 ? "%.2f" : "%.1f", rate);
    }

    String json() {
        ObjectNode root = Json.object();
        root.put("version", build.version()).put("commit", build.commit()).put("cpu", machine.cpu());
        root.put("processors", machine.processors()).put("rounds", rounds);
        before.ifPresent(limits -> root.set("limits_before", json(limits)));
        after.ifPresent(limits -> root.set("limits_after", json(limits)));
        ArrayNode engines = root.putArray("engines");
        for (RivalResult result : results) {
            ObjectNode engine = engines.addObject();
            engine.put("engine", result.engine()).put("version", result.version()).put("type", result.type());
            engine.put("file_bytes", result.fileBytes());
            result.skipped().ifPresent(reason -> engine.put("skipped", reason));
            ArrayNode speeds = engine.putArray("speeds");
            for (Speed speed : result.speeds()) {
                ObjectNode object = speeds.addObject();
                object.put("test", speed.test()).put("n_threads", speed.threads());
                object.put("n_prompt", speed.prompt()).put("n_gen", speed.generated());
                object.put("median_ts", speed.tokensPerSecond().median());
                ArrayNode samples = object.putArray("samples_ts");
                speed.tokensPerSecond().samples().forEach(samples::add);
            }
        }
        ArrayNode said = root.putArray("notes");
        notes.forEach(said::add);
        return Json.document(root);
    }

    private static ObjectNode json(MachineLimits limits) {
        ObjectNode object = Json.object();
        ArrayNode reads = object.putArray("reads");
        for (MachineLimits.Read read : limits.reads()) {
            reads.addObject()
                    .put("n_threads", read.threads())
                    .put("large_pages", read.largePages())
                    .put("gigabytes_per_second", read.gigabytesPerSecond());
        }
        ArrayNode peaks = object.putArray("peaks");
        for (MachineLimits.Peak peak : limits.peaks()) {
            peaks.addObject()
                    .put("tier", peak.tier())
                    .put("n_threads", peak.threads())
                    .put("gigaoperations_per_second", peak.gigaOperationsPerSecond());
        }
        return object;
    }
}
