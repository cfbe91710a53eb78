package dev.tern.cli;

import java.io.IOError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jline.keymap.KeyMap;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReader.Option;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.Reference;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Lines edited on a terminal, with JLine: a history, completion, pasted text as one message, several lines. Its provider
 * {@code exec} sets the terminal's modes with stty, so that no module but the kernels' calls native code.
 */
final class EditedChatInput implements ChatInput {
    private static final String PROMPT = "> ";
    private static final String ENTER = "tern-enter";
    private static final String HOW_TO_LEAVE = "Ctrl-D or /exit leaves the chat";
    private static final int HISTORY_LINES = 5000;
    private static final int LINES = 24;
    private static final int MOST_ATTEMPTS = 8;

    private final org.jline.terminal.Terminal terminal;
    private final LineReader reader;
    private final Attributes asFound;

    /**
     * The process's own terminal.
     *
     * @param history where lines are kept; null for nowhere
     * @throws IOException when it is none that lines can be edited on
     */
    static EditedChatInput ofProcess(Interruption interruption, @Nullable Path history, boolean colours) throws IOException {
        try {
            org.jline.terminal.Terminal terminal = TerminalBuilder.builder()
                    .system(true)
                    .provider("exec")
                    .dumb(false)
                    .nativeSignals(true)
                    .graphemeCluster(false) // asks the terminal, and waits
                    .encoding(StandardCharsets.UTF_8)
                    .build();
            if (terminal.getWidth() <= 0 || terminal.getHeight() <= 0) { // as a pseudo terminal has that nobody has told
                terminal.setSize(new Size(Terminal.WIDTH, LINES));
            }
            return new EditedChatInput(terminal, interruption, history, colours);
        } catch (IllegalStateException e) { // no provider can serve it
            throw new IOException(e.getMessage(), e);
        }
    }

    EditedChatInput(
            org.jline.terminal.Terminal terminal, Interruption interruption, @Nullable Path history, boolean colours) {
        this.terminal = terminal;
        this.asFound = terminal.getAttributes();
        terminal.handle(Signal.INT, signal -> interruption.callOff());
        ChatCompleter completer = new ChatCompleter();
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("tern")
                .completer(completer)
                .parser(completer)
                .option(Option.DISABLE_EVENT_EXPANSION, true) // ! is a mark of punctuation here
                .option(Option.BRACKETED_PASTE, true)
                .option(Option.HISTORY_IGNORE_SPACE, true)
                .option(Option.AUTO_PARAM_SLASH, false)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, "… ")
                .variable(LineReader.HISTORY_SIZE, HISTORY_LINES)
                .variable(LineReader.HISTORY_FILE_SIZE, HISTORY_LINES);
        if (history != null) {
            builder.variable(LineReader.HISTORY_FILE, history);
        }
        if (!colours) {
            builder.variable(LineReader.COMPLETION_STYLE_DESCRIPTION, "faint")
                    .variable(LineReader.COMPLETION_STYLE_GROUP, "faint")
                    .variable(LineReader.COMPLETION_STYLE_STARTING, "bold")
                    .variable(LineReader.COMPLETION_STYLE_LIST_DESCRIPTION, "faint")
                    .variable(LineReader.COMPLETION_STYLE_LIST_GROUP, "faint")
                    .variable(LineReader.COMPLETION_STYLE_LIST_STARTING, "bold");
        }
        this.reader = builder.build();
        reader.getWidgets().put(ENTER, this::enter);
        KeyMap<org.jline.reader.Binding> keys = reader.getKeyMaps().get(LineReader.MAIN);
        keys.bind(new Reference(ENTER), "\r", "\n");
        keys.bind(new Reference(LineReader.SELF_INSERT_UNMETA), KeyMap.alt('\r'), KeyMap.alt('\n'));
    }

    /** Enter accepts the message, unless it says that it goes on. Pasted line ends do not come here. */
    private boolean enter() {
        String text = reader.getBuffer().toString();
        boolean atEnd = reader.getBuffer().cursor() == text.length();
        if (Multiline.isOpenBlock(text)) {
            reader.getBuffer().write('\n');
        } else if (atEnd && Multiline.goesOn(text)) {
            reader.getBuffer().backspace();
            reader.getBuffer().write('\n');
        } else {
            reader.callWidget(LineReader.ACCEPT_LINE);
        }
        return true;
    }

    @Override
    public @Nullable String read() {
        boolean again = false;
        while (true) {
            try {
                return Multiline.unwrap(line(""));
            } catch (UserInterruptException e) {
                if (again && e.getPartialLine().isEmpty()) {
                    terminal.writer().println(HOW_TO_LEAVE);
                    terminal.flush();
                }
                again = true;
            } catch (EndOfFileException e) {
                return null;
            }
        }
    }

    /**
     * A line, edited from a text on. Ctrl-C reaches the stty that sets the modes, too; that it was struck is no fault of the
     * terminal's but an interruption like another.
     */
    private String line(String from) {
        try {
            return reader.readLine(PROMPT, null, (Character) null, from);
        } catch (UserInterruptException e) {
            Thread.interrupted(); // one press is one interruption
            throw e;
        } catch (IOError e) {
            setModes(asFound);
            throw new UserInterruptException("");
        }
    }

    private void setModes(Attributes modes) {
        for (int attempt = 1; ; attempt++) {
            Thread.interrupted();
            try {
                terminal.setAttributes(modes);
                return;
            } catch (IOError e) {
                if (attempt == MOST_ATTEMPTS) { // no Ctrl-C after all
                    throw e;
                }
            }
        }
    }

    @Override
    public boolean canRework() {
        return true;
    }

    @Override
    public @Nullable String rework(String text) {
        try {
            String changed = Multiline.unwrap(line(text));
            return changed.isBlank() ? null : changed;
        } catch (UserInterruptException | EndOfFileException e) {
            return null;
        }
    }

    @Override
    public void answering() {
        Attributes silent = new Attributes(asFound);
        silent.setLocalFlag(LocalFlag.ECHO, false);
        setModes(silent);
    }

    @Override
    public void answered() {
        setModes(asFound);
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
