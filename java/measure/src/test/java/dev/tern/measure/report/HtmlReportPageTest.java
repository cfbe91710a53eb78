package dev.tern.measure.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.browser.ChromiumExtension;
import dev.tern.browser.Tab;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.ComparisonJson;
import dev.tern.measure.comparison.TestComparisons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The page as a browser shows it. */
class HtmlReportPageTest {
    private static final Map<String, Comparison> COMPARISONS = Map.of(
            "whole", TestComparisons.whole(),
            "bare", TestComparisons.bare(),
            "one", TestComparisons.plain(1),
            "two", TestComparisons.plain(2),
            "many", TestComparisons.manyThreads());

    /** Labels of one chart that cover each other or leave it. */
    private static final String BAD_LABELS = """
        [...document.querySelectorAll('svg')].filter(svg => svg.checkVisibility()).flatMap(svg => {
          const image = svg.getBoundingClientRect();
          const texts = [...svg.querySelectorAll('text')]
            .map(e => ({ text: e.textContent, box: e.getBoundingClientRect() }));
          const name = svg.querySelector('title').textContent + ' ' + Math.round(image.width) + ': ';
          const out = texts.filter(({ box }) => box.left < image.left - 8 || box.right > image.right + 8
            || box.top < image.top - 4 || box.bottom > image.bottom + 4).map(t => name + t.text + ' sticks out');
          const over = texts.flatMap((a, i) => texts.slice(i + 1)
            .filter(b => Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 0.5
              && Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 1.5)
            .map(b => name + a.text + ' covers ' + b.text));
          return [...out, ...over];
        })\
        """;

    @RegisterExtension
    private static final ChromiumExtension BROWSER = new ChromiumExtension();

    @TempDir
    private Path folder;

    private Tab page;

    @BeforeEach
    void open() {
        page = BROWSER.open();
    }

    @AfterEach
    void nothingWentWrongAndNothingWasAskedFor() {
        assertThat(page.problems).isEmpty();
        assertThat(page.requests)
                .isNotEmpty()
                .allMatch(address -> address.startsWith("file:") || address.equals("data:,"));
        assertThat(page.requests)
                .filteredOn(address -> address.startsWith("file:"))
                .containsOnly(page.value("location.href").asString());
        page.close();
    }

    private void show(String comparison, int width) throws IOException {
        Path file = folder.resolve("report.html");
        Files.writeString(file, HtmlReport.html(COMPARISONS.get(comparison)));
        page.size(width, 900, width < 500);
        page.go(file.toUri());
    }

    private void screenshot(String name, int width) throws IOException {
        page.size(width, page.value("document.documentElement.scrollHeight").asInt(), width < 500);
        page.screenshot("report-" + name + "-" + width);
    }

    @ParameterizedTest
    @CsvSource({
        "whole, 320",
        "whole, 360",
        "whole, 800",
        "whole, 1400",
        "many, 360",
        "many, 800",
        "many, 1400",
        "one, 360",
        "two, 360",
        "two, 1000",
        "bare, 360",
        "bare, 1400"
    })
    void everyWidthHasRoomForAll(String comparison, int width) throws IOException {
        show(comparison, width);
        assertThat(page.value("document.documentElement.scrollWidth").asInt()).isLessThanOrEqualTo(width);
        assertThat(page.value(BAD_LABELS)).isEmpty();
        assertThat(page.value("[...document.querySelectorAll('figure')].every(figure =>"
                                + " [...figure.querySelectorAll('svg')].filter(svg =>"
                                + " svg.checkVisibility()).length === 1)")
                        .asBoolean())
                .isTrue();
        screenshot(comparison, width);
    }

    @ParameterizedTest
    @ValueSource(strings = {"light", "dark"})
    void allTextStandsOut(String scheme) throws IOException {
        page.prefer("prefers-color-scheme", scheme);
        for (int width : new int[] {360, 1400}) {
            show("whole", width);
            page.run("document.querySelector('details').open = true");
            assertThat(page.faintTexts()).isEmpty();
            screenshot("whole-" + scheme, width);
        }
        boolean dark = page.value("getComputedStyle(document.body).backgroundColor")
                .asString()
                .equals("rgb(21, 23, 27)");
        assertThat(dark).isEqualTo(scheme.equals("dark"));
    }

