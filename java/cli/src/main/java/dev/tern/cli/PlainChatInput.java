package dev.tern.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines as they come, from a pipe, or from a terminal on which nothing can be edited; such a one gets prompts. */
final class PlainChatInput implements ChatInput {
    private final Terminal terminal;
    private final BufferedReader lines;

    PlainChatInput(Terminal terminal) {
        this.terminal = terminal;
        this.lines = new BufferedReader(new InputStreamReader(terminal.in(), StandardCharsets.UTF_8));
    }

    @Override
    public @Nullable String read() throws IOException {
        String text = line("> ");
        while (text != null) {
            boolean block = Multiline.isOpenBlock(text);
            if (!block && !Multiline.goesOn(text)) {
                return Multiline.unwrap(text);
            }
            String begun = block ? text : Multiline.withoutMark(text);
            String next = line("… ");
            if (next == null) {
                return Multiline.unwrap(begun);
            }
            text = begun + "\n" + next;
        }
        return null;
    }

    private @Nullable String line(String prompt) throws IOException {
        if (terminal.inIsTerminal()) {
            terminal.err().print(prompt);
            terminal.err().flush();
        }
        String line = lines.readLine();
        if (line == null && terminal.inIsTerminal()) {
            terminal.err().println();
        }
        return line;
    }

    @Override
    public boolean canRework() {
        return false;
    }

    @Override
    public @Nullable String rework(String text) {
        return null;
    }

    @Override
    public void answering() {}

    @Override
    public void answered() {}

    @Override
    public void close() {} // standard input is the process's
}
