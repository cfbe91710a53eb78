package dev.tern.measure.report;

import dev.tern.measure.comparison.Comparison;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * The charts of a comparison as SVG documents, for pages that take images: each stands alone, asks for nothing from
 * anywhere, and is light or dark as its reader's system is.
 */
public final class SvgCharts {
    private SvgCharts() {}

    /** Documents, to be written as UTF-8, by the names of files such as {@code decode.svg}; in the order of the page. */
    public static SequencedMap<String, String> of(Comparison comparison) {
        String style = Style.charts();
        SequencedMap<String, String> documents = new LinkedHashMap<>();
        for (Figure figure : new Figures(new Results(comparison)).all()) {
            documents.put(figure.id() + ".svg", figure.document(style));
        }
        return documents;
    }
}
