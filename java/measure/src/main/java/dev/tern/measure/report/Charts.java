package dev.tern.measure.report;

import dev.tern.measure.Spread;
import dev.tern.measure.chart.BarChart;
import dev.tern.measure.chart.BarChart.Bar;
import dev.tern.measure.chart.Mark;
import dev.tern.measure.chart.RangeChart;
import dev.tern.measure.chart.RooflineChart;
import dev.tern.measure.chart.RooflineChart.Cluster;
import dev.tern.measure.chart.ScalingChart;
import dev.tern.measure.chart.ScalingChart.Series;
import dev.tern.measure.chart.ScatterChart;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Quality;
import dev.tern.measure.report.Entry.Test;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** The data of a comparison's charts; a chart of which too little was measured is not there. */
final class Charts {
    private final Results results;

    Charts(Results results) {
        this.results = results;
    }

    /** Decode against the size of the file; at least two points. */
    Optional<ScatterChart> sizeAndSpeed() {
        List<ScatterChart.Point> points = new ArrayList<>();
        for (Entry entry : results.entries()) {
            Optional<Spread> decode = results.speed(entry, Test.DECODE);
            if (entry.fileBytes() > 0 && decode.isPresent()) {
                points.add(new ScatterChart.Point(entry.name(), entry.fileBytes() / 1e6, decode.get().median(),
                        entry.isRival(), entry.name() + ": " + Numbers.bytes(entry.fileBytes()) + ", "
                                + Numbers.three(decode.get().median()) + " tokens/s"));
            }
        }
        return points.size() < 2
                ? Optional.empty()
                : Optional.of(new ScatterChart(points, "← size of the file, MB",
                        "↑ decode, tokens/s on " + results.onThreads(), Numbers::tick));
    }

    /** A bar for each format and other engine of which the test was measured. */
    Optional<BarChart> speeds(Test test) {
        List<Bar> bars = new ArrayList<>();
        List<Entry> own = results.fastestFirst(results.measured(), test);
        for (List<Entry> entries : List.of(own, results.fastestFirst(results.rivals(), test))) {
            for (Entry entry : entries) {
                Spread speed = results.speed(entry, test).orElseThrow();
                Mark mark = entry.isRival() ? Mark.OTHER : entry.equals(own.getFirst()) ? Mark.BEST : Mark.OWN;
                bars.add(bar(entry.name(), mark, speed, OptionalDouble.empty(), Numbers.three(speed.median()), "tokens/s"));
            }
        }
        return chart(bars, "tokens/s on " + results.onThreads());
    }

    /** Seconds to the first token, those of the load in them darker; seconds of the load alone where that is all. */
    Optional<BarChart> start() {
        boolean first = results.measured().stream().anyMatch(e -> firstToken(e).isPresent());
        List<Entry> entries = results.measured().stream()
                .filter(entry -> (first ? firstToken(entry) : load(entry)).isPresent())
                .sorted(Comparator.comparingDouble(entry -> (first ? firstToken(entry) : load(entry)).orElseThrow().median()))
                .toList();
        List<Bar> bars = new ArrayList<>();
        for (Entry entry : entries) {
            Spread all = (first ? firstToken(entry) : load(entry)).orElseThrow();
            OptionalDouble part = first && load(entry).isPresent()
                    ? OptionalDouble.of(Math.min(load(entry).get().median(), all.median()))
                    : OptionalDouble.empty();
            String shown = Numbers.three(all.median())
                    + (part.isPresent() ? " (load " + Numbers.three(load(entry).orElseThrow().median()) + ")" : "");
            Mark mark = entry.equals(entries.getFirst()) && entries.size() > 1 ? Mark.BEST : Mark.OWN;
            bars.add(bar(entry.name(), mark, all, part, shown, "s"));
        }
        return chart(bars, first ? "seconds from start to first token" : "seconds of a load");
    }

    private static Optional<Spread> firstToken(Entry entry) {
        return entry.format().flatMap(FormatResult::firstTokenSeconds);
    }

    private static Optional<Spread> load(Entry entry) {
        return entry.format().flatMap(FormatResult::loadSeconds);
    }

    /** Most memory that was resident. */
    Optional<BarChart> memory() {
        List<FormatResult> formats = results.measured().stream()
                .flatMap(entry -> entry.format().stream())
                .filter(format -> format.peakBytes() > 0)
                .sorted(Comparator.comparingLong(FormatResult::peakBytes))
                .toList();
        List<Bar> bars = new ArrayList<>();
        for (FormatResult format : formats) {
            Mark mark = format.equals(formats.getFirst()) && formats.size() > 1 ? Mark.BEST : Mark.OWN;
            bars.add(bar(format.outtype(), mark, Spread.of(format.peakBytes() / 1e6), OptionalDouble.empty(),
                    Numbers.megabytes(format.peakBytes()), "MB"));
        }
        return chart(bars, "MB resident at most");
    }

    private static Bar bar(String name, Mark mark, Spread spread, OptionalDouble part, String shown, String unit) {
        String range = spread.samples().size() > 1 ? ", " + Numbers.range(spread) : "";
        return new Bar(name, mark, spread.median(), part, spread.least(), spread.most(), shown,
                name + ": " + shown + " " + unit + range);
    }

