package dev.tern.cli;

import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.ComparisonJson;
import dev.tern.measure.report.HtmlReport;
import dev.tern.measure.report.MarkdownReport;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** How a comparison is written. */
enum ReportFormat {
    HTML,
    MARKDOWN,
    JSON;

    /** As the end of a file's name says. */
    static Optional<ReportFormat> of(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".html") || name.endsWith(".htm")) {
            return Optional.of(HTML);
        }
        if (name.endsWith(".md")) {
            return Optional.of(MARKDOWN);
        }
        return name.endsWith(".json") ? Optional.of(JSON) : Optional.empty();
    }

    String text(Comparison comparison) {
        return switch (this) {
            case HTML -> HtmlReport.html(comparison);
            case MARKDOWN -> MarkdownReport.markdown(comparison);
            case JSON -> ComparisonJson.write(comparison);
        };
    }
}
