package dev.tern.measure.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.checkpoint.SyntheticCheckpoint;
import dev.tern.checkpoint.WeightFormat;
import dev.tern.codegen.KernelPlan;
import dev.tern.gguf.GgmlType;
import dev.tern.io.InputException;
import dev.tern.measure.MachineLimits;
import dev.tern.measure.MachineProbe;
import dev.tern.measure.Spread;
import dev.tern.measure.comparison.Comparison;
import dev.tern.measure.comparison.FormatResult;
import dev.tern.measure.comparison.Origin;
import dev.tern.measure.comparison.Quality;
import dev.tern.measure.comparison.RivalResult;
import dev.tern.measure.rivals.Rivals;
import dev.tern.model.FfnActivation;
import dev.tern.model.ModelHyperparameters;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A whole comparison with a script in the place of {@code tern bench}. */
@DisabledOnOs(OS.WINDOWS)
class FormatsInTurnsTest {
    private static final Path PACKED = Path.of(System.getProperty("tern.testdata"), "tiny-bitnet/packed-u8");
    private static final Origin ORIGIN = new Origin("", "", "", "", "", 1, 0, "", "", "tern compare");
    private static final String TEXT = "A hungry Fox saw some fine bunches of Grapes hanging from a vine.";

    @TempDir
    Path folder;

    private final List<String> steps = new ArrayList<>();
    private Optional<String> noKernels = Optional.empty();
    private boolean interrupted;

    private final class Interrupted extends RuntimeException {}

    /** The script is told the file and appends its name to a log. */
    private Surroundings surroundings(String script) {
        return new Surroundings() {
            @Override
            public void progress(String task, long done, long total, String unit, long unitSize) {
                check();
                assertThat(done).isBetween(0L, total);
            }

            @Override
            public void check() {
                if (interrupted) {
                    throw new Interrupted();
                }
            }

            @Override
            public void step(String line) {
                steps.add(line);
            }

            @Override
            public List<String> tern(List<String> arguments) {
                assertThat(arguments).startsWith("bench", "-m").containsSequence("-t", "2,1").endsWith("-o", "json");
                String file = Path.of(arguments.get(2)).getFileName().toString();
                String log = "echo " + file + " >> '" + folder.resolve("log") + "'; ";
                return List.of("bash", "-c", log + script, "-", file);
            }

            @Override
            public Optional<String> provide(KernelPlan plan) {
                return noKernels;
            }

            @Override
            public boolean requireNative() {
                return false;
            }
        };
    }

    private static String result(int threads) {
        return "{\"backends\": \"x\", \"n_prompt\": 8, \"n_gen\": 0, \"n_depth\": 0, \"n_threads\": " + threads
                + ", \"samples_ts\": ['$(wc -l < @)'], \"load_ns\": 250000000, \"process_first_token_ns\": 500000000,"
                + " \"peak_rss\": 77, \"weight_bytes_per_token\": 5}";
    }

    /** Prints how many runs there have been as the speed. */
    private String benchmark() {
        return ("echo '[" + result(2) + "," + result(1) + "]'").replace("@", "\"" + folder.resolve("log") + "\"");
    }

    private FormatsRequest request(Path checkpoint, int rounds, int tokens, Outtype... outtypes) {
        return new FormatsRequest(
                checkpoint,
                "hf://who/what",
                "tiny",
                List.of(outtypes),
                GgmlType.BF16,
                "auto",
                8,
                0,
                List.of(1, 2),
                rounds,
                false,
                Optional.empty(),
                tokens == 0 ? Optional.empty() : Optional.of(new FormatsRequest.Text("a fox", TEXT, tokens)),
                Optional.of(folder.resolve("kept")));
    }

    private List<String> log() throws IOException {
        return Files.readAllLines(folder.resolve("log"));
    }

