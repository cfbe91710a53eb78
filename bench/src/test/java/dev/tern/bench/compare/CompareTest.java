package dev.tern.bench.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.tern.bench.compare.RunComparison.Row;
import dev.tern.bench.compare.RunComparison.Samples;
import dev.tern.bench.compare.RunComparison.Verdict;
import dev.tern.io.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two files in JMH's form, of which every interval is known from SciPy (as in {@link RatioIntervalTest}). */
class CompareTest {
    @TempDir
    Path folder;

    private Path before;
    private Path after;

    @BeforeEach
    void copy() throws IOException {
        before = copy("before.json");
        after = copy("after.json");
    }

    private Path copy(String name) throws IOException {
        try (InputStream in = CompareTest.class.getResourceAsStream(name)) {
            Files.copy(in, folder.resolve(name));
        }
        return folder.resolve(name);
    }

    @Test
    void rowsArePairedByBenchmarkAndParameters() {
        RunComparison comparison = compare(false);
        assertThat(comparison.rows())
                .extracting(row -> row.id().shortName() + row.id().parameters(), Row::samples, Row::verdict)
                .containsExactly(
                        tuple("TernaryMatmul.matmul{tier=AVX2, tokens=1}", Samples.FORKS, Verdict.FASTER),
                        tuple("TernaryMatmul.matmul{tier=AVX2, tokens=8}", Samples.FORKS, Verdict.UNDECIDED),
                        tuple("Decode.step{layers=4}", Samples.ITERATIONS, Verdict.SLOWER),
                        tuple("Call.addEightFloats{}", Samples.ITERATIONS, Verdict.UNKNOWN));
        assertThat(comparison.onlyA()).extracting(id -> id.parameters().get("threads")).containsExactly("2");
        assertThat(comparison.onlyB()).extracting(id -> id.parameters().get("threads")).containsExactly("1");
    }

    /** Rates and times alike: above 1 the second run is the faster one. */
    @Test
    void intervalsAreThoseOfForksWhereThereAreAny() {
        List<Row> rows = compare(false).rows();
        is(rows.get(0), 1.4851485148514851, 1.4003778268352958, 1.5800992307555877);
        is(rows.get(1), 0.9980013324450365, 0.9894548034273736, 1.0065992682614757);
        is(rows.get(2), 0.8, 0.7916110780848771, 0.8084581460387057);
        assertThat(rows.get(0).a()).isCloseTo(101, within(1e-9));
        assertThat(rows.get(0).b()).isCloseTo(150, within(1e-9));
        assertThat(rows.get(3).speed()).isEqualTo(2);
        assertThat(rows.get(3).interval()).isNull();
    }

    @Test
    void forksMayBePairs() {
        Row row = compare(true).rows().getFirst();
        assertThat(row.samples()).isEqualTo(Samples.PAIRS);
        is(row, 1.4851485148514851, 1.415789951911605, 1.5641008818795188);
    }

    @Test
    void theTableSaysWhatIsSureAndWhatIsMissing() {
        BenchmarkRun a = BenchmarkRun.read(before);
        BenchmarkRun b = BenchmarkRun.read(after);
        String text = ComparisonTable.of(RunComparison.of(a, b, false, 0.95), a, b, 0.95);
        assertThat(text.lines())
                .contains("A: before.json", "B: after.json", "only in A:", "  Stage.emptyStage threads=2", "only in B:")
                .anyMatch(line -> line.matches("\\| TernaryMatmul.matmul \\| tier=AVX2 tokens=1 +\\| +101.0 \\| "
                        + "+150.0 \\| ops/s +\\| +1.485 \\| +1.400 – 1.580 \\| faster +\\|"))
                .anyMatch(line -> line.matches("\\| Decode.step .* 400.0 .* 500.0 .* 0.8000 .*SLOWER.*"))
                .anyMatch(line -> line.matches("\\| Call.addEightFloats .* 2.000 .* none .*\\?.*"));
        assertThat(text).contains("Fieller", "means of forks", "iterations of one fork");
    }

