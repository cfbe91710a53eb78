package dev.tern.measure.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.measure.MachineLimits;
import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.ComparisonJson;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Method;
import dev.tern.measure.comparison.ModelFacts;
import dev.tern.measure.comparison.Origin;
import dev.tern.measure.comparison.Quality;
import dev.tern.measure.comparison.RivalResult;
import dev.tern.measure.comparison.TestComparisons;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class HtmlReportTest {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();
    private static final String NASTY =
            "<script>alert(1)</script> & \"q\" 'a' `b` | *c* _d_ \u0000\u0007\n</style></title> [x](y) $z$";

    @Test
    void everyNumberOfTheTableIsTheJsons() {
        Comparison whole = TestComparisons.whole();
        JsonNode json = MAPPER.readTree(ComparisonJson.write(whole));
        ReportNumbers.check(Html.table(HtmlReport.html(whole), "all"), json);
        ReportNumbers.check(ReportNumbers.tables(MarkdownReport.markdown(whole)), json);
    }

    @Test
    void everyMeasurementIsListed() {
        Comparison whole = TestComparisons.whole();
        List<List<String>> rows = Html.table(HtmlReport.html(whole), "every");
        JsonNode json = MAPPER.readTree(ComparisonJson.write(whole));
        List<JsonNode> speeds = new ArrayList<>();
        for (String kind : List.of("formats", "rivals")) {
            json.path(kind).forEach(entry -> entry.path("speeds").forEach(speeds::add));
        }
        assertThat(rows).hasSize(1 + speeds.size());
        for (int i = 0; i < speeds.size(); i++) {
            List<String> row = rows.get(i + 1);
            assertThat(row.get(2)).isEqualTo(speeds.get(i).path("threads").toString());
            List<Double> samples = speeds.get(i)
                    .path("tokens_per_second")
                    .path("samples")
                    .valueStream()
                    .map(JsonNode::asDouble)
                    .toList();
            String[] shown = row.get(6).split(" · ");
            assertThat(shown).hasSize(samples.size());
            for (int s = 0; s < shown.length; s++) {
                ReportNumbers.same(shown[s], samples.get(s));
            }
            ReportNumbers.same(row.get(3), samples.stream().sorted().toList().get(samples.size() / 2));
            ReportNumbers.same(row.get(4), samples.stream().min(Double::compare).orElseThrow());
            ReportNumbers.same(row.get(5), samples.stream().max(Double::compare).orElseThrow());
        }
        assertThat(rows.get(1).subList(0, 3)).containsExactly("tq1_0", "pp512", "1");
    }

    @Test
    void limitsAndMachineAreThere() {
        String html = HtmlReport.html(TestComparisons.whole());
        assertThat(Html.table(html, "limits"))
                .contains(
                        List.of("reads of memory, pages of 2 MiB", "2", "34.6 GB/s"),
                        List.of("8-bit dot products, avx512vnni", "2", "937 Gop/s"));
        assertThat(Html.text(html))
                .contains(
                        "AMD EPYC 9B14",
                        "commit 236e55e1f0",
                        "on 1 and 2 threads.",
                        "25.0.1+8-LTS",
                        "1bit-2025-06",
                        "--rivals bench/rivals/rivals.json -o report.html",
                        "Other work ran on this machine meanwhile");
    }

    @Test
    void nothingIsAskedFromAnywhere() {
        String html = HtmlReport.html(TestComparisons.whole());
        assertThat(html)
                .contains("default-src &#39;none&#39;")
                .doesNotContain("<script", "@import", "url(", " src=", "@font-face");
        assertThat(Html.all("href=\"([^\"]*)\"", html)).containsOnly("data:,");
    }

    @Test
    void theBestOfAColumnIsMarkedAndASharedOneIsNot() {
        List<List<String>> rows = Html.table(HtmlReport.html(TestComparisons.whole()), "all");
        int decode = rows.get(1).indexOf("Decode tokens/s") + 1;
        List<String> best = rows.stream()
                .filter(row -> row.size() > decode && row.get(decode).contains(" best"))
                .map(List::getFirst)
                .toList();
        assertThat(best).containsExactly("tl2");
        int read = rows.get(1).indexOf("Read per token MB") + 1;
        assertThat(rows)
                .filteredOn(row -> row.size() > read)
                .noneMatch(row -> row.get(read).contains("best"));
        assertThat(rows).extracting(List::getFirst).contains("tl1 failed", "tl2");
    }

    @Test
    void whatIsMissingIsSaidAndDrawsNoEmptyChart() {
        String bare = HtmlReport.html(TestComparisons.bare());
        assertThat(bare).doesNotContain("<svg");
        assertThat(Html.text(bare))
                .contains(
                        "tq1_0 failed: the disk is full.",
                        "No format was converted and measured without fault");
        String plain = HtmlReport.html(TestComparisons.plain(1));
        assertThat(Html.text(plain))
                .contains(
                        "Only tq1_0 was measured, so there is nothing to choose between.",
                        "Speed was measured in 5 rounds, each in a process of its own. Prefill reads 512 tokens,"
                                + " decode writes 128, on 2 threads.");
        assertThat(plain)
                .doesNotContain("id=\"size-wide\"", "id=\"threads-decode", "id=\"roof-wide", "<h2 id=\"threads\"")
                .doesNotContain("<h2 id=\"roofline\"", "class=\"winners\"", "Mean KL")
                .contains("id=\"decode-wide-title\"");
    }

    @Test
    void qualityThatIsTheSameForAllIsSaidInWords() {
        Quality same = new Quality(17.4287, 17.4287, 0, 0, 1, 2048, true);
        Comparison comparison = TestComparisons.with(TestComparisons.whole().formats().stream()
                .map(format -> TestComparisons.with(format, same))
                .toList());
        String html = HtmlReport.html(comparison);
        assertThat(Html.text(html))
                .contains("All logits equal the checkpoint's to the bit, so quality does not decide.");
        assertThat(html).doesNotContain("divergence-wide");
        assertThat(HtmlReport.html(TestComparisons.whole())).contains("divergence-wide");
    }

    @Test
    void textsFromOutsideStayTexts() {
        Comparison whole = TestComparisons.whole();
        Comparison nasty = new Comparison(
                new Origin(NASTY, NASTY, NASTY, NASTY, NASTY, 2, 1, NASTY, "avx512vnni", NASTY),
                new ModelFacts(NASTY, NASTY, NASTY, 1, 1, 1, 1, 1, 1, 1, 1, 1),
                new Method(1, 1, 1, List.of(1), NASTY, 1, NASTY),
                Optional.of(new MachineLimits(List.of(), List.of(new MachineLimits.Peak(NASTY, 1, 1)))),
                List.of(
                        rename(whole.formats().getFirst()),
                        new FormatResult(
                                NASTY,
                                NASTY,
                                Optional.of(NASTY),
                                1,
                                1,
                                1,
                                0,
                                false,
                                Optional.empty(),
                                Optional.empty(),
                                List.of(),
                                0,
                                0,
                                Optional.empty())),
                List.of(
                        new RivalResult(
                                NASTY,
                                NASTY,
                                NASTY,
                                5,
                                Optional.empty(),
                                whole.rivals().getFirst().speeds()),
                        new RivalResult(NASTY, NASTY, NASTY, 0, Optional.of(NASTY), List.of())),
                List.of(NASTY));
        String html = HtmlReport.html(nasty);
        Html.requireWellFormed(html);
        assertThat(html).doesNotContain("<script", "\u0000", "\u0007");
        assertThat(Html.all("(</(?:style|title)>)", html.substring(html.indexOf("<body>"))))
                .as("those of images alone")
                .allMatch("</title>"::equals);
        String markdown = MarkdownReport.markdown(nasty);
        assertThat(markdown.replaceAll("(?s)`+[^`].*?`+", "")).doesNotContain("<script");
        assertThat(ReportNumbers.tables(markdown))
                .as("of the two tables")
                .extracting(List::size)
                .containsOnly(7, 9);
    }

    private static FormatResult rename(FormatResult f) {
        return new FormatResult(
                NASTY,
                NASTY,
                f.failure(),
                f.fileBytes(),
                f.bitsPerWeight(),
                f.convertSeconds(),
                f.ternaryValues(),
                f.lossless(),
                f.loadSeconds(),
                f.firstTokenSeconds(),
                f.speeds(),
                f.bytesPerToken(),
                f.peakBytes(),
                f.quality());
    }

    @Test
    void whateverWasMeasuredGivesAPage() {
        SplittableRandom random = new SplittableRandom(17);
        for (int i = 0; i < 60; i++) {
            Comparison comparison = any(random);
            String html = HtmlReport.html(comparison);
            Html.requireWellFormed(html);
            assertThat(Html.all("(?: (?:[xyd]|[xy][12]|c[xy]|r|width|height|viewBox)=\"([^\"]*)\")", html))
                    .noneMatch(value -> value.contains("NaN") || value.contains("∞") || value.contains("Infinity"));
            assertThat(MarkdownReport.markdown(comparison)).endsWith("\n").startsWith("# Which format");
        }
    }

    /** With whatever a machine, a failure or an edited file may leave in it. */
    private static Comparison any(SplittableRandom random) {
        Comparison whole = TestComparisons.whole();
        List<FormatResult> formats = new ArrayList<>();
        for (FormatResult f : whole.formats().subList(0, random.nextInt(12))) {
            formats.add(new FormatResult(
                    f.outtype(),
                    random.nextBoolean() ? "f16" : "",
                    random.nextInt(4) == 0 ? Optional.of("why") : Optional.empty(),
                    (long) value(random),
                    value(random),
                    value(random),
                    random.nextInt(3),
                    random.nextBoolean(),
                    maybe(random),
                    maybe(random),
                    speeds(random),
                    (long) value(random),
                    (long) value(random),
                    random.nextBoolean()
                            ? Optional.empty()
                            : Optional.of(new Quality(
                                    value(random),
                                    value(random),
                                    value(random),
                                    value(random),
                                    random.nextDouble(),
                                    random.nextInt(3),
                                    random.nextInt(4) == 0))));
        }
        List<RivalResult> rivals = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            rivals.add(new RivalResult("engine " + i, "", "", (long) value(random), Optional.empty(), speeds(random)));
        }
        return new Comparison(
                whole.origin(),
                whole.model(),
                new Method(
                        random.nextInt(3),
                        random.nextInt(3),
                        random.nextInt(3),
                        List.of(),
                        random.nextBoolean() ? "t" : "",
                        0,
                        ""),
                random.nextBoolean()
                        ? Optional.empty()
                        : Optional.of(new MachineLimits(
                                List.of(
                                        new MachineLimits.Read(2, false, value(random)),
                                        new MachineLimits.Read(1, true, value(random))),
                                List.of(new MachineLimits.Peak("avx512vnni", 2, value(random))))),
                formats,
                rivals,
                List.of());
    }

    private static double value(SplittableRandom random) {
        return switch (random.nextInt(9)) {
            case 0 -> 0;
            case 1 -> Double.NaN;
            case 2 -> Double.POSITIVE_INFINITY;
            case 3 -> -random.nextDouble();
            default -> Math.pow(10, random.nextDouble(-6, 10));
        };
    }

    private static Optional<Spread> maybe(SplittableRandom random) {
        return random.nextBoolean() ? Optional.empty() : Optional.of(spread(random));
    }

    private static Spread spread(SplittableRandom random) {
        double[] samples = new double[random.nextInt(1, 4)];
        for (int i = 0; i < samples.length; i++) {
            samples[i] = value(random);
        }
        return Spread.of(samples);
    }

    private static List<Speed> speeds(SplittableRandom random) {
        List<Speed> speeds = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
            int prompt = random.nextInt(3);
            speeds.add(new Speed(
                    prompt,
                    random.nextInt(prompt == 0 ? 1 : 0, 3),
                    random.nextInt(2),
                    random.nextInt(1, 4),
                    spread(random)));
        }
        return speeds;
    }

    @Test
    void chartsAreFilesToo() {
        SequencedMap<String, String> charts = SvgCharts.of(TestComparisons.whole());
        assertThat(charts.keySet())
                .containsExactly(
                        "size.svg",
                        "decode.svg",
                        "prefill.svg",
                        "threads-decode.svg",
                        "threads-prefill.svg",
                        "roof.svg",
                        "first-token.svg",
                        "memory.svg",
                        "divergence.svg");
        charts.values().forEach(Html::requireWellFormed);
        assertThat(charts.values()).allMatch(svg -> svg.startsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assertThat(charts.values()).noneMatch(svg -> svg.contains("href") || svg.contains("url("));
        assertThat(SvgCharts.of(TestComparisons.bare())).isEmpty();
    }

    @Test
    void theSystemsLanguageChangesNothing() {
        String html = HtmlReport.html(TestComparisons.whole());
        String markdown = MarkdownReport.markdown(TestComparisons.whole());
        Locale before = Locale.getDefault();
        try {
            for (String language : List.of("tr-TR", "de-DE", "ar-EG-u-nu-arab")) {
                Locale.setDefault(Locale.forLanguageTag(language));
                assertThat(HtmlReport.html(TestComparisons.whole())).isEqualTo(html);
                assertThat(MarkdownReport.markdown(TestComparisons.whole())).isEqualTo(markdown);
            }
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void theSameComparisonGivesTheSamePage() {
        assertThat(HtmlReport.html(TestComparisons.whole())).isEqualTo(HtmlReport.html(TestComparisons.whole()));
        assertThat(HtmlReport.html(TestComparisons.whole()).length()).isLessThan(250_000);
        Html.requireWellFormed(HtmlReport.html(TestComparisons.whole()));
    }
}
