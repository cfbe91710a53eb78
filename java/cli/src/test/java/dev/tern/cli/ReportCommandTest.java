package dev.tern.cli;

import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.ComparisonJson;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Method;
import dev.tern.measure.comparison.ModelFacts;
import dev.tern.measure.comparison.Origin;
import dev.tern.measure.report.HtmlReport;
import dev.tern.measure.report.MarkdownReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportCommandTest {
    private static final Comparison COMPARISON = new Comparison(
            new Origin("2026-01-02T03:04:05Z", "1", "", "25", "a CPU", 2, 0, "an OS", "avx2", "tern compare m"),
            new ModelFacts(
                    "m", "BitNetForCausalLM", "online", 1, 256, 512, 4, 2, 1000, 2_000_000, 1_000_000, 5_000_000),
            new Method(2, 16, 8, List.of(2), "", 0, ""),
            Optional.empty(),
            List.of(format("tq1_0", 700_000, 39), format("i2_s", 800_000, 45)),
            List.of(),
            List.of());

    @TempDir
    private Path folder;

    private Path json;

    private static FormatResult format(String outtype, long bytes, double decode) {
        return new FormatResult(
                outtype,
                "f16",
                Optional.empty(),
                bytes,
                2,
                1,
                1_000_000,
                true,
                Optional.empty(),
                Optional.empty(),
                List.of(new Speed(0, 8, 0, 2, Spread.of(decode, decode + 0.5))),
                0,
                0,
                Optional.empty());
    }

    @BeforeEach
    void write() throws IOException {
        json = folder.resolve("report.json");
        Files.writeString(json, ComparisonJson.write(COMPARISON));
    }

    @Test
    void aComparisonIsShownAgain() throws IOException {
        Path page = folder.resolve("report.html");
        Path copy = folder.resolve("copy.json");
        InProcess.Result result = tern("report", json, "-o", page, "-o", copy);
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEmpty();
        assertThat(page).hasContent(HtmlReport.html(COMPARISON));
        assertThat(copy).hasSameTextualContentAs(json);
        InProcess.Result printed = tern("report", json);
        assertThat(printed.status()).isZero();
        assertThat(printed.out()).isEqualTo(MarkdownReport.markdown(COMPARISON)).contains("Take `i2_s` for speed");
    }

    @Test
    void chartsBecomeFiles() throws IOException {
        Path charts = folder.resolve("a/charts");
        InProcess.Result result = tern("report", json, "--charts", charts);
        assertThat(result.status()).as(result.err()).isZero();
        try (Stream<Path> files = Files.list(charts)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("size.svg", "decode.svg");
        }
        assertThat(Files.readString(charts.resolve("decode.svg")))
                .startsWith("<svg xmlns=")
                .contains(">i2_s</text>");
    }

    @Test
    void whatIsNoComparisonOrNoReportIsRefused() throws IOException {
        Path page = folder.resolve("report.html");
        Files.writeString(json, "{\"format\": \"other\"}");
        InProcess.Result result = tern("report", json, "-o", page);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("this is no comparison");
        assertThat(page).doesNotExist();
        assertThat(tern("report", folder.resolve("none.json")).status()).isEqualTo(1);
        InProcess.Result usage = tern("report", json, "-o", folder.resolve("report.pdf"));
        assertThat(usage.status()).isEqualTo(2);
        assertThat(usage.err()).contains(".html, .md or .json");
        InProcess.Result blocked = tern("report", json, "--charts", json.resolve("x"));
        assertThat(blocked.status()).isEqualTo(1);
    }
}