    private static Optional<BarChart> chart(List<Bar> bars, String unit) {
        return bars.isEmpty() ? Optional.empty() : Optional.of(new BarChart(bars, unit, Numbers::tick));
    }

    /** A line for each entry that was measured with two numbers of threads or more. */
    Optional<ScalingChart> scaling(Test test) {
        List<Series> series = new ArrayList<>();
        int fewest = results.threadCounts().isEmpty() ? 1 : results.threadCounts().getFirst();
        for (Entry entry : results.entries()) {
            Optional<Spread> base = entry.speed(test, fewest);
            if (base.isEmpty() || !(base.get().median() > 0)) {
                continue;
            }
            List<ScalingChart.Point> points = new ArrayList<>();
            StringBuilder tooltip = new StringBuilder(entry.name()).append(':');
            for (int threads : results.threadCounts()) {
                entry.speed(test, threads).ifPresent(speed -> {
                    points.add(new ScalingChart.Point(threads, speed.median() / base.get().median()));
                    tooltip.append(tooltip.toString().endsWith(":") ? " " : ", ").append(threads).append(" threads ")
                            .append(Numbers.three(speed.median())).append(" tokens/s");
                });
            }
            if (points.size() > 1) {
                series.add(new Series(entry.name(), entry.isRival() ? Mark.OTHER : Mark.OWN, points, tooltip.toString()));
            }
        }
        return series.isEmpty()
                ? Optional.empty()
                : Optional.of(new ScalingChart(series, "threads",
                        test.title().toLowerCase() + ", times the speed of "
                                + (fewest == 1 ? "one thread" : fewest + " threads"),
                        factor -> Numbers.fixed(factor, 1) + "×"));
    }

    /** A row for each group of formats that predict the same, where there are several. */
    Optional<RangeChart> quality() {
        QualityWords words = new QualityWords(results);
        if (!words.worthAChart()) {
            return Optional.empty();
        }
        List<RangeChart.Row> rows = new ArrayList<>();
        words.groups().forEach((quality, names) -> rows.add(row(quality, String.join(", ", names))));
        rows.sort(Comparator.comparingDouble(RangeChart.Row::mean));
        return Optional.of(new RangeChart(rows, "nats: mean (dot) and largest (tick)", "0: equal to the bit", Numbers::tick));
    }

    private static RangeChart.Row row(Quality quality, String name) {
        String shown = Numbers.three(quality.meanKl()) + ", at most " + Numbers.three(quality.mostKl());
        double mean = quality.identical() ? 0 : Math.max(0, quality.meanKl());
        double most = quality.identical() ? 0 : Math.max(mean, quality.mostKl());
        return new RangeChart.Row(name, mean, most, shown, name + ": " + shown + " nats, the same token at "
                + Numbers.agreement(quality.greedyAgreement()));
    }

    /** Both roofs, and decode and prefill of every format; only where limits were measured with as many threads. */
    Optional<RooflineChart> roofline() {
        if (results.bandwidth().isEmpty() || results.peak().isEmpty() || results.operationsPerToken() == 0) {
            return Optional.empty();
        }
        List<Cluster> clusters = new ArrayList<>();
        for (Test test : List.of(Test.DECODE, Test.PREFILL)) {
            cluster(test).ifPresent(clusters::add);
        }
        if (clusters.isEmpty()) {
            return Optional.empty();
        }
        double bandwidth = results.bandwidth().getAsDouble();
        double peak = results.peak().getAsDouble();
        return Optional.of(new RooflineChart(bandwidth, peak, "memory reads " + Numbers.three(bandwidth) + " GB/s",
                results.comparison().origin().tier() + " multiplies " + Numbers.three(peak) + " Gop/s", clusters,
                "operations for each byte of weights read", "↑ Gop/s on " + results.onThreads(), Numbers::tick));
    }

    private Optional<Cluster> cluster(Test test) {
        boolean decode = test == Test.DECODE;
        List<RooflineChart.Point> points = new ArrayList<>();
        List<Double> shares = new ArrayList<>();
        Entry best = null;
        for (Entry entry : results.fastestFirst(results.measured(), test)) {
            OptionalDouble share = decode ? results.bandwidthShare(entry) : results.peakShare(entry);
            long bytes = entry.format().map(FormatResult::bytesPerToken).orElse(0L);
            if (share.isEmpty() || bytes == 0) {
                continue;
            }
            best = best == null ? entry : best;
            shares.add(share.getAsDouble());
            int tokens = decode ? 1 : results.comparison().method().prompt();
            points.add(new RooflineChart.Point(tokens * results.operationsPerToken() / bytes,
                    results.speed(entry, test).orElseThrow().median() * results.operationsPerToken() / 1e9,
                    best == entry, entry.name() + ", " + test.title().toLowerCase() + ": "
                            + Numbers.percent(share.getAsDouble()) + (decode ? " of the bandwidth" : " of the peak")));
        }
        if (points.isEmpty()) {
            return Optional.empty();
        }
        String least = Numbers.three(100 * shares.stream().mapToDouble(s -> s).min().orElseThrow());
        String most = Numbers.percent(shares.stream().mapToDouble(s -> s).max().orElseThrow());
        String range = (least + " %").equals(most) ? most : least + "–" + most;
        return Optional.of(new Cluster(
                (decode ? "decode " : "prefill ") + range, points));
    }
}
