package dev.tern.measure.report;

import dev.tern.measure.chart.Markup;
import dev.tern.measure.report.Entry.Test;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The sections of the page that show charts, and say what there is no chart of. */
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
        open("speed", "Speed and size");
        boolean size = figures.sizeAndSpeed().isPresent();
        figures.sizeAndSpeed().ifPresent(figure -> figure.write(page));
        if (!pair(figures.speed(Test.DECODE), figures.speed(Test.PREFILL)) && !size) {
            sentence(Phrase.of("No speed was measured."));
        }
        close();
        open("threads", "Threads");
        if (!pair(figures.scaling(Test.DECODE), figures.scaling(Test.PREFILL))) {
            sentence(Phrase.of(
                    results.threadCounts().isEmpty()
                            ? "No speed was measured."
                            : "All was measured on " + results.onThreads()
                                    + ", so nothing can be said of more or fewer."));
        }
        close();
        roofline();
        if (figures.start().isPresent() || figures.memory().isPresent()) {
            open("start", "Start and memory");
            pair(figures.start(), figures.memory());
            close();
        }
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

    private void roofline() {
        open("roofline", "How near to the machine's limits");
        figures.roofline()
                .ifPresentOrElse(
                        figure -> figure.write(page),
                        () -> sentence(Phrase.of(
                                results.comparison().limits().isEmpty()
                                        ? "The machine's limits were not measured."
                                        : "The machine's limits were not measured for " + results.onThreads()
                                                + " on this tier, or no speed was.")));
        close();
    }

    /** Two beside each other; false where there is neither. */
    private boolean pair(Optional<Figure> left, Optional<Figure> right) {
        List<Figure> both = Stream.of(left, right).flatMap(Optional::stream).toList();
        if (!both.isEmpty()) {
            page.open("div", "class", "pair").line();
            both.forEach(figure -> figure.write(page));
            page.close("div").line();
        }
        return !both.isEmpty();
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
