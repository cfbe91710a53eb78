package dev.tern.cli;

import java.util.Arrays;
import java.util.Optional;

/** What can be typed in a chat instead of a message. */
enum SlashCommand {
    HELP("/help", "", "this list"),
    SYSTEM("/system", "[TEXT]", "the system's message from now on; \"\" for none; alone: shows it"),
    REGEN("/regen", "", "another answer to the last question, with another seed"),
    EDIT("/edit", "[TEXT]", "asks the last question anew in other words"),
    SAVE("/save", "[--overwrite] [FILE]", "writes messages and settings to a JSON file; alone: to the same again"),
    LOAD("/load", "FILE", "goes on with a saved chat"),
    STATS("/stats", "[on|off]", "a line after each answer: tokens, their speed, the context in use"),
    TOKENS("/tokens", "[TEXT]", "how many tokens the conversation has, or a text"),
    SET("/set", "[NAME [VALUE]]", "changes a setting, such as temp 0.7; alone: shows all"),
    DROP("/drop", "[N]", "forgets the N oldest exchanges, or as many as a question needs that found no room"),
    CLEAR("/clear", "", "forgets all but the system's message"),
    EXIT("/exit", "", "ends, as Ctrl-D does");

    private final String word;
    private final String parameters;
    private final String description;

    SlashCommand(String word, String parameters, String description) {
        this.word = word;
        this.parameters = parameters;
        this.description = description;
    }

    String word() {
        return word;
    }

    String parameters() {
        return parameters;
    }

    String description() {
        return description;
    }

    /** Whether a file's name follows. */
    boolean takesFile() {
        return this == SAVE || this == LOAD;
    }

    /** The command of that word. */
    static Optional<SlashCommand> of(String word) {
        String known = word.equals("/quit") ? "/exit" : word;
        return Arrays.stream(values()).filter(command -> command.word.equals(known)).findFirst();
    }

    /** Whether a line is meant as a command: a slash and one word of letters. A path, which has more slashes, is not. */
    static boolean isOne(String line) {
        return line.strip().matches("(?s)/[A-Za-z]+(\\s.*)?");
    }
}