    @Test
    void formatsTakeTurnsAndTheirRoundsAreTogetherInTheEnd() throws IOException {
        FormatsInTurns.Outcome outcome = new FormatsInTurns(
                        request(PACKED, 2, 9, Outtype.TQ1_0, Outtype.TL2, Outtype.I2_S), surroundings(benchmark()))
                .run(ORIGIN);
        assertThat(outcome.complete()).isTrue();
        List<String> round = List.of("tiny-tq1_0.gguf", "tiny-tl2.gguf", "tiny-i2_s.gguf");
        assertThat(log()).hasSize(6).startsWith(round.toArray(String[]::new)).endsWith(round.toArray(String[]::new));
        Comparison comparison = outcome.comparison();
        assertThat(comparison.formats()).extracting(FormatResult::outtype).containsExactly("tq1_0", "tl2", "i2_s");
        assertThat(comparison.formats()).allSatisfy(format -> {
            assertThat(format.failure()).isEmpty();
            assertThat(format.lossless()).isTrue();
            assertThat(format.ternaryValues()).isEqualTo(12_058_624);
            assertThat(format.loadSeconds()).contains(Spread.of(0.25, 0.25));
            assertThat(format.firstTokenSeconds()).contains(Spread.of(0.5, 0.5));
            assertThat(format.peakBytes()).isEqualTo(77);
            assertThat(format.bytesPerToken()).isEqualTo(5);
            assertThat(format.embeddingType()).isEqualTo("bf16");
            assertThat(format.fileBytes())
                    .isEqualTo(Files.size(folder.resolve("kept/tiny-" + format.outtype() + ".gguf")));
            Quality quality = format.quality().orElseThrow();
            assertThat(quality).isEqualTo(new Quality(
                    quality.referencePerplexity(), quality.referencePerplexity(), 0, 0, 1, 9, true));
            assertThat(quality.perplexity()).isGreaterThan(1);
        });
        FormatResult second = comparison.formats().get(1);
        assertThat(second.speeds()).hasSize(2);
        assertThat(second.speeds().getFirst().threads()).isEqualTo(1);
        assertThat(second.speeds().getFirst().test()).isEqualTo("pp8");
        assertThat(second.speeds()).allMatch(speed -> speed.tokensPerSecond().equals(Spread.of(2, 5)));
        assertThat(comparison.formats().getFirst().bitsPerWeight()).isEqualTo(1.6875); // 54 bytes of 256 weights
        assertThat(comparison.model().ternaryParameters()).isEqualTo(12_058_624);
        assertThat(comparison.model().architecture()).isEqualTo("BitNetForCausalLM");
        assertThat(comparison.method().textTokens()).isEqualTo(9);
        assertThat(comparison.method().threads()).containsExactly(1, 2);
        assertThat(comparison.notes()).anyMatch(note -> note.startsWith("tl2 was not looked up in tables"));
        try (var files = Files.list(folder.resolve("kept"))) {
            assertThat(files).hasSize(3);
        }
    }

