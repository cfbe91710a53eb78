package dev.tern.measure.rivals;

import static dev.tern.measure.rivals.FakeEngine.RATES;
import static dev.tern.measure.rivals.FakeEngine.benches;
import static dev.tern.measure.rivals.FakeEngine.engine;
import static dev.tern.measure.rivals.FakeEngine.only;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tern.measure.Speed;
import dev.tern.measure.comparison.RivalResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RivalBenchTest {
    @TempDir
    Path folder;

    private FakeEngine fake;

    @BeforeEach
    void engines() {
        fake = new FakeEngine(folder);
    }

    @Test
    void roundsGiveSamplesOfEveryTestAndNumberOfThreads() throws Exception {
        // the n-th run says n * threads for the prompt
        Path program = fake.program("bench", "echo x >> runs", "echo pp $(($(wc -l < runs) * $1))", "echo tg $1.5 >&2");
        Path model = Files.write(folder.resolve("model"), new byte[1234]);
        RivalBench bench = only(
                fake.file(engine("One", program, RATES, "\"model\": \"" + model + "\"", "\"version\": \"1.0\"",
                        "\"directory\": \"{here}\"", "\"terms\": \"all is equal\"")),
                1,
                2);
        bench.round();
        bench.round();

        RivalResult result = bench.result();
        assertThat(result.engine()).isEqualTo("One");
        assertThat(result.type()).isEqualTo("Q2");
        assertThat(result.version()).isEqualTo("1.0");
        assertThat(result.fileBytes()).isEqualTo(1234);
        assertThat(result.skipped()).isEmpty();
        assertThat(result.speeds()).extracting(Speed::test).containsExactly("pp64", "tg16", "pp64", "tg16");
        assertThat(result.speeds()).extracting(Speed::threads).containsExactly(1, 1, 2, 2);
        assertThat(samples(result, 0)).containsExactly(1.0, 3.0);
        assertThat(samples(result, 1)).containsExactly(1.5, 1.5);
        assertThat(samples(result, 2)).containsExactly(4.0, 8.0);
        assertThat(bench.notes()).containsExactly("One: all is equal");
    }

    @Test
    void enginesTakeTurnsInTheOrderOfTheFile() throws Exception {
        Path program = fake.program("bench", "echo $4 $1 >> order", "echo pp 1 tg 2");
        String name = """
                {"engine": "%s", "type": "x", "directory": "{here}",
                 "runs": [{"command": ["%s", "{threads}", "", "", "%s"], "reads": %s}]}""";
        Path file = fake.file(
                name.formatted("A", program, "A", RATES), name.formatted("B", program, "B", RATES));
        List<RivalBench> benches = benches(file, Map.of(), 2, 1);
        for (int round = 0; round < 2; round++) {
            for (RivalBench bench : benches) {
                bench.round();
            }
        }
        assertThat(Files.readAllLines(folder.resolve("order")))
                .containsExactly("A 2", "A 1", "B 2", "B 1", "A 2", "A 1", "B 2", "B 1");
    }

    @Test
    void commandsAreFilledInWithoutAShell() throws Exception {
        Path program = fake.program("say", "for a in \"$@\"; do echo \"<$a>\" >> said; done", "echo $MINE >> said",
                "echo pp 1 tg 1");
        Path file = fake.file("""
                {"engine": "x", "type": "x", "directory": "{here}", "environment": {"MINE": "{generated}"},
                 "runs": [{"command": ["%s", "{prompt+16}", "{prompt+generated}", "$(date); *", "{{}}", "{file:tq2_0}",
                                       "-t={threads}"], "reads": %s}]}""".formatted(program, RATES));
        RivalBench bench =
                benches(file, Map.of("tq2_0", Path.of("/models/m.gguf")), 3).getFirst();
        bench.round();
        assertThat(bench.failure()).isEmpty();
        assertThat(Files.readAllLines(folder.resolve("said")))
                .containsExactly("<80>", "<80>", "<$(date); *>", "<{}>", "</models/m.gguf>", "<-t=3>", "16");
    }

    @Test
    void separateRunsForPromptAndGenerationAreOneMeasurement() throws Exception {
        Path words = fake.program("words", "set -- $1", "echo prompt $# tokens at 20 ms");
        Path text = fake.program("text", "echo 10.5 tokens/s, 15 tokens");
        Path file = fake.file("""
                {"engine": "x", "type": "x", "runs": [
                  {"command": ["%s", "{words}"],
                   "reads": ["prompt (?<promptTokens>\\\\d+) tokens at (?<prefillMillis>\\\\d+) ms"]},
                  {"command": ["%s"], "reads": ["(?<decode>[0-9.]+) tokens/s, (?<generatedTokens>\\\\d+)"]}]}"""
                .formatted(words, text));
        RivalBench bench = only(file, 1);
        bench.round();
        assertThat(samples(bench.result(), 0)).containsExactly(50.0);
        assertThat(samples(bench.result(), 1)).containsExactly(10.5);
        assertThat(bench.notes()).containsExactly("x: its generation was 15 tokens instead of 16.");
    }

    @Test
    void whatIsNotThereIsSkippedWithTheReason() throws Exception {
        Path program = fake.program("bench", "echo pp 1 tg 1");
        Path plain = Files.writeString(folder.resolve("plain"), "");
        List<RivalBench> benches = benches(
                fake.file(
                        engine("missing", folder.resolve("none"), RATES),
                        engine("plain", plain, RATES),
                        engine("path", Path.of("no-such-program-here"), RATES),
                        engine("variable", Path.of("${NOT_SET}/bench"), RATES),
                        engine("empty", Path.of("${EMPTY}/bench"), RATES),
                        engine("model", program, RATES, "\"model\": \"/no/model.gguf\""),
                        engine("outtype", program, RATES, "\"model\": \"{file:tq2_0}\""),
                        engine("needs", program, RATES, "\"needs\": [\"/no/tokenizer\"]"),
                        engine("folder", program, RATES, "\"directory\": \"/no/folder\""),
                        engine("there", program, RATES)),
                Map.of(),
                1);
        for (RivalBench bench : benches) {
            bench.round();
        }
        assertThat(benches.stream().map(bench -> bench.result().skipped().orElse("")))
                .containsExactly(
                        "there is no program " + folder.resolve("none"),
                        plain + " cannot be executed",
                        "there is no program 'no-such-program-here' on the PATH",
                        "the environment variable NOT_SET is not set",
                        "the environment variable EMPTY is not set",
                        "there is no model /no/model.gguf",
                        "it runs the tq2_0 file, and there is none in this comparison",
                        "there is no file /no/tokenizer",
                        "there is no folder /no/folder",
                        "");
        assertThat(benches.getFirst().result().speeds()).isEmpty();
        assertThat(benches.getFirst().notes()).isEmpty();
    }

    @Test
    void wrongOutputIsAReasonAndNoCrash() throws Exception {
        assertThat(skippedAfter("exit", RATES, "echo Loading", "echo 'unknown model architecture' >&2", "exit 3"))
                .isEqualTo("it ended with exit status 3; its last words: unknown model architecture");
        assertThat(skippedAfter("mute", RATES, "exit 1")).isEqualTo("it ended with exit status 1, without a word");
        assertThat(skippedAfter("half", RATES, "echo pp 10"))
                .isEqualTo("nothing in its output matches tg (?<decode>[0-9.]+); its last words: pp 10");
        assertThat(skippedAfter("zero", RATES, "echo pp 0.00 tg 1")).contains("is no speed");
        assertThat(skippedAfter("dots", RATES, "echo pp 1.2.3 tg 1")).contains("is no speed");
        assertThat(skippedAfter("colours", RATES, "printf '\\033[31mwrong\\033[0m\\a\\n'"))
                .endsWith("its last words: wrong");
        assertThat(skippedAfter("short", "[\"(?<decode>\\\\d+) (?<generatedTokens>\\\\d+)\"]", "echo 30 3"))
                .isEqualTo("its generation was 3 tokens instead of 16");
        assertThat(skippedAfter("json", "\"llama-bench\"", "echo '[{]'"))
                .isEqualTo("it printed no JSON array of llama-bench; its last words: [{]");
        assertThat(skippedAfter("silent", "\"llama-bench\"", "true"))
                .isEqualTo("it printed no JSON array of llama-bench");
    }

    private String skippedAfter(String name, String reads, String... lines) throws Exception {
        RivalBench bench = only(fake.file(engine(name, fake.program(name, lines), reads)), 1);
        bench.round();
        return bench.result().skipped().orElse("");
    }

    @Test
    void anEngineThatFailsLaterKeepsWhatItGaveAndIsNotRunAgain() throws Exception {
        Path program = fake.program("once", "echo x >> runs", "[ $(wc -l < runs) = 1 ] || exit 9", "echo pp 7 tg 8");
        RivalBench bench = only(fake.file(engine("once", program, RATES, "\"directory\": \"{here}\"")), 1);
        for (int round = 0; round < 4; round++) {
            bench.round();
        }
        assertThat(bench.result().skipped()).isEmpty();
        assertThat(samples(bench.result(), 0)).containsExactly(7.0);
        assertThat(bench.notes()).containsExactly("once: round 2 failed (it ended with exit status 9, without a word);"
                + " what stands here was measured before.");
        assertThat(Files.readAllLines(folder.resolve("runs"))).hasSize(2);
    }

    @Test
    void theTimeLimitEndsTheEngineAndWhatItStarted() throws Exception {
        Path program = fake.program("slow", "sleep 600 &", "echo $! > child", "echo waiting", "sleep 600");
        RivalBench bench = only(
                fake.file(engine("slow", program, RATES, "\"time_limit_s\": 1", "\"directory\": \"{here}\"")), 1);
        bench.round();
        assertThat(bench.result().skipped()).contains("it did not end within 1 s; its last words: waiting");
        assertThat(ends(child())).isTrue();
    }

    @Test
    void anInterruptionEndsTheEngineAndWhatItStarted() throws Exception {
        Path program = fake.program("slow", "sleep 600 &", "echo $! > child.part", "mv child.part child", "sleep 600");
        RivalBench bench = only(fake.file(engine("slow", program, RATES, "\"directory\": \"{here}\"")), 1);
        AtomicBoolean interrupted = new AtomicBoolean();
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                bench.round();
            } catch (InterruptedException e) {
                interrupted.set(true);
            }
        });
        while (!Files.exists(folder.resolve("child"))) {
            Thread.sleep(10);
        }
        thread.interrupt();
        thread.join();
        assertThat(interrupted).isTrue();
        assertThat(ends(child())).isTrue();
    }

    private long child() throws IOException {
        return Long.parseLong(Files.readString(folder.resolve("child")).strip());
    }

    /** Whether a process is no more, or about to be: it has been killed, but nobody may have waited for it. */
    private static boolean ends(long pid) throws Exception {
        for (int i = 0; i < 1000; i++) {
            Path stat = Path.of("/proc", Long.toString(pid), "stat");
            boolean there = Files.isDirectory(Path.of("/proc/self"))
                    ? Files.exists(stat) && !Files.readString(stat).contains(") Z ")
                    : ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
            if (!there) {
                return true;
            }
            Thread.sleep(10);
        }
        return false;
    }

    @Test
    void aTalkativeEngineIsReadToItsEnd() throws Exception {
        Path program =
                fake.program("loud", "yes 'pp 1 tg 1 and more and more and more' | head -n 100000", "echo pp 5 tg 6");
        RivalBench bench = only(fake.file(engine("loud", program, RATES)), 1);
        bench.round();
        assertThat(bench.failure()).isEmpty();
        assertThat(samples(bench.result(), 0)).containsExactly(5.0);
    }

    @Test
    void theVersionIsTheFirstLineOfACommandWhereItWorks() throws Exception {
        Path program = fake.program("bench", "echo pp 1 tg 1");
        Path version = fake.program("version", "echo >&2", "echo 'version: 7 (abc)' >&2", "echo built with cc >&2");
        List<RivalBench> benches = benches(
                fake.file(
                        engine("A", program, RATES, "\"version\": [\"" + version + "\"]"),
                        engine("B", program, RATES, "\"version\": [\"" + folder.resolve("none") + "\"]")),
                Map.of(),
                1);
        for (RivalBench bench : benches) {
            bench.round();
            assertThat(bench.failure()).isEmpty();
        }
        assertThat(benches).extracting(bench -> bench.result().version()).containsExactly("7 (abc)", "");
    }

    @Test
    void testsThatNobodyAskedForAreNotRun() throws Exception {
        Path prompt = fake.program("prompt", "echo x >> prompts", "echo pp 3");
        Path text = fake.program("text", "echo tg 4");
        Path file = fake.file("""
                {"engine": "x", "type": "x", "directory": "{here}", "runs": [
                  {"command": ["%s"], "reads": ["pp (?<prefill>.*)"]},
                  {"command": ["%s"], "reads": ["tg (?<decode>.*)"]}]}""".formatted(prompt, text));
        RivalBench bench = Rivals.read(file)
                .benches(new Workload(0, 16, List.of(1), Map.of()), Map.of())
                .getFirst();
        bench.round();
        assertThat(bench.result().speeds()).extracting(Speed::test).containsExactly("tg16");
        assertThat(folder.resolve("prompts")).doesNotExist();
    }

    @Test
    void nothingToMeasureIsAMistake() {
        for (List<Integer> threads : List.of(List.of(1), List.<Integer>of(), List.of(0))) {
            int tokens = threads.equals(List.of(1)) ? 0 : 1;
            assertThatThrownBy(() -> new Workload(tokens, tokens, threads, Map.of()))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static List<Double> samples(RivalResult result, int speed) {
        return result.speeds().get(speed).tokensPerSecond().samples();
    }
}
