package dev.tern.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.impl.ExternalTerminal;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Keys on a terminal of JLine's own, with a line discipline and no device. */
@Timeout(30)
class EditedChatInputTest {
    private static final String ALT_ENTER = "\033\r";
    private static final String CTRL_C = "\003";
    private static final String CTRL_D = "\004";

    @TempDir
    Path folder;

    private final PipedOutputStream keys = new PipedOutputStream();
    private final ByteArrayOutputStream screen = new ByteArrayOutputStream();
    private final Interruption interruption = new Interruption();
    private ExternalTerminal terminal;
    private EditedChatInput input;

    @BeforeEach
    void open() throws IOException {
        terminal = new ExternalTerminal(
                "test", "xterm", new PipedInputStream(keys, 1 << 16), screen, StandardCharsets.UTF_8);
        input = new EditedChatInput(terminal, interruption, null, false);
    }

    @AfterEach
    void close() throws IOException {
        input.close();
    }

    private void type(String text) throws IOException {
        keys.write(text.getBytes(StandardCharsets.UTF_8));
        keys.flush();
    }

    private List<@Nullable String> read(String text) throws IOException {
        type(text + CTRL_D);
        List<@Nullable String> lines = new ArrayList<>();
        String line;
        do {
            line = input.read();
            lines.add(line);
        } while (line != null);
        lines.removeLast();
        return lines;
    }

    private static String pasted(String text) {
        return "\033[200~" + text + "\033[201~";
    }

    @Test
    void enterEndsAMessageAndCtrlDTheChat() throws IOException {
        assertThat(read("one\rtwo wörter 漢字!! $x \\n\r")).containsExactly("one", "two wörter 漢字!! $x \\n");
    }

    @Test
    void messagesHaveSeveralLines() throws IOException {
        assertThat(read("a" + ALT_ENTER + "b\r" + "c \\\rd\r" + "\"\"\"\re\\\rf\r\"\"\"\r" + "g\r"))
                .containsExactly("a\nb", "c \nd", "e\\\nf", "g");
    }

    @Test
    void pastedTextIsOneMessageAsItIs() throws IOException {
        assertThat(read(pasted("make \\\r  all\r\rx") + " y\r" + "next\r")).containsExactly("make \\\n  all\n\nx y", "next");
    }

    @Test
    void linesAreEdited() throws IOException {
        assertThat(read("wrld\033OD\033OD\033ODo\033OF!\r" + "\033OA\r" + "gone\025kept\r"))
                .containsExactly("world!", "world!", "kept");
    }

    @Test
    void ctrlCClearsTheLineAndTwiceSaysHowToLeave() throws Exception {
        CompletableFuture<@Nullable String> message = CompletableFuture.supplyAsync(input::read);
        awaitScreen("> ", 1);
        type("half a line" + CTRL_C);
        awaitScreen("> ", 2);
        assertThat(screen.toString(StandardCharsets.UTF_8)).doesNotContain("leaves");
        type(CTRL_C);
        awaitScreen("leaves the chat", 1);
        awaitScreen("> ", 3);
        type("whole\r");
        assertThat(message.get()).isEqualTo("whole");
    }

    /** Until it stands there so often; the test's limit of time ends it otherwise. */
    private void awaitScreen(String text, int times) throws InterruptedException {
        while (screen.toString(StandardCharsets.UTF_8).split(Pattern.quote(text), -1).length <= times) {
            Thread.sleep(5);
        }
    }

    @Test
    void ctrlCInAnAnswerCallsItOff() throws Exception {
        boolean[] calledOff = new boolean[1];
        interruption.callsOff(() -> calledOff[0] = true);
        input.answering();
        assertThat(terminal.getAttributes().getLocalFlag(LocalFlag.ECHO)).isFalse();
        type(CTRL_C);
        while (!calledOff[0]) {
            Thread.sleep(5);
        }
        input.answered();
        assertThat(terminal.getAttributes().getLocalFlag(LocalFlag.ECHO)).isTrue();
        assertThat(read("next\r")).containsExactly("next");
    }

    @Test
    void commandsFilesAndSettingsAreCompleted() throws IOException {
        Files.writeString(folder.resolve("a chat.json"), "");
        Files.writeString(folder.resolve(".hidden"), "");
        Files.createDirectory(folder.resolve("some"));
        Files.writeString(folder.resolve("some/other.json"), "");
        assertThat(read("/reg\t\r" + "/load " + folder + "/a\t\r" + "/save " + folder + "/s\to\t\r" + "/set min-k\t3\r"
                        + "no \t/reg\r"))
                .map(String::stripTrailing)
                .containsExactly(
                        "/regen", "/load " + folder + "/a chat.json", "/save " + folder + "/some/other.json",
                        "/set min-keep 3", "no /reg");
    }

    @Test
    void aQuestionIsReworked() throws IOException {
        type(" more\r" + CTRL_C);
        assertThat(input.rework("some\nlines")).isEqualTo("some\nlines more");
        type("\025\025\025\013\r"); // nothing is left
        assertThat(input.rework("x")).isNull();
    }

    @Test
    void theHistoryIsKeptForItsUserAlone() throws IOException {
        input.close();
        Path file = ChatHistoryFile.of(folder.toString(), "/no/home");
        ChatHistoryFile.prepare(file);
        ExternalTerminal first = new ExternalTerminal(
                "test", "xterm", keysOf("one\rtwo\033\rlines\r secret\r"), screen, StandardCharsets.UTF_8);
        try (EditedChatInput typed = new EditedChatInput(first, interruption, file, false)) {
            assertThat(List.of(typed.read(), typed.read(), typed.read())).containsExactly("one", "two\nlines", " secret");
        }
        ExternalTerminal second = new ExternalTerminal(
                "test", "xterm", keysOf("\033OA\r"), screen, StandardCharsets.UTF_8);
        try (EditedChatInput typed = new EditedChatInput(second, interruption, file, false)) {
            assertThat(typed.read()).isEqualTo("two\nlines");
        }
        assertThat(Files.readString(file)).contains("one").doesNotContain("secret");
        if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));
            ChatHistoryFile.prepare(file);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
        }
        assertThat(ChatHistoryFile.of("relative", "/home/u")).isEqualTo(Path.of("/home/u/.local/state/tern/chat_history"));
        assertThat(ChatHistoryFile.of(null, "/home/u")).isEqualTo(Path.of("/home/u/.local/state/tern/chat_history"));
    }

    private static PipedInputStream keysOf(String text) throws IOException {
        PipedInputStream in = new PipedInputStream(1 << 12);
        PipedOutputStream out = new PipedOutputStream(in);
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
        return in;
    }
}