    /** The log is as long as there were turns: none before the first probe, all before the second. */
    @Test
    void theMachineIsProbedBeforeTheRoundsAndAfterThem() throws IOException {
        FormatsRequest plain = request(PACKED, 2, 0, Outtype.I2_S);
        FormatsRequest request = new FormatsRequest(
                PACKED, "s", "tiny", plain.outtypes(), GgmlType.BF16, "auto", 8, 0, List.of(1, 2), 2, true,
                Optional.empty(), Optional.empty(), Optional.empty());
        Files.createFile(folder.resolve("log"));
        List<Integer> turns = new ArrayList<>();
        LimitsAround limits = new LimitsAround(() -> {
            try {
                turns.add(log().size());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            MachineLimits.Read read = new MachineLimits.Read(2, true, turns.size() == 1 ? 33 : 31);
            return new MachineProbe.Result(new MachineLimits(List.of(read), List.of()), List.of("no peaks"));
        });
        Comparison comparison =
                new FormatsInTurns(request, surroundings(benchmark()), limits).run(ORIGIN).comparison();
        assertThat(turns).containsExactly(0, 2);
        assertThat(comparison.limits())
                .contains(new MachineLimits(List.of(new MachineLimits.Read(2, true, 33)), List.of()));
        assertThat(comparison.notes()).containsOnlyOnce("no peaks");
    }

    /** One engine runs a file of the comparison, another is not there, which is no failure. */
    @Test
    void otherEnginesTakeTheirTurnsBehindTheFormats() throws IOException {
        Path engine = folder.resolve("engine.sh");
        Files.writeString(engine, "echo engine $(basename $1) >> '" + folder.resolve("log") + "'; echo pp 12.5");
        Path rivals = Files.writeString(folder.resolve("rivals.json"), """
                {"engines": [
                  {"engine": "other", "type": "Q2", "model": "{file:i2_s}",
                   "runs": [{"command": ["bash", "%s", "{model}"], "reads": ["pp (?<prefill>[0-9.]+)"]}]},
                  {"engine": "absent", "type": "Q4", "runs": [{"command": ["%s/none"], "reads": "llama-bench"}]}
                ]}""".formatted(engine, folder));
        FormatsRequest request = new FormatsRequest(
                PACKED, "s", "tiny", List.of(Outtype.I2_S), GgmlType.BF16, "auto", 8, 0, List.of(1, 2), 2, false,
                Optional.of(Rivals.read(rivals)), Optional.empty(), Optional.empty());
        FormatsInTurns.Outcome outcome = new FormatsInTurns(request, surroundings(benchmark())).run(ORIGIN);
        assertThat(log()).containsExactly(
                "tiny-i2_s.gguf", "engine tiny-i2_s.gguf", "engine tiny-i2_s.gguf", // a run for each number of threads
                "tiny-i2_s.gguf", "engine tiny-i2_s.gguf", "engine tiny-i2_s.gguf");
        assertThat(outcome.complete()).isTrue();
        List<RivalResult> results = outcome.comparison().rivals();
        assertThat(results).extracting(RivalResult::engine).containsExactly("other", "absent");
        assertThat(results.getFirst().speeds())
                .hasSize(2)
                .allMatch(speed -> speed.tokensPerSecond().equals(Spread.of(12.5, 12.5)));
        assertThat(results.get(1).skipped()).isPresent();
    }

    /** One has no kernels, one fails in its second turn: the other goes on, and of each all that was known is told. */
    @Test
    void aFormatThatFailsSaysWhyAndTheOthersGoOn() throws IOException {
        noKernels = Optional.of("no compiler: install one");
        String script = "[ $1 = tiny-i2_s.gguf ] && [ $(wc -l < '" + folder.resolve("log") + "') -gt 2 ]"
                + " && { echo noise; echo 'it is broken' >&2; exit 3; }; " + benchmark();
        FormatsInTurns.Outcome outcome = new FormatsInTurns(
                        request(PACKED, 3, 0, Outtype.TL2, Outtype.I2_S, Outtype.TQ2_0), surroundings(script))
                .run(ORIGIN);
        assertThat(outcome.complete()).isFalse();
        List<FormatResult> formats = outcome.comparison().formats();
        assertThat(formats.get(0).failure()).contains("no compiler: install one");
        assertThat(formats.get(0).lossless()).isTrue();
        assertThat(formats.get(0).speeds()).isEmpty();
        assertThat(formats.get(1).failure().orElseThrow()).contains("status 3").contains("it is broken");
        assertThat(formats.get(1).speeds()).allMatch(speed -> speed.tokensPerSecond().equals(Spread.of(1)));
        assertThat(formats.get(2).failure()).isEmpty();
        assertThat(formats.get(2).speeds()).allMatch(speed -> speed.tokensPerSecond().samples().size() == 3);
        assertThat(formats.get(2).quality()).isEmpty();
        assertThat(log()).containsExactly(
                "tiny-i2_s.gguf", "tiny-tq2_0.gguf", "tiny-i2_s.gguf", "tiny-tq2_0.gguf", "tiny-tq2_0.gguf");
        assertThat(steps).anyMatch(line -> line.startsWith("tl2: failed: no compiler"));
    }

    @Test
    void whereAllHaveFailedNothingMoreIsDone() {
        noKernels = Optional.of("no compiler: install one");
        FormatsInTurns.Outcome outcome = new FormatsInTurns(
                        request(PACKED, 3, 9, Outtype.TL2), surroundings(benchmark()))
                .run(ORIGIN);
        assertThat(outcome.complete()).isFalse();
        assertThat(outcome.comparison().formats().getFirst().failure()).contains("no compiler: install one");
        assertThat(folder.resolve("log")).doesNotExist();
        assertThat(steps).noneMatch(line -> line.contains("perplexity"));
    }

    /** 128 columns are half a block of tq1_0: asked for it fails, by default it is left out. */
    @Test
    void formatsThatCannotBe() {
        Path checkpoint = folder.resolve("checkpoint");
        SyntheticCheckpoint.of(new ModelHyperparameters("bitnet-b1.58", "s", 512, 64, 128, 384, 1, 2, 2, 64, 64,
                        500_000f, 1e-5f, FfnActivation.RELU_SQUARED, true, true))
                .format(WeightFormat.PACKED)
                .to(checkpoint);
        assertThatThrownBy(() -> new FormatsInTurns(
                                request(checkpoint, 1, 0, Outtype.TQ1_0, Outtype.TQ2_0), surroundings(benchmark()))
                        .run(ORIGIN))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("TQ1_0");

        FormatsInTurns.Outcome asked = new FormatsInTurns(
                        request(checkpoint, 1, 0, Outtype.TQ1_0, Outtype.Q8_0), surroundings(benchmark()))
                .run(ORIGIN);
        assertThat(asked.complete()).isFalse();
        assertThat(asked.comparison().formats().getFirst().failure().orElseThrow()).contains("TQ1_0");
        assertThat(asked.comparison().formats().get(1).failure()).isEmpty();

        FormatsRequest all = request(checkpoint, 1, 0);
        FormatsInTurns.Outcome outcome = new FormatsInTurns(
                        new FormatsRequest(
                                checkpoint, "s", "tiny", List.of(), GgmlType.F16, "auto", 8, 0, List.of(1, 2), 1, false,
                                Optional.empty(), all.text(), Optional.empty()),
                        surroundings(benchmark()))
                .run(ORIGIN);
        assertThat(outcome.complete()).isTrue();
        assertThat(outcome.comparison().formats())
                .extracting(FormatResult::outtype)
                .contains("i2_s", "f32")
                .doesNotContain("tq1_0", "tq2_0");
        assertThat(outcome.comparison().notes()).anyMatch(note -> note.startsWith("tq1_0 is left out: "));
    }

    @Test
    void brokenOffWhileAProcessRunsNothingIsLeft() throws IOException {
        Surroundings patient = surroundings("touch '" + folder.resolve("started") + "'; exec sleep 60");
        Thread impatient = Thread.ofVirtual().start(() -> {
            while (Files.notExists(folder.resolve("started"))) {
                Thread.onSpinWait();
            }
            interrupted = true;
        });
        assertThatThrownBy(() -> new FormatsInTurns(request(PACKED, 1, 0, Outtype.I2_S), patient).run(ORIGIN))
                .isInstanceOf(Interrupted.class);
        assertThat(impatient.isAlive()).isFalse();
        assertThat(folder.resolve("kept")).isEmptyDirectory();
        assertThat(ProcessHandle.current().children().map(child -> child.info().command().orElse("")))
                .noneMatch(command -> command.endsWith("sleep"));
    }

    @Test
    void aDiskThatIsTooFullIsFoundFirst() {
        FormatPlans plans = new FormatPlans(request(PACKED, 1, 0, Outtype.F32, Outtype.TQ1_0));
        List<FormatTrial> trials = plans.plan(folder);
        FormatPlans.requireRoom(trials, folder, 0);
        long room = FormatPlans.room(folder);
        long tooMuch = room - trials.get(1).plannedBytes() - 30_000_000; // f32 is larger than that
        assertThatThrownBy(() -> FormatPlans.requireRoom(trials, folder, tooMuch))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("--outtypes tq1_0 fit")
                .hasMessageContaining("--keep");
        assertThatThrownBy(() -> FormatPlans.requireRoom(trials, folder, room + (1L << 40)))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("the disk is too full for 2 formats")
                .hasMessageNotContaining("--outtypes");
    }
}
