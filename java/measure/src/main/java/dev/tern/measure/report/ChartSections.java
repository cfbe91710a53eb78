package dev.tern.measure.report;

import dev.tern.measure.chart.Frame;
import dev.tern.measure.chart.Markup;
import dev.tern.measure.chart.ScatterChart;
import dev.tern.measure.report.Entry.Test;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The sections of the page that show charts, each with its finding in words. */
final class ChartSections {
    private static final double FULL = 720; // pixels of a chart that has a row of its own
    private static final double HALF = 530; // of one of two in a row
    private static final double PHONE = 328; // of every chart on a narrow screen

    private final Results results;
    private final Charts charts;
    private final Markup page;

    ChartSections(Results results, Markup page) {
        this.results = results;
        this.charts = new Charts(results);
        this.page = page;
    }

    void write() {
        speed();
        scaling();
        roofline();
        start();
        quality();
    }

    private void speed() {
        Optional<ScatterChart> scatter = charts.sizeAndSpeed();
        boolean any = scatter.isPresent() || charts.speeds(Test.DECODE).isPresent() || charts.speeds(Test.PREFILL).isPresent();
        open("speed", "Speed and size");
        if (!any) {
            sentence(Phrase.of("No speed was measured."));
        }
        scatter.ifPresent(chart -> {
            List<String> front =
                    ScatterChart.front(chart.points()).stream().map(ScatterChart.Point::name).toList();
            Phrase lead = new Phrase().text("Further up is faster, further left smaller. ");
            if (front.size() == 1) {
                lead.code(front.getFirst()).text(" is the smallest and the fastest at once.");
            } else if (front.size() > 1) {
                lead.text("Of Tern's formats, only ").codes(front)
                        .text(" are not beaten by another in both; the line joins them.");
            }
            lead.text(results.rivals().isEmpty() ? "" : " Diamonds are other engines.");
            figure("size", "Decode against the size of the file", lead, FULL, chart::svg);
        });
        page.open("div", "class", "pair").line();
        for (Test test : List.of(Test.DECODE, Test.PREFILL)) {
            charts.speeds(test).ifPresent(chart -> figure(test.title().toLowerCase(), test.title(), speedLead(test), HALF, chart::svg));
        }
        page.close("div").line();
        close();
    }

    private Phrase speedLead(Test test) {
        int tokens = test == Test.PREFILL ? results.comparison().method().prompt() : results.comparison().method().generated();
        Phrase phrase = new Phrase().text(test == Test.PREFILL
                ? "A prompt of " + tokens + " tokens is read at once: bound by how fast the cores multiply."
                : tokens + " tokens are written one after the other: bound by how fast memory gives the weights.");
        return results.comparison().method().rounds() > 1 ? phrase.text(" The thin line is the spread of the rounds.") : phrase;
    }

    private void scaling() {
        open("threads", "Threads");
        boolean any = false;
        page.open("div", "class", "pair").line();
        for (Test test : List.of(Test.DECODE, Test.PREFILL)) {
            var chart = charts.scaling(test);
            any |= chart.isPresent();
            chart.ifPresent(c -> figure("threads-" + test.title().toLowerCase(), test.title() + " with more threads",
                    new Phrase().text(test == Test.DECODE
                            ? "Decode stops growing when memory gives no more."
                            : "Prefill grows with the cores."), HALF, c::svg));
        }
        page.close("div").line();
        if (!any) {
            sentence(new Phrase().text(results.threadCounts().isEmpty()
                    ? "No speed was measured."
                    : "All was measured on " + results.onThreads() + ", so nothing can be said of more or fewer."));
        }
        close();
    }

    private void roofline() {
        open("roofline", "How near to the machine's limits");
        var chart = charts.roofline();
        if (chart.isEmpty()) {
            sentence(Phrase.of(results.comparison().limits().isEmpty()
                    ? "The machine's limits were not measured."
                    : "The machine's limits were not measured for " + results.onThreads() + " on this tier, or no speed was."));
        }
        chart.ifPresent(c -> figure("roof", "Roofline", new Phrase().text(
                "The line is the most that this machine gives: on the left it rises as far as memory feeds the cores, on the"
                        + " right it ends at what they multiply. A token of decode uses each weight once; a prompt uses it once"
                        + " a token. Beside the points is the share of the bandwidth that decode reaches, and of the peak that prefill"
                        + " does, from the least of the formats to the most. Operations are those of the ternary matrices."), FULL, c::svg));
        close();
    }

    private void start() {
        var start = charts.start();
        var memory = charts.memory();
        if (start.isEmpty() && memory.isEmpty()) {
            return;
        }
        open("start", "Start and memory");
        page.open("div", "class", "pair").line();
        start.ifPresent(chart -> figure("first-token", "Time to the first token", new Phrase().text(
                "A process of its own each time, the file in the page cache. The dark part is the load of the model."), HALF, chart::svg));
        memory.ifPresent(chart -> figure("memory", "Memory", new Phrase().text(
                "The most that a process had resident, pages of the mapped file included, which the system can take back."), HALF, chart::svg));
        page.close("div").line();
        close();
    }

    private void quality() {
        open("quality", "Quality");
        sentence(new QualityWords(results).phrase());
        charts.quality().ifPresent(chart -> figure("divergence", "Divergence from the checkpoint", new Phrase().text(
                "Formats in one row predict the same. Each step of the axis is a factor of ten or more; below 0.001 nats a reader"
                        + " sees no difference."), FULL, chart::svg));
        close();
    }

    private void open(String id, String title) {
        page.open("section", "aria-labelledby", id).line().element("h2", title, "id", id).line();
    }

    private void close() {
        page.close("section").line();
    }

    private void sentence(Phrase phrase) {
        page.open("p", "class", "sentence").raw(phrase.html()).close("p").line();
    }

    private void figure(String id, String title, Phrase lead, double width, Function<Frame, String> chart) {
        page.open("figure", "class", width == FULL ? "full" : "half").line();
        page.open("figcaption").element("h3", title).open("p").raw(lead.html()).close("p").close("figcaption").line();
        String description = lead.plain() + " The numbers are in the table of all numbers.";
        page.open("div", "class", "wide").raw(chart.apply(new Frame(id + "-wide", title, description, width))).close("div").line();
        page.open("div", "class", "narrow").raw(chart.apply(new Frame(id + "-narrow", title, description, PHONE))).close("div").line();
        page.close("figure").line();
    }
}
