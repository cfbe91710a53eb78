package dev.tern.measure.report;

import dev.tern.measure.chart.Markup;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.ModelFacts;
import dev.tern.measure.comparison.Origin;
import dev.tern.measure.report.Verdict.Advice;
import dev.tern.measure.report.Verdict.Winner;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/**
 * A comparison as one HTML page that stands alone: it asks for nothing from anywhere, needs no script, follows the system's
 * light and dark, and fits phones, screens and paper. What it shows follows from the comparison alone.
 */
public final class HtmlReport {
    private static final String POLICY =
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

    private final Results results;
    private final Markup page = new Markup();

    private HtmlReport(Results results) {
        this.results = results;
    }

    /** The page, to be written as UTF-8. */
    public static String html(Comparison comparison) {
        return new HtmlReport(new Results(comparison)).page();
    }

    private String page() {
        String title = "Formats of " + results.modelName() + ", compared";
        page.raw("<!DOCTYPE html>").line().open("html", "lang", "en").line().open("head").line();
        page.raw("<meta charset=\"utf-8\">").line();
        page.open("meta", "http-equiv", "Content-Security-Policy", "content", POLICY).line();
        page.open("meta", "name", "viewport", "content", "width=device-width, initial-scale=1").line();
        page.open("meta", "name", "color-scheme", "content", "light dark").line();
        page.open("meta", "name", "generator", "content", "Tern " + results.comparison().origin().version()).line();
        page.open("link", "rel", "icon", "href", "data:,").line();
        page.element("title", title).line();
        page.open("style").line().raw(style()).close("style").line().close("head").line();
        page.open("body").line();
        header();
        page.open("main").line();
        verdict();
        new ChartSections(results, page).write();
        new TableSection(results, page).write();
        new OriginSection(results, page).write();
        return page.close("main").line().close("body").line().close("html").line().toString();
    }

    private static String style() {
        try (InputStream in = HtmlReport.class.getResourceAsStream("report.css")) {
            return new String(Objects.requireNonNull(in, "report.css").readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void header() {
        page.open("header").line();
        page.element("p", "Tern · formats compared", "class", "eyebrow").line();
        page.open("h1").text("Which format for ").element("span", results.modelName(), "class", "model").text("?").close("h1").line();
        page.element("p", subtitle(results), "class", "subtitle").line();
        page.close("header").line();
    }

    /** What was measured, when and where, in a sentence. */
    static String subtitle(Results results) {
        ModelFacts model = results.comparison().model();
        Origin origin = results.comparison().origin();
        int formats = results.comparison().formats().size();
        int rivals = results.rivals().size();
        return (formats == 1 ? "One format" : formats + " formats")
                + (rivals == 0 ? "" : " of Tern and " + (rivals == 1 ? "one" : rivals) + " of other engines") + ", "
                + count(model.parameters()) + " parameters, " + count(model.ternaryParameters()) + " of them ternary. Measured "
                + OriginSection.time(origin.time()) + " on " + origin.cpu() + ", "
                + (origin.processors() == 1 ? "1 processor" : origin.processors() + " processors") + ".";
    }

    private static String count(long parameters) {
        return parameters >= 1_000_000_000
                ? Numbers.three(parameters / 1e9) + " billion"
                : parameters >= 1_000_000 ? Numbers.three(parameters / 1e6) + " million" : Numbers.fixed(parameters, 0);
    }

    private void verdict() {
        Verdict verdict = new Verdict(results);
        page.open("section", "aria-labelledby", "verdict").line();
        page.element("h2", "What to take", "id", "verdict").line();
        List<Winner> winners = verdict.winners();
        if (!winners.isEmpty()) {
            page.open("ul", "class", "winners").line();
            for (Winner winner : winners) {
                page.open("li").element("span", winner.question(), "class", "question").text(" ");
                page.open("span", "class", "answer").element("code", winner.name()).close("span").text(" ");
                page.element("span", winner.value(), "class", "figure").text(" ");
                page.open("span", "class", "note").raw(winner.note().html()).close("span").close("li").line();
            }
            page.close("ul").line();
        }
        page.open("dl", "class", "advice").line();
        for (Advice advice : verdict.advice()) {
            page.open("div").element("dt", advice.purpose()).open("dd").raw(advice.phrase().html()).close("dd").close("div").line();
        }
        page.close("dl").line().close("section").line();
    }
}
