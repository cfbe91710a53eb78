package dev.tern.measure.comparison;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.io.InputException;
import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComparisonJsonTest {
    private static final String WHOLE = ComparisonJson.write(TestComparisons.whole());

    @Test
    void whatIsReadIsWhatWasWritten(@TempDir Path folder) throws IOException {
        for (Comparison comparison :
                List.of(TestComparisons.whole(), TestComparisons.bare(), TestComparisons.plain(2))) {
            Path file = folder.resolve("report.json");
            Files.writeString(file, ComparisonJson.write(comparison));
            assertThat(ComparisonJson.read(file)).isEqualTo(comparison);
            assertThat(ComparisonJson.write(ComparisonJson.read(file))).isEqualTo(Files.readString(file));
        }
    }

    @Test
    void everyDoubleComesBackBitForBit() {
        SplittableRandom random = new SplittableRandom(7);
        double[] samples = random.longs(1000).mapToDouble(Double::longBitsToDouble).filter(d -> d == d).toArray();
        samples[0] = -0.0;
        samples[1] = Double.MIN_VALUE;
        samples[2] = Double.MAX_VALUE;
        samples[3] = Double.POSITIVE_INFINITY;
        samples[4] = Double.NEGATIVE_INFINITY;
        samples[5] = Double.NaN;
        samples[6] = 3;
        samples[7] = 1e23;
        samples[8] = 2e-3;
        FormatResult first = TestComparisons.whole().formats().getFirst();
        FormatResult odd = new FormatResult(first.outtype(), "", Optional.empty(), Long.MAX_VALUE, 1, 1, Long.MIN_VALUE, true,
                Optional.of(Spread.of(samples)), Optional.empty(), List.of(new Speed(1, 2, 3, 4, Spread.of(samples))), 1, 1,
                Optional.empty());
        Comparison comparison = TestComparisons.with(List.of(odd));
        assertThat(ComparisonJson.parse(ComparisonJson.write(comparison), "text")).isEqualTo(comparison);
    }

    @Test
    void textsComeBackWhateverTheyHold() {
        RivalResult odd = new RivalResult("a \"b\" \\ <c>\n\u0000\u2028 ü 🐦", "", "", 0, Optional.of(""), List.of());
        Comparison whole = TestComparisons.whole();
        Comparison comparison = new Comparison(whole.origin(), whole.model(), whole.method(), Optional.empty(), List.of(),
                List.of(odd), List.of("", "\t"));
        assertThat(ComparisonJson.parse(ComparisonJson.write(comparison), "text")).isEqualTo(comparison);
    }

    @Test
    void fieldsAreSpelledAsElsewhereAndInOrder() {
        assertThat(WHOLE).startsWith("""
                {
                  "format" : "tern-comparison",
                  "version" : 1,
                  "origin" : {
                    "time" : "2026-11-26T06:40:12Z",
                """);
        assertThat(WHOLE)
                .contains("\"file_bytes\" : 715118240", "\"bits_per_weight\" : 1.6875", "\"failure\" : null")
                .contains("\"load_seconds\" : {", "\"tokens_per_second\" : {", "\"samples\" : [", "\"mean_kl\" : 3.4E-5")
                .endsWith("}\n");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            "format" : "tern-comparison"  | "format" : "other"          | key 'format': this is no comparison; expected "tern-comparison", found "other"
            "version" : 1                 | "version" : 2               | key 'version': a comparison of another version; expected 1, found 2
            "version" : 1                 | "version" : "1"             | found "1"
            "rounds" : 5                  | "rounds" : "5"              | key 'method.rounds': expected an integer of 32 bits, found "5"
            "rounds" : 5                  | "rounds" : 5.5              | key 'method.rounds': expected an integer of 32 bits, found 5.5
            "rounds" : 5                  | "rounds" : 5000000000       | key 'method.rounds'
            "rounds" : 5                  | "rounds" : null             | key 'method.rounds': is null; expected an integer of 32 bits
            "rounds" : 5                  | "rounds" : 5, "turns" : 5   | key 'method.turns': an unknown field; expected one of [
            "rounds" : 5,                 |                             | key 'method.rounds': is missing; expected
            "outtype" : "tq2_0"           | "outtype" : null            | key 'formats[1].outtype': is null; expected a text
            "outtype" : "tq2_0"           | "outtype" : 3               | key 'formats[1].outtype': expected a text, found 3
            "lossless" : true             | "lossless" : "yes"          | key 'formats[0].lossless': expected true or false, found "yes"
            "bits_per_weight" : 2.0625    | "bits_per_weight" : "two"   | key 'formats[1].bits_per_weight': expected a number, found "two"
            "large_pages" : true          | "large_pages" : []          | key 'limits.reads[2].large_pages': expected true or false, found []
            "notes" : [                   | "notes" : [ null,           | notes
            """)
    void whatIsWrongIsSaidWithItsPlace(String text, String wrong, String message) {
        String json = WHOLE.replaceFirst(Pattern.quote(text), wrong == null ? "" : wrong);
        assertThat(json).isNotEqualTo(WHOLE);
        assertThatThrownBy(() -> ComparisonJson.parse(json, "report.json"))
                .isInstanceOf(InputException.class)
                .hasMessageStartingWith("report.json")
                .hasMessageContaining(message);
    }

    @Test
    void aSpreadWithoutSamplesAndOtherTextsAreRefused() {
        int samples = WHOLE.indexOf("\"samples\"");
        String empty = WHOLE.substring(0, samples) + "\"samples\" : [ ]" + WHOLE.substring(WHOLE.indexOf(']', samples) + 1);
        assertThatThrownBy(() -> ComparisonJson.parse(empty, "report.json"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("key 'formats[0].load_seconds': a spread needs at least one sample");
        assertThatThrownBy(() -> ComparisonJson.parse("[]", "x")).hasMessageContaining("x: expected a JSON object");
        assertThatThrownBy(() -> ComparisonJson.parse("{", "x")).hasMessageContaining("x: not valid JSON");
        assertThatThrownBy(() -> ComparisonJson.parse("{}", "x")).hasMessageContaining("found nothing");
        assertThatThrownBy(() -> ComparisonJson.read(Path.of("no-such.json"))).hasMessageContaining("no such file");
    }
}