    @Test
    void theNumbersToBeSeenAreTheJsons() throws IOException {
        show("whole", 1400);
        JsonNode json = JsonMapper.builder().build().readTree(ComparisonJson.write(TestComparisons.whole()));
        JsonNode cells = page.value("[...document.querySelectorAll('#all tr')].map(row =>"
                + " [...row.cells].map(cell => cell.innerText.replace(/\\s+/g, ' ').trim()))");
        ReportNumbers.check(
                cells.valueStream()
                        .map(row -> row.valueStream().map(JsonNode::asString).toList())
                        .toList(),
                json);
        List<String> decode = page.value(
                        "[...document.querySelectorAll('[aria-labelledby=\"decode-wide-title\"] .value')]"
                                + ".map(e => e.textContent)")
                .valueStream()
                .map(JsonNode::asString)
                .toList();
        List<Double> medians = json.path("formats")
                .valueStream()
                .flatMap(format -> format.path("speeds").valueStream())
                .filter(speed -> speed.path("generated").asInt() > 0
                        && speed.path("threads").asInt() == 2)
                .map(speed ->
                        speed.path("tokens_per_second").path("samples").get(3).asDouble() / 0.994)
                .sorted((a, b) -> Double.compare(b, a))
                .toList();
        assertThat(decode)
                .hasSize(medians.size() + TestComparisons.whole().rivals().size() - 1);
        for (int i = 0; i < medians.size(); i++) {
            ReportNumbers.same(decode.get(i), medians.get(i));
        }
    }

    @Test
    void barsAreAsLongAsTheirNumbers() throws IOException {
        show("whole", 1400);
        for (String chart : List.of("decode", "prefill", "memory")) {
            JsonNode ratios = page.value(
                    "[...document.querySelectorAll('[aria-labelledby=\"" + chart + "-wide-title\"] g')].map(g =>"
                            + " g.querySelector('.bar').getAttribute('width')"
                            + " / g.querySelector('.value').textContent.replaceAll(',',"
                            + " ''))");
            assertThat(ratios.size()).isGreaterThan(9);
            double first = ratios.get(0).asDouble();
            ratios.forEach(
                    ratio -> assertThat(ratio.asDouble() / first).as(chart).isBetween(0.985, 1.015));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"light", "dark"})
    void chartsStandAlone(String scheme) throws IOException {
        page.prefer("prefers-color-scheme", scheme);
        page.size(760, 480, false);
        Path file = folder.resolve("chart.svg");
        for (Map.Entry<String, String> chart :
                SvgCharts.of(TestComparisons.whole()).entrySet()) {
            Files.writeString(file, chart.getValue());
            page.go(file.toUri());
            assertThat(page.value(BAD_LABELS)).as(chart.getKey()).isEmpty();
            assertThat(page.value("getComputedStyle(document.querySelector('.paper')).fill")
                            .asString())
                    .isEqualTo(scheme.equals("dark") ? "rgb(21, 23, 27)" : "rgb(255, 255, 255)");
            page.screenshot("chart-" + chart.getKey().replace(".svg", "-" + scheme));
        }
    }

    @Test
    void whoHearsThePageHasAllOfIt() throws IOException {
        show("whole", 1400);
        String ids = "[...document.querySelectorAll('[id]')].map(e => e.id)";
        assertThat(page.value("new Set(" + ids + ").size === " + ids + ".length")
                        .asBoolean())
                .isTrue();
        assertThat(page.count("h1")).isEqualTo(1);
        assertThat(page.value("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])"
                                + ".every((level, i, all) => i === 0 || level <= all[i - 1] + 1)")
                        .asBoolean())
                .isTrue();
        assertThat(page.value("[...document.querySelectorAll('[aria-labelledby], [aria-describedby]')].every(e =>"
                                + " ['aria-labelledby', 'aria-describedby'].every(a => !e.hasAttribute(a)"
                                + " || document.getElementById(e.getAttribute(a)).textContent.length > 0))")
                        .asBoolean())
                .isTrue();
        assertThat(page.count("svg:not([role=img])")).isZero();
        assertThat(page.count("th:not([scope])")).isZero();
        assertThat(page.value("document.documentElement.lang").asString()).isEqualTo("en");
        page.run("document.querySelector('.scroll').focus()");
        assertThat(page.value("document.activeElement.ariaLabel").asString()).isEqualTo("Table of all numbers");
    }

    @Test
    void paperGetsTheWholePageInDarkOnWhite() throws IOException {
        page.prefer("prefers-color-scheme", "dark");
        show("whole", 680); // A4 between its margins
        page.media("print");
        assertThat(page.value("getComputedStyle(document.body).backgroundColor").asString())
                .isEqualTo("rgb(255, 255, 255)");
        assertThat(page.value("document.querySelector('#all').scrollWidth").asInt())
                .as("landscape")
                .isLessThanOrEqualTo(1030);
        page.run("document.querySelector('.numbers').remove()");
        assertThat(page.value("document.documentElement.scrollWidth").asInt()).isLessThanOrEqualTo(680);
        assertThat(page.value(BAD_LABELS)).isEmpty();
        assertThat(page.faintTexts()).isEmpty();
        screenshot("print", 680);
    }
}
