package dev.tern.cli;

import static dev.tern.cli.InProcess.tern;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tern.codegen.KernelBuildException;
import dev.tern.codegen.KernelPlanException;
import dev.tern.io.InputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What all commands have in common: help, versions, errors and exit statuses. */
class TernTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo", "convert", "pull", "kernels", "setup", "run", "chat", "inspect", "validate", "logits",
                "tokenize", "perplexity", "synth", "bench", "compare", "rivals", "report", "doctor"
            })
    void everyCommandHasHelpWithAnExampleIn80Columns(String command) {
        InProcess.Result result = tern(command, "--help");
        assertThat(result.status()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).startsWith("Usage: tern " + command).contains("Example").contains("  tern " + command);
        assertThat(result.out().lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
        assertThat(tern("--help").out()).containsPattern("(?m)^  " + command + " ");
    }

    @Test
    void saysItsVersion() {
        assertThat(tern("--version").out()).matches("(?s)tern \\d+\\.\\d+\\.\\d+.*\\nJava .*");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "tokenise", "doctor --nonsense", "tokenize", "tokenize x -p a -f b", "doctor --json=maybe"})
    void faultsOfTheCommandLineEndWithTwo(String line) {
        InProcess.Result result = line.isEmpty() ? tern() : tern((Object[]) line.split(" "));
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("tern: ").contains("Try 'tern").doesNotContain("\tat ");
        assertThat(result.err().lines().count()).isLessThanOrEqualTo(4);
    }

    @Test
    void suggestsTheCommandThatWasMeant() {
        assertThat(tern("tokenise").err()).contains("tokenize");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "help | no command is called",
        "run -m x -p y --seed z | is not a whole number up to 9223372036854775807",
        "run -m x -p y -n 99999999999 | is not a whole number up to 2147483647",
        "run -m x -p y --temp hot | is not a number",
        "synth --like small -o x | expected bitnet-b1.58-2B-4T, DLM-2B",
        "bench -m x -p 0 -n 0 | nothing to measure",
    })
    void faultsOfTheCommandLineAreInWords(String line, String words) {
        InProcess.Result result = tern((Object[]) line.split(" "));
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains(words);
    }

    @Test
    void whatGoesWrongWhileTheProcessEndsIsNoFault() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Interruption interruption = new Interruption();
        interruption.finish();
        interruption.shutDown();
        assertThat(new Failures(terminal(OutputStream.nullOutputStream(), err), interruption)
                        .report(new IllegalStateException("the file went away")))
                .isEqualTo(130);
        assertThat(err.size()).isZero();
    }

    @Test
    void aProgressBarLeavesNoTrace() throws Exception {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(
                new ByteArrayInputStream(new byte[0]), OutputStream.nullOutputStream(), err, false, false, true);
        try (Progress progress = new Progress(terminal, new Interruption())) {
            Thread.sleep(600); // it appears after half a second
            progress.at("write", 1, 2, "MiB", 1);
            progress.at("validate", 1, 2, "MiB", 1);
        }
        assertThat(err.toString(StandardCharsets.UTF_8))
                .contains("write", "validate")
                .doesNotContain("\n")
                .matches("(?s).* {70,}\r");
    }

    @Test
    void faultsOfTheInputEndWithOne() {
        InProcess.Result result = tern("tokenize", "-m", "/no/such.gguf", "-p", "x");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).startsWith("tern: /no/such.gguf: no such file").doesNotContain("\tat ");
        assertThat(tern("-v", "tokenize", "-m", "/no/such.gguf", "-p", "x").err()).contains("\tat ");
        assertThat(tern("tokenize", "-m", "/no/such.gguf", "-p", "x", "--verbose").err()).contains("\tat ");
    }

    @Test
    void faultsOfTernEndWithSeventy() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Terminal terminal = terminal(OutputStream.nullOutputStream(), err);
        assertThat(new Failures(terminal, new Interruption()).report(new IllegalStateException("a bug"))).isEqualTo(70);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("a bug", "--verbose").doesNotContain("\tat ");
        terminal.verbose(true);
        new Failures(terminal, new Interruption()).report(new StackOverflowError());
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("\tat ");
    }

    @Test
    void kernelsThatCannotBePlannedOrBuiltAreNoFaultOfTern() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Failures failures = new Failures(terminal(OutputStream.nullOutputStream(), err), new Interruption());
        assertThat(failures.report(new KernelPlanException("no tile fits"))).isEqualTo(1);
        assertThat(failures.report(new KernelBuildException("the compiler failed"))).isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("tern: no tile fits\ntern: the compiler failed\n");
    }

    @Test
    void aReaderThatWentAwayIsNoError() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        assertThat(Tern.run(terminal(failing("Broken pipe"), err), new Interruption(), "doctor", "--json")).isZero();
        assertThat(Tern.run(terminal(failing("Broken pipe"), err), new Interruption(), "--help")).isZero();
        assertThat(err.size()).isZero();
    }

    @Test
    void aFullDiskBehindStandardOutputIs() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        OutputStream full = failing("No space left on device");
        assertThat(Tern.run(terminal(full, err), new Interruption(), "doctor")).isEqualTo(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("standard output").contains("No space left");
        assertThat(new Failures(terminal(full, err), new Interruption()).report(InputException.at("x").problem("y").exception())).isEqualTo(1);
    }

    private static Terminal terminal(OutputStream out, OutputStream err) {
        return new Terminal(new ByteArrayInputStream(new byte[0]), out, err, false, false, false);
    }

    private static OutputStream failing(String reason) {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException(reason);
            }
        };
    }
}
