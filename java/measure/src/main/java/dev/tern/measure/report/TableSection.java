package dev.tern.measure.report;

import dev.tern.measure.Speed;
import dev.tern.measure.chart.Markup;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.report.Column.Cell;
import dev.tern.measure.report.Column.Group;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The section of the page with all numbers and what they mean. */
final class TableSection {
    private final Results results;
    private final Markup page;

    TableSection(Results results, Markup page) {
        this.results = results;
        this.page = page;
    }

    /** All formats, failed ones too, and the other engines that ran. */
    static List<Entry> rows(Results results) {
        return Stream.concat(results.comparison().formats().stream().map(Entry::of), results.rivals().stream())
                .toList();
    }

    void write() {
        List<Entry> rows = rows(results);
        List<Column> columns = Columns.of(results, rows);
        page.open("section", "class", "numbers", "aria-labelledby", "numbers")
                .line()
                .element("h2", "All numbers", "id", "numbers")
                .line();
        if (rows.isEmpty() || columns.isEmpty()) {
            page.element("p", "Nothing was measured.", "class", "sentence").line();
        } else {
            Map<Column, Set<Entry>> best = new HashMap<>();
            columns.forEach(column -> best.put(column, Columns.best(column, results.entries())));
            Phrase lead = new Phrase();
            if (best.values().stream().anyMatch(entries -> !entries.isEmpty())) {
                lead.text("The best of a column is bold. ");
            }
            Columns.embedding(results)
                    .ifPresent(type -> lead.text("The embedding is stored as ")
                            .code(type)
                            .text(results.comparison().formats().size() == 1 ? "." : " in every file."));
            if (!lead.isEmpty()) {
                page.open("p", "class", "sentence").raw(lead.html()).close("p").line();
            }
            table(rows, columns, best);
            meanings(columns);
        }
        measurements();
        page.close("section").line();
    }

    private void table(List<Entry> rows, List<Column> columns, Map<Column, Set<Entry>> best) {
        page.open("div", "class", "scroll broad", "role", "region", "aria-label", "Table of all numbers", "tabindex", 0)
                .line();
        page.open("table", "id", "all").line();
        String on = results.threadCounts().isEmpty() ? "" : " on " + results.onThreads();
        String what = results.rivals().isEmpty() ? "Formats" : "Formats and other engines";
        page.element("caption", what + on, "class", "unseen").line();
        page.open("thead").line().open("tr").open("td", "rowspan", 2).close("td");
        for (Group group : Group.values()) {
            long count =
                    columns.stream().filter(column -> column.group() == group).count();
            if (count > 0) {
                page.element("th", group.title(), "scope", "colgroup", "colspan", count, "class", "group");
            }
        }
        page.close("tr").line().open("tr");
        Group before = null;
        for (Column column : columns) {
            page.open("th", "scope", "col", "class", column.group() == before ? "" : "first")
                    .text(column.title());
            if (!column.unit().isEmpty()) {
                page.text(" ").element("small", column.unit());
            }
            page.close("th");
            before = column.group();
        }
        page.close("tr").line().close("thead").line();
        body(rows.stream().filter(row -> !row.isRival()).toList(), columns, best, "");
        body(rows.stream().filter(Entry::isRival).toList(), columns, best, "Other engines");
        page.close("table").line().close("div").line();
    }

    private void body(List<Entry> rows, List<Column> columns, Map<Column, Set<Entry>> best, String title) {
        if (rows.isEmpty()) {
            return;
        }
        page.open("tbody").line();
        if (!title.isEmpty()) {
            page.open("tr")
                    .element("th", title, "scope", "rowgroup", "colspan", columns.size() + 1, "class", "bodytitle")
                    .close("tr")
                    .line();
        }
        for (Entry row : rows) {
            page.open("tr").open("th", "scope", "row").element("code", row.name());
            if (row.format().flatMap(FormatResult::failure).isPresent()) {
                page.text(" ").element("small", "failed");
            }
            page.close("th");
            Group before = null;
            for (Column column : columns) {
                cell(
                        column.cell().apply(row),
                        best.getOrDefault(column, Set.of()).contains(row),
                        column.group() != before);
                before = column.group();
            }
            page.close("tr").line();
        }
        page.close("tbody").line();
    }

    private void cell(Optional<Cell> cell, boolean best, boolean first) {
        String type = (best ? "best " : "") + (first ? "first" : "");
        page.open("td", "class", type.strip());
        if (cell.isEmpty()) {
            page.text(Numbers.NONE);
        } else if (best) {
            page.element("strong", cell.get().shown()).element("span", " best", "class", "unseen");
        } else {
            page.text(cell.get().shown());
        }
        cell.filter(c -> !c.detail().isEmpty()).ifPresent(c -> page.text(" ").element("small", c.detail()));
        page.close("td");
    }

    private void meanings(List<Column> columns) {
        page.element("h3", "What the columns mean")
                .line()
                .open("dl", "class", "meanings")
                .line();
        for (Column column : columns) {
            page.open("div")
                    .element("dt", column.title())
                    .element("dd", column.meaning())
                    .close("div")
                    .line();
        }
        page.close("dl").line();
    }

    private void measurements() {
        List<Entry> rows =
                rows(results).stream().filter(row -> !row.speeds().isEmpty()).toList();
        if (rows.isEmpty()) {
            return;
        }
        page.open("details")
                .line()
                .element("summary", "Every measurement of speed")
                .line();
        page.open("div", "class", "scroll", "role", "region", "aria-label", "Table of every measurement", "tabindex", 0)
                .line();
        page.open("table", "id", "every").line();
        page.element(
                "caption",
                "Tokens a second of every test, in the order in which they were measured",
                "class",
                "unseen");
        page.open("thead").open("tr");
        for (String title : List.of("Format", "Test", "Threads", "Median", "Least", "Most", "Rounds")) {
            page.element("th", title, "scope", "col");
        }
        page.close("tr").close("thead").line().open("tbody").line();
        for (Entry row : rows) {
            for (Speed speed : row.speeds()) {
                page.open("tr")
                        .open("th", "scope", "row")
                        .element("code", row.name())
                        .close("th");
                page.open("td").element("code", speed.test()).close("td");
                List<String> cells = new ArrayList<>(List.of(
                        String.valueOf(speed.threads()),
                        Numbers.three(speed.tokensPerSecond().median()),
                        Numbers.three(speed.tokensPerSecond().least()),
                        Numbers.three(speed.tokensPerSecond().most())));
                cells.add(speed.tokensPerSecond().samples().stream()
                        .map(Numbers::three)
                        .collect(Collectors.joining(" · ")));
                cells.forEach(text -> page.element("td", text));
                page.close("tr").line();
            }
        }
        page.close("tbody").line().close("table").line().close("div").line();
        page.element(
                        "p",
                        "Tests are named as llama-bench names them: pp for prompts processed at once, tg for tokens"
                                + " generated one at a time, @ d for tokens in the context before.",
                        "class",
                        "sentence")
                .line();
        page.close("details").line();
    }
}
