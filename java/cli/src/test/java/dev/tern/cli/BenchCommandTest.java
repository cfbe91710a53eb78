package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tern.kernels.FloatType;
import dev.tern.kernels.TernaryLayout;
import dev.tern.kernels.ThreadAffinity;
import dev.tern.measure.BenchResult;
import dev.tern.measure.BenchTest;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.ModelBench;
import dev.tern.measure.Roofline;
import dev.tern.measure.Samples;
import dev.tern.model.HeadScreen;
import dev.tern.model.TokenWork;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
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
        return benchAll("-p 4 -n 4 -t 1 -r 1 " + options);
    }

    private static InProcess.Result benchAll(String options) {
        Object[] arguments = ("bench -m @ " + options).strip().split(" +");
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
            assertThat(test.path("layout").asString()).isIn("rows", "panels2", "panels5", "mixed");
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
        assertThat(csv.getFirst()).contains(",layout,pin,screen,");
        assertThat(csv.subList(1, 3)).allMatch(line -> line.contains(",\"panels2\",\"false\",\"on\","));
    }

    @Test
    void fieldsAreLlamaBenchsFirst() {
        List<String> names = List.copyOf(json("").path(0).propertyNames());
        assertThat(names.subList(0, 25)).containsExactly(
                "build_commit", "build_number", "cpu_info", "gpu_info", "backends",
                "model_filename", "model_type", "model_size", "model_n_params",
                "n_batch", "n_ubatch", "n_threads", "type_k", "type_v", "use_mmap",
                "n_prompt", "n_gen", "n_depth", "test_time",
                "avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "samples_ns", "samples_ts");
    }

    @Test
    void everyTestRunsAtEveryDepthAndBatch() {
        String options = "-p 4-4 -n 0,4 -t 1 -r 3 -pg 3,2 -pg 5,1 -d 0-6+6 -b 2,512 -o json";
        JsonNode tests = JSON.readTree(benchAll(options).out());
        assertThat(tests.size()).isEqualTo(16);
        List<String> names = tests.valueStream().map(test -> test.path("test").asString()).toList();
        assertThat(names.subList(0, 8)).isEqualTo(names.subList(8, 16)).containsExactly(
                "pp4", "pp4 @ d6", "tg4", "tg4 @ d6",
                "pp3+tg2", "pp3+tg2 @ d6", "pp5+tg1", "pp5+tg1 @ d6");
        for (int i = 0; i < tests.size(); i++) {
            JsonNode test = tests.path(i);
            assertThat(test.path("n_batch").asInt()).isEqualTo(i < 8 ? 2 : 512);
            int tokens = test.path("n_prompt").asInt() + test.path("n_gen").asInt();
            List<Double> rates = test.path("samples_ts").valueStream().map(JsonNode::asDouble).toList();
            assertThat(rates).hasSize(3).allMatch(rate -> rate > 0);
            assertThat(test.path("samples_ns").path(1).asLong() * rates.get(1))
                    .isCloseTo(tokens * 1e9, withPercentage(1e-6));
            assertThat(test.path("median_ts").asDouble()).isEqualTo(rates.stream().sorted().toList().get(1));
            assertThat(test.path("avg_ts").asDouble()).isBetween(Collections.min(rates), Collections.max(rates));
        }
    }

    @Test
    void aStartIsMeasured() {
        JsonNode tests = JSON.readTree(benchAll("-p 4 -n 4 -t 1,2 -r 1 -o json").out());
        long bytes = tests.path(0).path("model_size").asLong();
        for (JsonNode test : tests) {
            assertThat(test.path("load_ns").asLong()).isPositive();
            assertThat(test.path("first_token_ns").asLong()).isPositive();
            assertThat(test.path("weight_bytes_per_token").asLong()).isBetween(bytes / 2, 2 * bytes);
            assertThat(test.path("cache_bytes_per_position").asLong()).isPositive();
        }
        boolean linux = System.getProperty("os.name").equals("Linux");
        assertThat(tests.path(0).path("process_first_token_ns").isNumber()).isEqualTo(linux);
        assertThat(tests.path(2).path("process_first_token_ns").isNull()).isTrue();
        if (linux) {
            JsonNode first = tests.path(0);
            assertThat(first.path("process_first_token_ns").asLong() + 10_000_000)
                    .isGreaterThan(first.path("load_ns").asLong() + first.path("first_token_ns").asLong());
            assertThat(first.path("peak_rss").asLong()).isGreaterThan(bytes);
            assertThat(tests.path(1).path("peak_rss").asLong())
                    .isGreaterThanOrEqualTo(first.path("peak_rss").asLong());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-pg 4", "-pg 4,x", "-pg 4,-1", "-d -1", "-b 0-2", "-n 0 -p 0", "-t 4-1",
                "-pg 999999999,999999999 -d 999999999"
            })
    void whatCannotBeMeasuredIsSaid(String options) {
        InProcess.Result result = tern((Object[]) ("bench -m " + model + " " + options).split(" "));
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).startsWith("tern: ");
    }

    @Test
    void aRooflineShowsTheShareReached() {
        JsonNode tests = json("--roofline");
        assertThat(tests.path(0).path("process_first_token_ns").isNull()).isTrue(); // the measurement would be in it
        JsonNode prompt = tests.path(0);
        boolean java = prompt.path("backends").asString().equals("java");
        assertThat(prompt.path("roofline_bound").asString("")).isEqualTo(java ? "" : "products");
        assertThat(tests.path(1).path("roofline_bound").asString()).isEqualTo("read");
        for (JsonNode test : tests) {
            if (!test.path("roofline_bound").isNull()) {
                double reached = test.path("roofline_reached").asDouble();
                assertThat(reached).isPositive();
                assertThat(test.path("roofline_share").asDouble())
                        .isCloseTo(reached / test.path("roofline_limit").asDouble(), withPercentage(1e-9));
            }
        }
        double bytes = tests.path(1).path("weight_bytes_per_token").asDouble()
                + 2.5 * tests.path(1).path("cache_bytes_per_position").asDouble();
        assertThat(tests.path(1).path("roofline_reached").asDouble())
                .isCloseTo(bytes * tests.path(1).path("median_ts").asDouble() / 1e9, withPercentage(1e-9));
    }

    @Test
    void tablesOfARooflineLineUp() {
        List<String> lines = RooflineTable.markdown(new MachineLimits(
                        List.of(new MachineLimits.Read(1, false, 1234567.8), new MachineLimits.Read(2, true, 3.14)),
                        List.of(new MachineLimits.Peak("amx", 2, 12345), new MachineLimits.Peak("avx512vnni", 2, 7))))
                .lines()
                .filter(line -> line.startsWith("|"))
                .toList();
        assertThat(lines).hasSize(4).extracting(String::length).containsOnly(lines.getFirst().length());
        assertThat(lines.get(2)).matches("\\| +1 \\| +1234567.8 \\| +\\| +\\| +\\|");
        assertThat(lines.get(3)).matches("\\| +2 \\| +\\| +3.1 \\| +12345 \\| +7 \\|");
        String cell = RooflineTable.cell(Optional.of(new Roofline.Share(Roofline.Bound.READ, 30, 40.04)));
        assertThat(cell).hasSameSizeAs(RooflineTable.HEADING).contains(" 75 % of 40.0 GB/s |");
        assertThat(RooflineTable.cell(Optional.empty())).isEqualTo(" ".repeat(24) + "|");
    }

    @Test
    void backendsNameWhatWasAskedFor() {
        assertThat(setup(Optional.of(TernaryLayout.PANELS_5TRIT), false, false, false).backend()).isEqualTo("avx2");
        assertThat(setup(Optional.of(TernaryLayout.PANELS_5TRIT), true, false, true).backend())
                .isEqualTo("avx2 panels5 pin");
        assertThat(setup(Optional.empty(), true, false, false).backend()).isEqualTo("avx2");
        assertThat(setup(Optional.of(TernaryLayout.ROWS), false, true, true).backend()).isEqualTo("avx2 mmap pin");
        BenchReport.Setup plain = setup(Optional.empty(), false, false, false);
        BenchResult result = new BenchResult(
                new BenchTest(0, 8, 0),
                1,
                Instant.EPOCH,
                new Samples(new long[] {1}, 1),
                OptionalLong.empty(),
                Optional.empty());
        assertThat(new BenchReport.Test(plain, result).name()).isEqualTo("tg8");
    }

    private static BenchReport.Setup setup(
            Optional<TernaryLayout> layout, boolean layoutAsked, boolean mapped, boolean pin) {
        return new BenchReport.Setup(
                1,
                512,
                FloatType.F16,
                "avx2",
                false,
                layout,
                layoutAsked,
                mapped,
                pin,
                HeadScreen.OFF,
                new ModelBench.Start(1, 1, OptionalLong.empty(), true),
                new TokenWork(1, 1, 1, 1));
    }

    @Test
    void aMappedFileHasNoPanels() {
        InProcess.Result result = tern("bench", "-m", model, "--mmap", "--layout", "panels5");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("tern: ").contains("layout of a mapped file");
    }
}