    @Test
    void whatAllHaveInCommonIsSaidOnce() throws IOException {
        String one = Files.readString(before).replace("\"layers\": \"4\"", "\"tier\": \"AVX2\"");
        int end = one.indexOf("CallBenchmark");
        Files.writeString(before, one.substring(0, one.lastIndexOf("{", end)).strip().replaceFirst(",$", "") + "]");
        BenchmarkRun run = BenchmarkRun.read(before);
        String text = ComparisonTable.of(RunComparison.of(run, run, false, 0.95), run, run, 0.95);
        assertThat(text).contains("all: tier=AVX2\n").contains("| tokens=8 ").doesNotContain("tier=AVX2 tokens");
    }

    @Test
    void roundsBecomeForksOfOneRun() throws IOException {
        Path merged = folder.resolve("merged.json");
        RoundFiles.merge(List.of(before, before, before), merged);
        BenchmarkRun run = BenchmarkRun.read(merged);
        assertThat(run.results().values()).extracting(scores -> scores.forks().size()).containsExactly(9, 9, 3, 3, 3);
        assertThat(run.results().firstEntry().getValue().mean()).isCloseTo(101, within(1e-9));
        assertThat(BenchmarkRun.array(merged).get(0).get("primaryMetric").get("score").asDouble())
                .isCloseTo(101, within(1e-9));
        assertThatThrownBy(() -> RoundFiles.merge(List.of(before, after), merged))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("after.json: a round is not of the first one's benchmarks");
    }

    @Test
    void refusesWhatCannotBeCompared() throws IOException {
        Path other = folder.resolve("other.json");
        Files.writeString(other, Files.readString(after).replace("us/op", "ms/op"));
        assertThatThrownBy(() -> RunComparison.of(BenchmarkRun.read(before), BenchmarkRun.read(other), false, 0.95))
                .isInstanceOf(InputException.class)
                .hasMessage("other.json: Decode.step has another unit than in before.json; expected us/op, "
                        + "found ms/op. Give both runs the same -tu.");
        Files.writeString(other, "{\"a\": 1}");
        assertThatThrownBy(() -> BenchmarkRun.read(other))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("other.json: not a file of JMH's results; expected an array of results");
        Files.writeString(other, Files.readString(before).replace("rawData", "rawDataHistogram"));
        assertThatThrownBy(() -> BenchmarkRun.read(other)).hasMessageContaining("no scores of single iterations");
        Files.writeString(other, "[");
        assertThatThrownBy(() -> BenchmarkRun.read(other)).hasMessageContaining("not valid JSON");
        assertThatThrownBy(() -> BenchmarkRun.read(folder.resolve("none.json")))
                .hasMessageContaining("none.json: cannot be read: no such file");
    }

    @Test
    void theCommandChecksItsArguments() {
        assertThat(Compare.run(new String[] {before.toString(), after.toString()})).isZero();
        assertThat(Compare.run(new String[] {before.toString()})).isEqualTo(2);
        assertThat(Compare.run(new String[] {"--nonsense", before.toString(), after.toString()})).isEqualTo(2);
        assertThat(Compare.run(new String[] {"--confidence", "95", before.toString(), after.toString()})).isEqualTo(2);
        assertThat(Compare.run(new String[] {before.toString(), folder.resolve("none").toString()})).isEqualTo(2);
        assertThat(Compare.run(new String[] {"--help"})).isZero();
    }

    private RunComparison compare(boolean paired) {
        return RunComparison.of(BenchmarkRun.read(before), BenchmarkRun.read(after), paired, 0.95);
    }

    private static void is(Row row, double speed, double low, double high) {
        assertThat(row.speed()).isCloseTo(speed, within(1e-9));
        assertThat(row.interval().low()).isCloseTo(low, within(1e-9));
        assertThat(row.interval().high()).isCloseTo(high, within(1e-9));
    }
}
