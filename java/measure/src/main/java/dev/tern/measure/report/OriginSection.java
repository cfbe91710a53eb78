package dev.tern.measure.report;

import dev.tern.measure.MachineLimits;
import dev.tern.measure.chart.Markup;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.Method;
import dev.tern.measure.comparison.ModelFacts;
import dev.tern.measure.comparison.Origin;
import dev.tern.measure.comparison.RivalResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The section of the page that says how, on what and by what was measured. */
final class OriginSection {
    private final Results results;
    private final Comparison comparison;
    private final Markup page;

    OriginSection(Results results, Markup page) {
        this.results = results;
        this.comparison = results.comparison();
        this.page = page;
    }

    /** Such as 2026-11-26 06:40 UTC; what is no ISO 8601 time in UTC stays as it is. */
    static String time(String iso) {
        return iso.matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d.*Z")
                ? iso.substring(0, 10) + " " + iso.substring(11, 16) + " UTC"
                : iso;
    }

    void write() {
        page.open("section", "aria-labelledby", "origin")
                .line()
                .element("h2", "How this was measured", "id", "origin")
                .line();
        String method = method(comparison);
        if (!method.isEmpty()) {
            page.element("p", method, "class", "sentence").line();
        }
        for (String note : comparison.notes()) {
            String html = new Phrase().withCode(Verdict.sentence(note)).html();
            page.open("p", "class", "sentence note").raw(html).close("p").line();
        }
        page.element("h3", "Again")
                .line()
                .open("pre", "tabindex", 0)
                .element("code", comparison.origin().command())
                .close("pre")
                .line();
        facts("Machine and versions", machine(results));
        facts("Model", model(comparison.model()));
        comparison.limits().ifPresent(this::limits);
        page.close("section").line();
    }

    /** In sentences; empty where neither speed nor quality was to be measured. */
    static String method(Comparison comparison) {
        Method method = comparison.method();
        List<String> sentences = new ArrayList<>();
        if (method.prompt() > 0 || method.generated() > 0) {
            sentences.add(turns(comparison));
            sentences.add(tests(method));
        }
        if (!method.text().isEmpty()) {
            sentences.add("Quality: " + Numbers.fixed(method.textTokens(), 0) + " tokens of " + method.text()
                    + ", held against " + method.reference() + ".");
        }
        return String.join(" ", sentences);
    }

    private static String turns(Comparison comparison) {
        String rounds = comparison.method().rounds() == 1
                ? "one round"
                : comparison.method().rounds() + " rounds";
        boolean rivals = comparison.rivals().stream().anyMatch(rival -> rival.skipped().isEmpty());
        if (comparison.formats().size() == 1 && !rivals) {
            return "Speed was measured in " + rounds + (comparison.method().rounds() == 1 ? ", in" : ", each in")
                    + " a process of its own.";
        }
        return (rivals ? "Formats and engines" : "Formats") + " took turns in " + rounds
                + ", each run in a process of its own, so that what happened on the machine meanwhile befell all"
                + " alike.";
    }

    private static String tests(Method method) {
        List<String> tests = new ArrayList<>();
        if (method.prompt() > 0) {
            tests.add("prefill reads " + method.prompt() + " tokens");
        }
        if (method.generated() > 0) {
            tests.add("decode writes " + method.generated() + (method.prompt() > 0 ? "" : " tokens"));
        }
        String threads = Phrase.listed(method.threads().stream().map(String::valueOf).toList());
        String all = String.join(", ", tests);
        return all.substring(0, 1).toUpperCase(Locale.ROOT) + all.substring(1) + ", on " + threads
                + (threads.equals("1") ? " thread." : " threads.");
    }

    /** Names and values. */
    static Map<String, String> machine(Results results) {
        Origin origin = results.comparison().origin();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Time", time(origin.time()));
        facts.put("Processor", origin.cpu() + ", " + origin.processors() + " usable");
        if (origin.memoryBytes() > 0) {
            facts.put("Memory", Numbers.three(origin.memoryBytes() / 1e9) + " GB");
        }
        facts.put("System", origin.os());
        facts.put("Java", origin.java());
        facts.put(
                "Tern",
                origin.version() + (origin.commit().isEmpty() ? "" : ", commit " + origin.commit()) + ", kernels for "
                        + origin.tier());
        Set<String> engines = new LinkedHashSet<>();
        for (RivalResult rival : results.comparison().rivals()) {
            if (rival.skipped().isEmpty()) {
                engines.add((rival.engine() + " " + rival.version()).strip());
            }
        }
        if (!engines.isEmpty()) {
            facts.put("Other engines", String.join("; ", engines));
        }
        return facts;
    }

    /** Names and values. */
    static Map<String, String> model(ModelFacts model) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Checkpoint", model.source());
        facts.put("Architecture", model.architecture() + ", ternary weights stored " + model.weights());
        facts.put(
                "Shape",
                model.layers() + " layers of width " + Numbers.fixed(model.hidden(), 0) + " and "
                        + Numbers.fixed(model.intermediate(), 0) + ", " + model.heads() + " heads on " + model.kvHeads()
                        + " of keys and values, vocabulary of " + Numbers.fixed(model.vocabulary(), 0));
        facts.put(
                "Parameters",
                Numbers.fixed(model.parameters(), 0) + ", " + Numbers.fixed(model.ternaryParameters(), 0) + " ternary");
        facts.put("Size", Numbers.bytes(model.bytes()));
        return facts;
    }

    private void facts(String title, Map<String, String> facts) {
        page.element("h3", title).line().open("dl", "class", "facts").line();
        facts.forEach((name, value) -> page.open("div")
                .element("dt", name)
                .element("dd", value)
                .close("div")
                .line());
        page.close("dl").line();
    }

    /** Of limits, one a line: what, on how many threads, how much. */
    static List<List<String>> limitRows(MachineLimits limits) {
        List<List<String>> rows = new ArrayList<>();
        limits.reads()
                .forEach(read -> rows.add(List.of(
                        "reads of memory, pages of " + (read.largePages() ? "2 MiB" : "4 KiB"),
                        String.valueOf(read.threads()),
                        Numbers.three(read.gigabytesPerSecond()) + " GB/s")));
        limits.peaks()
                .forEach(peak -> rows.add(List.of(
                        "8-bit dot products, " + peak.tier(),
                        String.valueOf(peak.threads()),
                        Numbers.three(peak.gigaOperationsPerSecond()) + " Gop/s")));
        return rows;
    }

    private void limits(MachineLimits limits) {
        page.element("h3", "Limits of the machine").line();
        page.open("div", "class", "scroll", "role", "region", "aria-label", "Table of limits", "tabindex", 0);
        page.open("table", "id", "limits").element("caption", "Limits of the machine", "class", "unseen");
        page.open("thead").open("tr");
        for (String title : List.of("Limit", "Threads", "Measured")) {
            page.element("th", title, "scope", "col");
        }
        page.close("tr").close("thead").line().open("tbody").line();
        for (List<String> row : limitRows(limits)) {
            page.open("tr")
                    .element("th", row.get(0), "scope", "row")
                    .element("td", row.get(1))
                    .element("td", row.get(2))
                    .close("tr")
                    .line();
        }
        page.close("tbody").close("table").close("div").line();
    }
}
