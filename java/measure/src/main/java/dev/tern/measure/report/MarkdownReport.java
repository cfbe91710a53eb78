package dev.tern.measure.report;

import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.report.Column.Cell;
import dev.tern.measure.report.Column.Group;
import dev.tern.measure.report.Verdict.Advice;
import dev.tern.measure.report.Verdict.Winner;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A comparison as Markdown (the dialect of GitHub) for a README or a terminal: the sentences and numbers of the page,
 * without its charts.
 */
public final class MarkdownReport {
    private final Results results;
    private final StringBuilder text = new StringBuilder();

    private MarkdownReport(Results results) {
        this.results = results;
    }

    /** The text, with a newline at its end. */
    public static String markdown(Comparison comparison) {
        return new MarkdownReport(new Results(comparison)).text();
    }

    private String text() {
        paragraph("# Which format for " + Phrase.escaped(results.modelName()) + "?");
        paragraph(Phrase.escaped(HtmlReport.subtitle(results)));
        verdict();
        table();
        how();
        return text.toString();
    }

    private void paragraph(String paragraph) {
        text.append(text.isEmpty() ? "" : "\n").append(paragraph).append('\n');
    }

    private void verdict() {
        Verdict verdict = new Verdict(results);
        StringBuilder winners = new StringBuilder();
        for (Winner winner : verdict.winners()) {
            winners.append("- ")
                    .append(winner.question())
                    .append(": **")
                    .append(Phrase.code(winner.name(), false))
                    .append("**, ")
                    .append(Phrase.escaped(winner.value()))
                    .append(winner.note().isEmpty() ? "." : ". " + winner.note().markdown())
                    .append('\n');
        }
        if (!winners.isEmpty()) {
            paragraph(winners.toString().stripTrailing());
        }
        StringBuilder list = new StringBuilder();
        for (Advice advice : verdict.advice()) {
            list.append("- **")
                    .append(Phrase.escaped(advice.purpose()))
                    .append("**: ")
                    .append(advice.phrase().markdown())
                    .append('\n');
        }
        paragraph(list.toString().stripTrailing());
    }

    /** One table of files and speed, one of the rest: a table of all columns fits no page. */
    private void table() {
        List<Entry> rows = TableSection.rows(results);
        List<Column> columns = Columns.of(results, rows);
        if (columns.isEmpty()) {
            paragraph("Nothing was measured.");
            return;
        }
        table(rows, columns, EnumSet.of(Group.FILE, Group.SPEED));
        table(rows, columns, EnumSet.of(Group.START, Group.QUALITY));
        Columns.embedding(results)
                .ifPresent(type ->
                        paragraph("The embedding is stored as " + Phrase.code(type, false) + " in every file."));
        StringBuilder meanings = new StringBuilder("## What the columns mean\n\n");
        for (Column column : columns) {
            meanings.append("- **")
                    .append(Phrase.escaped(column.title()))
                    .append("**: ")
                    .append(Phrase.escaped(column.meaning()))
                    .append('\n');
        }
        paragraph(meanings.toString().stripTrailing());
        Phrase quality = new QualityWords(results).phrase();
        if (!quality.isEmpty()) {
            paragraph(quality.markdown());
        }
    }

    private void table(List<Entry> rows, List<Column> all, Set<Group> groups) {
        List<Column> columns =
                all.stream().filter(column -> groups.contains(column.group())).toList();
        List<Entry> shown = rows.stream()
                .filter(row -> columns.stream()
                        .anyMatch(column -> column.cell().apply(row).isPresent()))
                .toList();
        if (shown.isEmpty()) {
            return;
        }
        boolean timed = columns.stream()
                .anyMatch(column -> column.group() == Group.SPEED || column.group() == Group.START);
        StringBuilder table = new StringBuilder("| ").append(timed ? "On " + results.onThreads() : "Format");
        columns.forEach(column ->
                table.append(" | ").append(column.title()).append(column.unit().isEmpty() ? "" : ", " + column.unit()));
        table.append(" |\n|---").append("|---:".repeat(columns.size())).append("|\n");
        for (Entry row : shown) {
            List<String> cells = new ArrayList<>(List.of(Phrase.code(row.name(), true)
                    + (row.format().flatMap(format -> format.failure()).isPresent() ? " failed" : "")));
            for (Column column : columns) {
                boolean best = Columns.best(column, results.entries()).contains(row);
                cells.add(column.cell().apply(row).map(cell -> cell(cell, best)).orElse(Numbers.NONE));
            }
            table.append("| ").append(String.join(" | ", cells)).append(" |\n");
        }
        paragraph(table.toString().stripTrailing());
    }

    private static String cell(Cell cell, boolean best) {
        String shown = Phrase.escaped(cell.shown());
        return (best ? "**" + shown + "**" : shown) + (cell.detail().isEmpty() ? "" : " (" + cell.detail() + ")");
    }

    private void how() {
        Comparison comparison = results.comparison();
        paragraph("## How this was measured");
        String method = OriginSection.method(comparison);
        if (!method.isEmpty()) {
            paragraph(Phrase.escaped(method));
        }
        comparison.notes().forEach(note -> paragraph(new Phrase().withCode(Verdict.sentence(note)).markdown()));
        String command = comparison.origin().command();
        String fence = "```";
        while (command.contains(fence)) {
            fence += "`";
        }
        paragraph(fence + "sh\n" + command + "\n" + fence);
        StringBuilder facts = new StringBuilder();
        for (Map<String, String> group :
                List.of(OriginSection.machine(results), OriginSection.model(comparison.model()))) {
            group.forEach((name, value) -> facts.append("- ")
                    .append(name)
                    .append(": ")
                    .append(Phrase.escaped(value))
                    .append('\n'));
        }
        comparison
                .limits()
                .ifPresent(limits -> OriginSection.limitRows(limits)
                        .forEach(row -> facts.append("- Limit, ")
                                .append(Phrase.escaped(row.get(0)))
                                .append(", ")
                                .append(row.get(1))
                                .append(row.get(1).equals("1") ? " thread: " : " threads: ")
                                .append(row.get(2))
                                .append('\n')));
        paragraph(facts.toString().stripTrailing());
    }
}
