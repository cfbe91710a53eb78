package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.ThreadAffinity;
import dev.tern.measure.Samples;
import dev.tern.model.HeadScreen;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Results say how the model was loaded that gave them. */
class BenchCommandTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        model = folder.resolve("tiny.gguf");
        InProcess.Result result = tern("convert", PACKED, "-o", model, "--outtype", "i2_s");
        assertThat(result.status()).as(result.err()).isZero();
    }

    private static InProcess.Result bench(String options) {
        Object[] arguments = ("bench -m @ -p 4 -n 4 -t 1 -r 1 " + options).strip().split(" +");
        arguments = List.of(arguments).stream().map(word -> word.equals("@") ? model : word).toArray();
        InProcess.Result result = tern(arguments);
        assertThat(result.status()).as(result.err()).isZero();
        return result;
    }

    private static JsonNode json(String options) {
        JsonNode tests = JSON.readTree(bench(options + " -o json").out());
        assertThat(tests.size()).isEqualTo(2);
        return tests;
    }

    @ParameterizedTest
    @CsvSource({"rows, false", "panels2, false", "panels5, false", "rows, true"})
    void layoutsAreMeasuredAndReported(String layout, boolean mapped) {
        for (JsonNode test : json("--layout " + layout + (mapped ? " --mmap" : ""))) {
            assertThat(test.path("layout").asString()).isEqualTo(layout);
            assertThat(test.path("use_mmap").asBoolean()).isEqualTo(mapped);
            assertThat(test.path("pin").asBoolean()).isFalse();
            assertThat(test.path("screen").asString()).isEqualTo("off");
        }
    }

    @Test
    void theDefaultsLayoutIsReportedToo() {
        for (JsonNode test : json("")) {
            assertThat(test.path("layout").asString()).isIn("rows", "panels2", "panels5");
            assertThat(test.path("use_mmap").isBoolean()).isTrue();
            assertThat(test.path("use_mmap").asBoolean()).isFalse();
        }
    }

    @Test
    void screensAreReported() {
        for (String screen : List.of("auto", "on")) {
            for (JsonNode test : json("--screen " + screen)) {
                assertThat(test.path("screen").asString()).isEqualTo(screen);
            }
        }
    }

    @Test
    void boundThreadsAreReported() {
        assumeThat(ThreadAffinity.obstacle()).isEmpty();
        for (JsonNode test : json("--pin")) {
            assertThat(test.path("pin").asBoolean()).isTrue();
        }
    }

    @Test
    void tablesShowWhatIsNotTheDefault() {
        List<String> plain = bench("").out().lines().toList();
        String tier = json("").path(0).path("backends").asString();
        assertThat(cell(plain.get(2), 4)).isEqualTo(tier);
        assertThat(cell(plain.get(2), 6)).isEqualTo("pp4");
        assertThat(cell(plain.get(3), 6)).isEqualTo("tg4");

        List<String> rows = bench("--layout rows --mmap --screen on").out().lines().toList();
        assertThat(rows.subList(0, 4)).extracting(String::length).containsOnly(rows.getFirst().length());
        assertThat(cell(rows.get(2), 4)).isEqualTo(tier + " rows mmap");
        assertThat(cell(rows.get(2), 6)).isEqualTo("pp4");
        assertThat(cell(rows.get(3), 6)).isEqualTo("tg4 screen=on");
    }

    private static String cell(String row, int column) {
        return row.split("\\|")[column].strip();
    }

    @Test
    void csvHasTheSameFields() {
        List<String> csv = bench("--layout panels2 --screen on -o csv").out().lines().toList();
        assertThat(csv).hasSize(3);
        assertThat(csv.getFirst()).contains(",use_mmap,layout,pin,screen,");
        assertThat(csv.subList(1, 3)).allMatch(line -> line.contains(",\"false\",\"panels2\",\"false\",\"on\","));
    }

    @Test
    void backendsNameWhatWasAskedFor() {
        assertThat(setup(Optional.of(TernaryLayout.PANELS_5TRIT), false, false, false).backend()).isEqualTo("avx2");
        assertThat(setup(Optional.of(TernaryLayout.PANELS_5TRIT), true, false, true).backend())
                .isEqualTo("avx2 panels5 pin");
        assertThat(setup(Optional.empty(), true, false, false).backend()).isEqualTo("avx2");
        assertThat(setup(Optional.of(TernaryLayout.ROWS), false, true, true).backend()).isEqualTo("avx2 mmap pin");
        BenchReport.Setup plain = setup(Optional.empty(), false, false, false);
        Samples samples = new Samples(new long[] {1}, 1);
        assertThat(new BenchReport.Test(0, 8, plain, Instant.EPOCH, samples, null).name()).isEqualTo("tg8");
    }

    private static BenchReport.Setup setup(
            Optional<TernaryLayout> layout, boolean layoutAsked, boolean mapped, boolean pin) {
        return new BenchReport.Setup(
                1, 512, FloatType.F16, "avx2", layout, layoutAsked, mapped, pin, HeadScreen.OFF);
    }

    @Test
    void aMappedFileHasNoPanels() {
        InProcess.Result result = tern("bench", "-m", model, "--mmap", "--layout", "panels5");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("tern: ").contains("layout of a mapped file");
    }
}
