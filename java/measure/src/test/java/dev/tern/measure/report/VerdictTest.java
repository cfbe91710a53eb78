package dev.tern.measure.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.measure.Speed;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Quality;
import dev.tern.measure.comparison.RivalResult;
import dev.tern.measure.comparison.TestComparisons;
import dev.tern.measure.report.Verdict.Advice;
import dev.tern.measure.report.Verdict.Winner;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VerdictTest {
    private static final Quality GOOD = new Quality(17.43, 17.42, 3e-5, 4e-3, 0.998, 100, false);
    private static final Quality DAMAGED = new Quality(900, 17.42, 3.9, 12, 0.11, 100, false);
    private static final Quality EQUAL = new Quality(17.42, 17.42, 0, 0, 1, 100, true);

    private static FormatResult format(
            String outtype, long megabytes, double prefill, Spread decode, boolean lossless, Quality quality) {
        return new FormatResult(
                outtype,
                "f16",
                Optional.empty(),
                megabytes * 1_000_000,
                2,
                1,
                1000,
                lossless,
                Optional.empty(),
                Optional.empty(),
                List.of(new Speed(512, 0, 0, 2, Spread.of(prefill)), new Speed(0, 128, 0, 2, decode)),
                0,
                megabytes * 1_100_000,
                Optional.of(quality));
    }

    private static FormatResult format(String outtype, long megabytes, double prefill, double decode) {
        return format(outtype, megabytes, prefill, Spread.of(decode), true, GOOD);
    }

    private static Verdict verdict(FormatResult... formats) {
        return verdict(List.of(), formats);
    }

    private static Verdict verdict(List<RivalResult> rivals, FormatResult... formats) {
        Comparison whole = TestComparisons.whole();
        return new Verdict(new Results(new Comparison(
                whole.origin(), whole.model(), whole.method(), whole.limits(), List.of(formats), rivals, List.of())));
    }

    private static String advice(Verdict verdict, String purpose) {
        return verdict.advice().stream()
                .filter(advice -> advice.purpose().equals(purpose))
                .map(advice -> advice.phrase().plain())
                .reduce("", String::concat);
    }

    private static String winner(Verdict verdict, String question) {
        return verdict.winners().stream()
                .filter(winner -> winner.question().equals(question))
                .map(winner -> winner.name() + ", " + winner.value() + ". "
                        + winner.note().plain())
                .reduce("", String::concat);
    }

    @Test
    void theSmallestIsTakenWhereNothingIsMeasurablyFaster() {
        Verdict verdict = verdict(format("tq1_0", 715, 178, 39), format("i2_s", 797, 178, 39.9));
        assertThat(advice(verdict, "To run in Tern"))
                .isEqualTo("Take tq1_0: it is the smallest file, and no format decodes measurably faster.");
        assertThat(winner(verdict, "Smallest file")).isEqualTo("tq1_0, 715 MB. i2_s follows with 797 MB.");
        assertThat(winner(verdict, "Fastest decode"))
                .isEqualTo("i2_s, 39.9 tokens/s on 2 threads. No format is measurably slower.");
        assertThat(winner(verdict, "Least memory")).isEqualTo("tq1_0, 787 MB. i2_s follows with 877 MB.");
    }

    @Test
    void spreadsThatMeetAreNoDifference() {
        FormatResult noisy = format("i2_s", 797, 178, Spread.of(38, 45, 52), true, GOOD);
        assertThat(advice(verdict(format("tq1_0", 715, 178, 39), noisy), "To run in Tern"))
                .startsWith("Take tq1_0");
        FormatResult steady = format("i2_s", 797, 178, Spread.of(44, 45, 46), true, GOOD);
        assertThat(advice(verdict(format("tq1_0", 715, 178, 39), steady), "To run in Tern"))
                .isEqualTo("Take i2_s for speed: it decodes 45.0 tokens/s on 2 threads, 15.4 % more than the smallest"
                        + " file. Take tq1_0 where size counts: 715 MB instead of 797 MB.");
    }

    @Test
    void theSmallestMayBeTheFastestAndPromptsMayBeReadFasterByAnother() {
        Verdict verdict = verdict(format("tl2", 717, 142, 48), format("i2_s", 797, 179, 39));
        assertThat(advice(verdict, "To run in Tern"))
                .isEqualTo("Take tl2: it is the smallest file, and it decodes fastest, 48.0 tokens/s on 2 threads."
                        + " Long prompts are read 26.1 % faster from i2_s. It needs kernels of exactly this"
                        + " model's shapes, which Tern has or builds.");
        assertThat(winner(verdict, "Fastest decode"))
                .isEqualTo("tl2, 48.0 tokens/s on 2 threads. i2_s follows with 39.0.");
    }

    @Test
    void whatLostValuesOrPredictsSomethingElseIsNeverRecommended() {
        FormatResult lossy = format("tq1_0", 700, 300, Spread.of(90), false, GOOD);
        FormatResult damaged = format("tq2_0", 710, 300, Spread.of(90), true, DAMAGED);
        Verdict verdict = verdict(lossy, damaged, format("i2_s", 797, 178, 39), format("q2_k", 959, 178, 39));
        assertThat(advice(verdict, "To run in Tern")).startsWith("Take i2_s: it is the smallest file");
        assertThat(advice(verdict, "For llama.cpp")).isEmpty();
        assertThat(advice(verdict, "Quality"))
                .isEqualTo("Values were lost in tq1_0. Something else than the checkpoint is"
                        + " predicted by tq2_0. Do not use them.");
        assertThat(new QualityWords(new Results(TestComparisons.with(List.of(lossy, damaged))))
                        .phrase()
                        .plain())
                .contains(
                        "Values were lost in tq1_0: do not use it.",
                        "Do not use tq2_0: it predicts something else than the checkpoint.");
    }

    @Test
    void otherProgramsGetWhatTheyRead() {
        Verdict verdict = verdict(
                format("f16", 4444, 1, 1),
                format("q4_0", 1448, 1, 1),
                format("tq2_0", 813, 1, 1),
                format("tq1_0", 715, 1, 1),
                format("i2_s", 797, 1, 1));
        assertThat(advice(verdict, "For llama.cpp"))
                .startsWith("tq1_0, 715 MB, or tq2_0, 813 MB, which runs faster there.");
        assertThat(advice(verdict, "For bitnet.cpp")).startsWith("i2_s, 797 MB");
        assertThat(advice(verdict, "For readers that know no ternary type")).startsWith("q4_0, 1,448 MB");
    }

    @Test
    void qualityDecidesNothingWhereAllIsEqual() {
        FormatResult[] equal = {
            format("tq1_0", 715, 178, Spread.of(39), true, EQUAL), format("f32", 8612, 178, Spread.of(39), true, EQUAL)
        };
        assertThat(advice(verdict(equal), "Quality"))
                .isEqualTo("It does not decide: all predictions equal the checkpoint's to the bit.");
        assertThat(advice(verdict(format("tq1_0", 1, 1, 1)), "Quality"))
                .isEqualTo("Its predictions differ from the checkpoint's own by 3.00e-5 nats on average.");
        assertThat(advice(verdict(format("tq1_0", 1, 1, 1), format("i2_s", 1, 1, 1)), "Quality"))
                .isEqualTo("It does not decide between the formats: they predict the same. Their predictions differ"
                        + " from the checkpoint's own by 3.00e-5 nats on average.");
    }

    private static FormatResult predicting(String outtype, double meanKl, double sameToken) {
        return format(
                outtype, 700, 1, Spread.of(1), true, new Quality(900, 901, meanKl, 10 * meanKl, sameToken, 100, false));
    }

    private static String quality(FormatResult... formats) {
        return new QualityWords(new Results(TestComparisons.with(List.of(formats)))).phrase().plain();
    }

    @Test
    void otherTokensOfAModelThatIsUndecidedAreExplained() {
        FormatResult[] random = {predicting("tq1_0", 3e-4, 0.68), predicting("i2_s", 3.2e-4, 0.71)};
        assertThat(advice(verdict(random), "Quality"))
                .isEqualTo("It does not decide between the formats: all their predictions differ from the checkpoint's"
                        + " own by 3.00e-4 to 3.20e-4 nats on average, and the most likely token is another at 32.0 %"
                        + " of the positions.");
        assertThat(quality(random))
                .endsWith("Such differences come from rounding the embedding and the scales. Where they change the most"
                        + " likely token, several tokens are about as likely, as almost everywhere to a model whose"
                        + " weights are random.");
        assertThat(quality(predicting("tq1_0", 3e-4, 0.98))).endsWith("several tokens are about as likely.");
        assertThat(quality(predicting("tq1_0", 3e-4, 0.995))).endsWith("rounding the embedding and the scales.");
    }

    @Test
    void aFormatThatIsNearerToTheCheckpointIsNamed() {
        assertThat(advice(verdict(predicting("tq1_0", 0.02, 0.97), predicting("i2_s", 1e-4, 0.999)), "Quality"))
                .isEqualTo("Nearest to the checkpoint's predictions is i2_s, 1.00e-4 nats from them on average;"
                        + " furthest is tq1_0, 0.0200 nats, and the most likely token is another at 3.00 % of the positions.");
    }

    @Test
    void whoFailedBeforeItsPredictionsWereComparedIsSaidToHave() {
        Comparison whole = TestComparisons.whole();
        FormatResult failed = whole.formats().get(3);
        assertThat(failed.failure()).isPresent();
        assertThat(quality(failed))
                .endsWith("Every format failed before its predictions were compared with the checkpoint's.");
        assertThat(quality(failed, format("tq1_0", 1, 1, 1))).doesNotContain("failed", "compared");
        assertThat(new QualityWords(new Results(TestComparisons.plain(2))).phrase().plain())
                .isEqualTo("Nothing ternary was lost: all 2,084,044,800 values of every file that was checked equal the"
                        + " checkpoint's.");
        assertThat(new QualityWords(new Results(TestComparisons.bare())).phrase().isEmpty()).isTrue();
    }

    @Test
    void withoutDecodePromptsAreSpokenOf() {
        List<FormatResult> formats = new ArrayList<>();
        for (FormatResult format : List.of(format("tq1_0", 700, 100, 1), format("i2_s", 800, 150, 1))) {
            formats.add(new FormatResult(
                    format.outtype(), "f16", Optional.empty(), format.fileBytes(), 2, 1, 1000, true, Optional.empty(),
                    Optional.empty(), format.speeds().subList(0, 1), 0, 0, Optional.empty()));
        }
        assertThat(advice(verdict(formats.toArray(FormatResult[]::new)), "To run in Tern"))
                .isEqualTo("Take tq1_0: it is the smallest file. Decode was not measured. Long prompts are read 50.0 %"
                        + " faster from i2_s.");
    }

    @Test
    void fewerThreadsThatAreFasterAreSaidToBe() {
        FormatResult format = format("tq1_0", 715, 178, 39);
        List<Speed> speeds = List.of(
                new Speed(0, 128, 0, 1, Spread.of(60)), new Speed(0, 128, 0, 2, Spread.of(39)));
        FormatResult small = new FormatResult(
                "tq1_0", "f16", Optional.empty(), 7, 2, 1, 1000, true, Optional.empty(), Optional.empty(), speeds, 0, 0,
                Optional.empty());
        assertThat(advice(verdict(small), "Threads"))
                .isEqualTo("Fewer are faster: tq1_0 decodes 60.0 tokens/s on 1 thread, where 2 threads give 39.0 at"
                        + " best. The model is too small for more, or the machine had other work.");
        assertThat(advice(verdict(format), "Threads")).isEmpty();
        assertThat(advice(new Verdict(new Results(TestComparisons.whole())), "Threads")).isEmpty();
    }

    @Test
    void oneFormatWinsNothing() {
        Verdict verdict = verdict(format("tq1_0", 715, 178, 39));
        assertThat(verdict.winners()).isEmpty();
        assertThat(advice(verdict, "To run in Tern"))
                .isEqualTo("Only tq1_0 was measured, so there is nothing to choose between.");
        assertThat(advice(verdict, "Quality")).doesNotContain("decide");
    }

    @Test
    void anotherEngineThatIsFasterIsSaidToBe() {
        RivalResult rival = new RivalResult(
                "other",
                "",
                "Q",
                1,
                Optional.empty(),
                List.of(new Speed(0, 128, 0, 2, Spread.of(78)), new Speed(512, 0, 0, 2, Spread.of(176))));
        assertThat(advice(verdict(List.of(rival), format("tq1_0", 715, 178, 39)), "Beside other engines"))
                .isEqualTo("Prefill: the fastest other engine is other Q with 176 tokens/s; Tern with tq1_0 gives 178,"
                        + " 1.01 times that, which is within the spread. Decode: the fastest other engine is other"
                        + " Q with 78.0 tokens/s; Tern with tq1_0 gives 39.0, 0.50 times that.");
    }

    @Test
    void aBusyMachineIsDoubted() {
        FormatResult wild = format("i2_s", 797, 178, Spread.of(20, 40, 61), true, GOOD);
        assertThat(advice(verdict(wild), "How sure this is"))
                .startsWith("Rounds of one format differ by up to 3.05 times");
        assertThat(advice(new Verdict(new Results(TestComparisons.whole())), "How sure this is"))
                .isEmpty();
    }

    @Test
    void whatIsMissingIsNamed() {
        Verdict whole = new Verdict(new Results(TestComparisons.whole()));
        assertThat(advice(whole, "Not measured"))
                .startsWith("tl1 failed: libtern has no kernels")
                .endsWith("Jlama Q4 was skipped: jlama is not on the PATH.");
        Verdict bare = new Verdict(new Results(TestComparisons.bare()));
        assertThat(bare.winners()).isEmpty();
        assertThat(bare.advice())
                .extracting(Advice::purpose)
                .containsExactly("To run in Tern", "Not measured");
        assertThat(advice(verdict(), "To run in Tern")).startsWith("No format was converted");
    }

    @Test
    void manyThatAreEvenAreCounted() {
        List<FormatResult> formats = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            formats.add(format("type" + i, 700 + i, 100, 40 - 0.1 * i));
        }
        formats.add(format("slow", 900, 100, 20));
        List<Winner> winners = verdict(formats.toArray(FormatResult[]::new)).winners();
        assertThat(winners.get(1).note().plain())
                .isEqualTo("type1, type2, type3, and 3 more are as fast within the spread.");
    }
}
