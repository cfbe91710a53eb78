package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A chat in a process of its own on a pseudo terminal, which script(1) of util-linux makes. */
@EnabledOnOs(OS.LINUX)
class ChatTerminalTest {
    @TempDir
    static Path folder;

    private static Path model;

    @BeforeAll
    static void convert() {
        assumeTrue(
                List.of("/usr/bin/script", "/bin/script").stream().anyMatch(file -> Files.isExecutable(Path.of(file))),
                "script(1) is not installed");
        model = TinyModel.in(folder);
    }

    private static Process start(Path screen, String environment, Object... options) throws IOException {
        Path run = Files.writeString(folder.resolve("run-" + screen.getFileName()), environment + " exec '"
                + String.join("' '", TernProcess.command("chat", "-m", model, "--temp", "0")) + "' "
                + String.join(" ", List.of(options).stream().map(String::valueOf).toList()) + "\n");
        // exec: a shell that stayed would get Ctrl-C too, and dash says so with status 130 when its child has ended
        return new ProcessBuilder("script", "-qefc", "exec bash '" + run + "'", "/dev/null")
                .redirectErrorStream(true)
                .redirectOutput(screen.toFile())
                .start();
    }

    private static void type(Process process, String keys) throws IOException {
        process.getOutputStream().write(keys.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    private static String text(Path screen) throws IOException {
        return new String(Files.readAllBytes(screen), StandardCharsets.UTF_8);
    }

    /** Until the text stands on the screen behind so many characters, at most a minute; returns where it ends. */
    private static int await(Process process, Path screen, int behind, String text) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (true) {
            int found = text(screen).indexOf(text, behind);
            if (found >= 0) {
                return found + text.length();
            }
            assertThat(process.isAlive() && System.nanoTime() < end).as(text + " in " + text(screen)).isTrue();
            Thread.sleep(20);
        }
    }

    @Test
    void ctrlCStopsTheAnswerAndNotTheChat() throws Exception {
        Path screen = folder.resolve("screen");
        Process process = start(
                screen, "TERM=xterm XDG_STATE_HOME='" + folder + "'", "--ignore-eos", "-c", "100000", "-n", "-1");
        try {
            int at = await(process, screen, 0, "\033[?2004h"); // ready for a line, pasted or typed
            type(process, "Tell me the fable of The Lamp.\r");
            at = await(process, screen, at, "A Lamp, well filled");
            type(process, "\003");
            at = await(process, screen, at, "cut off (cancelled)");
            at = await(process, screen, at, "\033[?2004h");
            type(process, "\003");
            at = await(process, screen, at, "\033[?2004h");
            type(process, "\003");
            at = await(process, screen, at, "Ctrl-D or /exit leaves");
            at = await(process, screen, at, "\033[?2004h");
            type(process, "/tok\t\r");
            at = await(process, screen, at, "exchanges 1;");
            await(process, screen, at, "\033[?2004h");
            type(process, "\004");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
            assertThat(text(screen)).contains("\033[2mtern: prompt").doesNotContain("WARNING");
            assertThat(text(screen).split("cut off", 2)[0]).as("keys do not show in an answer").doesNotContain("^C");
            Path history = folder.resolve("tern/chat_history");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(history))).isEqualTo("rw-------");
            assertThat(history).content().contains("Tell me the fable of The Lamp.", "/tokens");
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aDumbTerminalGetsPromptsAndNothingElse() throws Exception {
        Path screen = folder.resolve("dumb");
        Process process = start(screen, "TERM=dumb XDG_STATE_HOME='" + folder.resolve("unused") + "'", "-n", "4");
        try {
            int at = await(process, screen, 0, "> ");
            type(process, "Tell me\\\n");
            at = await(process, screen, at, "… ");
            type(process, "more\n");
            at = await(process, screen, at, "tok/s; context");
            await(process, screen, at, "> ");
            type(process, "/exit\n");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isZero();
            assertThat(text(screen)).doesNotContain("\033");
            assertThat(folder.resolve("unused")).doesNotExist();
        } finally {
            process.destroyForcibly();
        }
    }

    /** NO_COLOR leaves the keys of the editor, and shades, and no colours. */
    @Test
    void colourCanBeSwitchedOff() throws Exception {
        Path screen = folder.resolve("plain");
        Process process = start(screen, "NO_COLOR=1 TERM=xterm", "-n", "4", "--no-history");
        try {
            int at = await(process, screen, 0, "\033[?2004h");
            type(process, "Tell me\r");
            at = await(process, screen, at, "tok/s; context");
            await(process, screen, at, "\033[?2004h");
            type(process, "/s\t");
            at = await(process, screen, at, "settings to a JSON file");
            type(process, "\025\004");
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(text(screen)).doesNotContain("\033[2mtern").doesNotContainPattern("\033\\[(\\d+;)*[349][0-7][;\\dm]");
        } finally {
            process.destroyForcibly();
        }
    }

    /** Only a chat on a terminal pays for the editor. */
    @Test
    void thePipeLoadsNoEditor() throws Exception {
        InProcess.Result result = TernProcess.shell("echo Tell me | JAVA_TOOL_OPTIONS=-Xlog:class+load tern chat -m '"
                + model + "' -n 1 -q");
        assertThat(result.status()).isZero();
        assertThat(result.out()).contains("dev.tern.cli.PlainChatInput").doesNotContain(" org.jline.");
    }
}
