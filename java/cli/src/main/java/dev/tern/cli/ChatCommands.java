package dev.tern.cli;

import dev.tern.io.InputException;
import dev.tern.tokenizer.Tokenizer;
import java.io.PrintStream;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** The commands of a chat that ask the model nothing. */
final class ChatCommands {
    private static final String OVERWRITE = "--overwrite";

    private final Terminal terminal;
    private final Conversation conversation;
    private @Nullable Path file; // the chat's own, once it was saved or loaded

    ChatCommands(Terminal terminal, Conversation conversation) {
        this.terminal = terminal;
        this.conversation = conversation;
    }

    /** @throws InputException when a file is at fault */
    void obey(SlashCommand command, String rest) {
        switch (command) {
            case HELP -> help();
            case SYSTEM -> system(rest);
            case SAVE -> save(rest);
            case LOAD -> load(rest);
            case TOKENS -> tokens(rest);
            case SET -> set(rest);
            case REGEN, EDIT, STATS, DROP, CLEAR, EXIT -> throw new IllegalArgumentException(command.word());
        }
    }

    /** Where people read: stdout belongs to the answers wherever a program may read it. */
    private PrintStream people() {
        return terminal.inIsTerminal() && terminal.outIsTerminal() ? terminal.out() : terminal.err();
    }

    private void say(String text) {
        people().println(text);
        people().flush();
    }

    private void fault(String text) {
        terminal.err().println("tern: " + text);
    }

    private void help() {
        StringBuilder text = new StringBuilder();
        for (SlashCommand command : SlashCommand.values()) {
            String usage = command.word() + " " + command.parameters();
            text.append(String.format("%-30s %s%n", usage, command.description()));
        }
        text.append(
                """
                A message is a line. It goes on in the next one after Alt-Enter or a backslash at its end; between \"\"\" and
                \"\"\" are any number of lines, and pasted text is one message. // begins a message with a slash.
                Ctrl-C stops an answer, or clears the line. Tab completes commands, files and settings.""");
        say(text.toString());
    }

    private void system(String text) {
        if (text.isEmpty()) {
            String system = conversation.system();
            say(system == null ? "there is no system message" : system);
            return;
        }
        conversation.system(text.equals("\"\"") ? null : Multiline.unwrap(text));
        terminal.note("the system message counts from the next answer on");
    }

    private void save(String words) {
        boolean overwrite = words.equals(OVERWRITE) || words.startsWith(OVERWRITE + " ");
        String name = overwrite ? words.substring(OVERWRITE.length()).strip() : words;
        Path target = name.isEmpty() ? file : UserPath.of(name);
        if (target == null) {
            fault("/save: name a file");
            return;
        }
        conversation.toSaved().write(target, overwrite || target.equals(file));
        file = target;
        terminal.note("saved in " + target);
    }

    private void load(String name) {
        if (name.isEmpty()) {
            fault("/load: name a file");
            return;
        }
        Path source = UserPath.of(name);
        SavedChat chat = SavedChat.read(source);
        try {
            conversation.load(chat);
        } catch (IllegalArgumentException e) {
            throw InputException.at(source).key("settings").problem(String.valueOf(e.getMessage())).exception(e);
        }
        file = source;
        String mine = conversation.toSaved().model();
        String other = chat.model().isEmpty() || chat.model().equals(mine) ? "" : ", held with " + chat.model();
        terminal.note("loaded " + source + ": exchanges " + conversation.exchanges() + other);
    }

    private void tokens(String text) {
        if (text.isEmpty()) {
            say("context: %d of %d tokens, exchanges %d; computed and kept: %d"
                    .formatted(
                            conversation.tokens(),
                            conversation.contextLength(),
                            conversation.exchanges(),
                            conversation.position()));
            return;
        }
        Tokenizer tokenizer = conversation.model().tokenizer();
        int[] ids = tokenizer.encode(text, false, false);
        StringBuilder shown = new StringBuilder("tokens: ").append(ids.length).append(" =");
        for (int id : ids) {
            shown.append(' ').append(id);
        }
        say(shown.toString());
    }

    private void set(String words) {
        if (words.isEmpty()) {
            StringBuilder text = new StringBuilder();
            for (ChatSetting setting : ChatSetting.values()) {
                text.append(String.format("%-20s %s%n", setting.label(), setting.get(conversation.options())));
            }
            say(text.toString().stripTrailing());
            return;
        }
        String[] parts = words.split("\\s*[\\s=]\\s*", 2);
        ChatSetting setting = ChatSetting.of(parts[0]).orElse(null);
        if (setting == null) {
            fault("/set: no setting is called " + parts[0] + "; /set lists them");
        } else if (parts.length == 1) {
            say(setting.label() + " " + setting.get(conversation.options()));
        } else {
            try {
                conversation.options(setting.set(conversation.options(), parts[1]));
            } catch (IllegalArgumentException e) {
                fault("/set " + setting.label() + ": " + e.getMessage());
            }
        }
    }
}
