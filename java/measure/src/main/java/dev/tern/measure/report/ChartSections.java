package dev.tern.measure.report;

import dev.tern.measure.chart.Markup;
import dev.tern.measure.report.Entry.Test;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The sections of the page that show charts, those of which anything was measured. */
final class ChartSections {
    private final Results results;
    private final Figures figures;
    private final Markup page;

    ChartSections(Results results, Markup page) {
        this.results = results;
        this.figures = new Figures(results);
        this.page = page;
    }

    void write() {
        List<Figure> size = figures.sizeAndSpeed().stream().toList();
        section("speed", "Speed and size", List.of(size, row(figures.speed(Test.DECODE), figures.speed(Test.PREFILL))));
        section("threads", "Threads", List.of(row(figures.scaling(Test.DECODE), figures.scaling(Test.PREFILL))));
        roofline();
        section("start", "Start and memory", List.of(row(figures.start(), figures.memory())));
        quality();
    }

    private void quality() {
        Phrase words = new QualityWords(results).phrase();
        if (words.isEmpty()) {
            return;
        }
        open("quality", "Quality");
        sentence(words);
        figures.divergence().ifPresent(figure -> figure.write(page));
        close();
    }

    /** Says where limits were measured to no purpose; where nobody asked for them there is no section. */
    private void roofline() {
        Optional<Figure> figure = figures.roofline();
        boolean measured = results.comparison().limits().isPresent()
                && !results.threadCounts().isEmpty();
        if (figure.isEmpty() && !measured) {
            return;
        }
        open("roofline", "How near to the machine's limits");
        figure.ifPresentOrElse(
                shown -> shown.write(page),
                () -> sentence(Phrase.of("The machine's limits were not measured for " + results.onThreads()
                        + " on this tier.")));
        close();
    }

    private static List<Figure> row(Optional<Figure> left, Optional<Figure> right) {
        return Stream.of(left, right).flatMap(Optional::stream).toList();
    }

    /** With its rows of figures; none where all are empty. */
    private void section(String id, String title, List<List<Figure>> rows) {
        if (rows.stream().allMatch(List::isEmpty)) {
            return;
        }
        open(id, title);
        rows.stream().filter(row -> !row.isEmpty()).forEach(this::write);
        close();
    }

    /** One that takes a row of its own, or halves beside each other. */
    private void write(List<Figure> row) {
        boolean halves = row.stream().noneMatch(Figure::full);
        if (halves) {
            page.open("div", "class", "pair").line();
        }
        row.forEach(figure -> figure.write(page));
        if (halves) {
            page.close("div").line();
        }
    }

    private void open(String id, String title) {
        page.open("section", "aria-labelledby", id).line();
        page.element("h2", title, "id", id).line();
    }

    private void close() {
        page.close("section").line();
    }

    private void sentence(Phrase phrase) {
        page.open("p", "class", "sentence").raw(phrase.html()).close("p").line();
    }
}
