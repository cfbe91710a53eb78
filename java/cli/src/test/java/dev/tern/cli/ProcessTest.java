package dev.tern.cli;

import static dev.tern.cli.InProcess.PACKED;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only a process of its own shows: exit statuses, pipes, signals. */
@DisabledOnOs(OS.WINDOWS)
class ProcessTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() throws Exception {
        model = folder.resolve("tiny.gguf");
        assertThat(TernProcess.tern("convert", PACKED, "-o", model).status()).isZero();
    }

    @Test
    void exitStatusesReachTheCaller() throws Exception {
        assertThat(TernProcess.tern("--version").status()).isZero();
        InProcess.Result missing = TernProcess.tern("run", "-m", "/no/such.gguf", "-p", "x");
        assertThat(missing.status()).isEqualTo(1);
        assertThat(missing.err()).isEqualTo("tern: /no/such.gguf: no such file. Check the path.\n");
        assertThat(TernProcess.tern("run", "--nonsense").status()).isEqualTo(2);
    }

    /** Every command that computes; the reason is said whether the reference is refused or used. */
    @ParameterizedTest
    @ValueSource(strings = {
        "run -m @model -p x -n 1", "chat -m @model", "logits -m @model -p x -o @new", "perplexity -m @model -f @text",
        "bench -m @model -p 1 -n 1 -r 1", "setup @checkpoint -o @new", "compare @checkpoint --keep @new", "demo",
        "doctor"
    })
    void requireNativeRefusesTheReferenceWithTheReason(String line) throws Exception {
        Path text = Files.writeString(folder.resolve("text.txt"), "The king said. ".repeat(200));
        Path made = folder.resolve("made.npy");
        String filled = line.replace("@model", "'" + model + "'")
                .replace("@text", "'" + text + "'")
                .replace("@checkpoint", "'" + PACKED + "'")
                .replace("@new", "'" + made + "'");
        InProcess.Result result = TernProcess.shell("TERN_NATIVE=off tern " + filled + " --require-native");
        assertThat(result.status()).as(result.err()).isEqualTo(1);
        assertThat(result.out() + result.err()).contains("TERN_NATIVE=off").doesNotContain("\tat ");
        assertThat(made).doesNotExist();
    }

    @Test
    void theReferenceAnnouncesItself() throws Exception {
        InProcess.Result result =
                TernProcess.shell("TERN_NATIVE=off tern run -m '" + model + "' -p 'The king' -n 2 --temp 0");
        assertThat(result.status()).isZero();
        assertThat(result.err()).contains("TERN_NATIVE=off");
    }

    /** A container's limit of processor time reaches Java as a smaller number of processors. */
    @Test
    void threadsAreNoMoreThanAContainerMayKeepBusy() throws Exception {
        InProcess.Result result = TernProcess.shell("JAVA_TOOL_OPTIONS=-XX:ActiveProcessorCount=1 tern bench -m '"
                + model + "' -p 2 -n 2 -r 1 -o json");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).contains("\"n_threads\" : 1").doesNotContain("\"n_threads\" : 2");
    }

    @Test
    void aClosedPipeEndsQuietly() throws Exception {
        InProcess.Result result = TernProcess.shell("tern run -m '" + model
                + "' -p 'The king' --ignore-eos -n 400 -q --temp 0 | head -c 10; echo \" ${PIPESTATUS[0]}\"");
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).hasSize(13).endsWith(" 0\n");
    }

    @Test
    void aFullDiskIsSaid() throws Exception {
        if (Files.exists(Path.of("/dev/full"))) {
            InProcess.Result result = TernProcess.shell("tern tokenize -m '" + model + "' -p x > /dev/full");
            assertThat(result.status()).isEqualTo(1);
            assertThat(result.err()).isEqualTo("tern: standard output: cannot be written: No space left on device\n");
        }
    }

    @Test
    void textIsUtf8InEveryLocale() throws Exception {
        InProcess.Result result =
                TernProcess.shell("LC_ALL=C tern tokenize -m '" + model + "' --no-special -f <(printf '\\u00fc')");
        assertThat(result.out()).contains("\u00c3\n").contains("\u00bc\n"); // the bytes of ü
    }

    @Test
    void controlCEndsTheWork() throws Exception {
        Path log = folder.resolve("interrupted.log");
        Process process = new ProcessBuilder(
                        TernProcess.command("bench", "-m", model, "-p", "256", "-n", "256", "-r", "100000"))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Thread.sleep(3000);
        assertThat(process.isAlive()).as(Files.readString(log)).isTrue();
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(130);
        assertThat(Files.readString(log, StandardCharsets.UTF_8)).doesNotContain("\tat ").doesNotContain("Exception");
    }

    @Test
    void controlCInAChatStopsTheAnswerAndThenTheChat() throws Exception {
        Path out = folder.resolve("chat.out");
        Path err = folder.resolve("chat.err");
        Process process = new ProcessBuilder(TernProcess.command(
                        "chat", "-m", model, "--temp", "0", "--ignore-eos", "-n", "-1", "-c", "100000", "-q"))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            for (int question = 1; question <= 2; question++) {
                long before = Files.size(out);
                process.outputWriter().write("Tell me the fable of The Lamp.\n");
                process.outputWriter().flush();
                await(process, () -> Files.size(out) > before + 40);
                interrupt(process);
                int answers = question;
                await(process, () -> Files.readString(err).split("cut off", -1).length == answers + 1);
            }
            interrupt(process);
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(130);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void controlCLeavesNoHalfCheckpointAndNoComplaint() throws Exception {
        Path target = folder.resolve("synthetic");
        Path log = folder.resolve("synthetic.log");
        Process process = new ProcessBuilder(TernProcess.command("synth", "--like", "2b-4t", "--format", "packed", "-o", target))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            await(process, () -> target.toFile().isDirectory() && target.toFile().list().length > 0);
            interrupt(process);
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(130);
            assertThat(log).isEmptyFile();
            assertThat(target).doesNotExist();
        } finally {
            process.destroyForcibly();
        }
    }

    private static void interrupt(Process process) throws Exception {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    }

    /** Until it holds, at most half a minute; the process must not end meanwhile. */
    private static void await(Process process, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.call()) {
            assertThat(process.isAlive()).isTrue();
            assertThat(System.nanoTime()).as("waited for half a minute").isLessThan(end);
            Thread.sleep(20);
        }
    }
}
