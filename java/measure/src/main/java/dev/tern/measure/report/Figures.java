package dev.tern.measure.report;

import dev.tern.measure.chart.Mark;
import dev.tern.measure.chart.ScalingChart;
import dev.tern.measure.chart.ScatterChart;
import dev.tern.measure.comparison.Method;
import dev.tern.measure.report.Entry.Test;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A comparison's charts, each with its finding in words; those of which too little was measured are not there. */
final class Figures {
    private final Results results;
    private final Charts charts;

    Figures(Results results) {
        this.results = results;
        this.charts = new Charts(results);
    }

    /** In the order of the page. */
    List<Figure> all() {
        return Stream.of(
                        sizeAndSpeed(),
                        speed(Test.DECODE),
                        speed(Test.PREFILL),
                        scaling(Test.DECODE),
                        scaling(Test.PREFILL),
                        roofline(),
                        start(),
                        memory(),
                        divergence())
                .flatMap(Optional::stream)
                .toList();
    }

    Optional<Figure> sizeAndSpeed() {
        return charts.sizeAndSpeed().map(chart -> {
            List<String> front = ScatterChart.front(chart.points()).stream()
                    .map(ScatterChart.Point::name)
                    .toList();
            Phrase lead = Phrase.of("Further up is faster, further left smaller. ");
            if (front.size() == 1) {
                lead.code(front.getFirst()).text(" is the smallest and the fastest at once.");
            } else if (front.size() > 1) {
                lead.text("Of Tern's formats, only ")
                        .codes(front)
                        .text(" are not beaten by another in both; the line joins them.");
            }
            lead.text(results.rivals().isEmpty() ? "" : " Diamonds are other engines.");
            return new Figure("size", "Decode against the size of the file", lead, true, chart::draw);
        });
    }

    Optional<Figure> speed(Test test) {
        Method method = results.comparison().method();
        Phrase lead = Phrase.of(
                test == Test.PREFILL
                        ? "A prompt of " + method.prompt() + " tokens is read at once: bound by how fast the cores"
                                + " multiply."
                        : method.generated() + " tokens are written one after the other: bound by how fast memory gives"
                                + " the weights.");
        lead.text(method.rounds() > 1 ? " The thin line is the spread of the rounds." : "");
        return charts.speeds(test).map(chart -> new Figure(test.noun(), test.title(), lead, false, chart::draw));
    }

    Optional<Figure> scaling(Test test) {
        return charts.scaling(test)
                .map(chart -> new Figure(
                        "threads-" + test.noun(),
                        test.title() + " with more threads",
                        scalingLead(chart, test),
                        false,
                        chart::draw));
    }

    private static Phrase scalingLead(ScalingChart chart, Test test) {
        List<Double> factors = chart.series().stream()
                .filter(series -> series.mark() != Mark.OTHER)
                .map(series -> series.last().factor())
                .sorted()
                .toList();
        Phrase lead = Phrase.of(
                test == Test.DECODE
                        ? "Decode grows until memory gives no more weights."
                        : "Prefill grows as long as there are cores.");
        if (factors.isEmpty()) {
            return lead;
        }
        String least = Numbers.factor(factors.getFirst());
        String most = Numbers.factor(factors.getLast());
        return lead.text(" Here Tern's formats end at "
                + (least.equals(most) ? most : least.replace("×", "") + " to " + most)
                + (factors.getLast() < 0.95
                        ? ": more threads slow it down."
                        : factors.getLast() < 1.05 ? ": more threads bring nothing." : "."));
    }

    Optional<Figure> roofline() {
        Phrase lead =
                Phrase.of("The line is the most that this machine gives: on the left it rises as far as memory feeds"
                    + " the cores, on the right it ends at what they multiply. A token of decode uses each weight"
                    + " once; a prompt uses it once a token. Beside the points is the share of the bandwidth that"
                    + " decode reaches, and of the peak that prefill does, from the least of the formats to the most."
                    + " Operations are those of the ternary matrices.");
        return charts.roofline().map(chart -> new Figure("roof", "Roofline", lead, true, chart::draw));
    }

    Optional<Figure> start() {
        Phrase lead =
                Phrase.of("A process of its own each time, the file in the page cache. The first part of a bar is the"
                        + " load of the model.");
        return charts.start()
                .map(chart -> new Figure("first-token", "Time to the first token", lead, false, chart::draw));
    }

    Optional<Figure> memory() {
        Phrase lead =
                Phrase.of("The most that a process had resident, pages of the mapped file included, which the system"
                        + " can take back.");
        return charts.memory().map(chart -> new Figure("memory", "Memory", lead, false, chart::draw));
    }

    Optional<Figure> divergence() {
        Phrase lead =
                Phrase.of("Formats in one row predict the same. Each step of the axis is a factor of ten or more; below"
                        + " 0.001 nats a reader sees no difference.");
        return charts.quality()
                .map(chart -> new Figure("divergence", "Divergence from the checkpoint", lead, true, chart::draw));
    }
}
