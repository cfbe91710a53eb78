package dev.tern.cli;

import dev.tern.GenerationStats;
import dev.tern.StopReason;
import dev.tern.io.InputException;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The loop of a chat: a message in, an answer out, or a command. Answers go to stdout, all else where people see it. */
final class Dialogue {
    private final Terminal terminal;
    private final Interruption interruption;
    private final Conversation conversation;
    private final ChatInput input;
    private final ChatCommands commands;
    private boolean stats;
    private @Nullable String waiting; // a question that found no room

    Dialogue(
            Terminal terminal, Interruption interruption, Conversation conversation, ChatInput input, boolean stats) {
        this.terminal = terminal;
        this.interruption = interruption;
        this.conversation = conversation;
        this.input = input;
        this.stats = stats;
        this.commands = new ChatCommands(terminal, conversation);
    }

    /** To the end of the input, or until the user leaves. */
    void run() throws IOException {
        while (true) {
            String line = input.read();
            if (line == null) {
                return;
            }
            try {
                if (SlashCommand.isOne(line)) {
                    if (!obey(line.strip())) {
                        return;
                    }
                } else if (!line.isBlank()) {
                    String message = line.startsWith("//") ? line.substring(1) : line;
                    answer(message, () -> conversation.ask(message));
                }
            } catch (InputException e) { // the conversation goes on
                terminal.err().println("tern: " + e.getMessage());
            }
        }
    }

    /** Does what a command says; false when it is to leave. */
    private boolean obey(String line) throws IOException {
        String word = line.split("\\s", 2)[0];
        String rest = line.substring(word.length()).strip();
        SlashCommand command = SlashCommand.of(word).orElse(null);
        switch (command) {
            case null -> terminal.err()
                    .println("tern: no command is called " + word
                            + "; /help lists them, and a message that begins with a slash takes two");
            case EXIT -> {
                return false;
            }
            case REGEN -> {
                if (requireAnswer()) {
                    String question = conversation.lastQuestion();
                    answer(question, conversation::askAgain);
                }
            }
            case EDIT -> edit(rest);
            case DROP -> drop(rest);
            case STATS -> stats(rest);
            case CLEAR -> {
                conversation.clear();
                waiting = null;
                if (terminal.inIsTerminal()) {
                    terminal.note("what was said so far is forgotten");
                }
            }
            case HELP, SYSTEM, SAVE, LOAD, TOKENS, SET -> commands.obey(command, rest);
        }
        return true;
    }

    private boolean requireAnswer() {
        if (!conversation.hasAnswer()) {
            terminal.err().println("tern: there is no answer yet");
        }
        return conversation.hasAnswer();
    }

    private void edit(String words) throws IOException {
        if (!requireAnswer()) {
            return;
        }
        if (words.isEmpty() && !input.canRework()) {
            terminal.err().println("tern: lines cannot be edited here; write the question anew: /edit TEXT");
            return;
        }
        String message = words.isEmpty() ? input.rework(conversation.lastQuestion()) : words;
        if (message != null) {
            answer(message, () -> conversation.askInstead(message));
        }
    }

    private void drop(String number) {
        int count = 1;
        if (!number.isEmpty()) {
            try {
                count = Integer.parseInt(number);
            } catch (NumberFormatException e) {
                count = 0;
            }
            if (count < 1) {
                terminal.err().println("tern: /drop: expected how many exchanges to forget, found " + number);
                return;
            }
        }
        String question = waiting;
        if (question != null && number.isEmpty()) {
            answer(question, () -> conversation.askForgetting(question));
            return;
        }
        terminal.note("exchanges forgotten: " + conversation.drop(count) + ", left: " + conversation.exchanges());
        if (question != null) {
            answer(question, () -> conversation.ask(question));
        }
    }

    private void stats(String word) {
        switch (word) {
            case "" -> stats = !stats;
            case "on" -> stats = true;
            case "off" -> stats = false;
            default -> {
                terminal.err().println("tern: /stats: expected on or off, found " + word);
                return;
            }
        }
        terminal.note("a line after each answer: " + (stats ? "on" : "off"));
    }

    private void answer(String question, Supplier<Turn> asked) {
        Turn turn;
        try {
            turn = asked.get();
        } catch (Conversation.ContextFull full) {
            waiting = question;
            terminal.err()
                    .println("tern: " + full.getMessage() + ". /drop forgets the oldest exchanges and asks again, /drop N so"
                            + " many, /clear all; -c N starts with a larger context, --drop-oldest always forgets");
            return;
        }
        waiting = null;
        if (turn.forgotten() > 0) {
            terminal.note("the context is full; the oldest exchanges are forgotten: " + turn.forgotten());
        }
        PrintStream out = terminal.out();
        interruption.callsOff(turn::cancel);
        input.answering();
        try {
            turn.run(text -> {
                interruption.check();
                out.print(terminal.outIsTerminal() ? withoutControls(text) : text);
                out.flush();
            });
        } finally {
            interruption.callsOff(null);
            out.println();
            out.flush();
            input.answered();
        }
        conversation.finish(turn);
        StopReason reason = turn.stopReason();
        if (turn.cameToNothing()) {
            terminal.note("the answer was cut off (cancelled) before it began; the question is forgotten");
        } else if (reason == StopReason.CONTEXT_FULL) {
            terminal.note("the answer was cut off (context full): /drop forgets the oldest exchanges, /clear all");
        } else if (reason == StopReason.MAX_TOKENS || reason == StopReason.CANCELLED) {
            terminal.note("the answer was cut off (" + ConversionText.word(reason) + ")");
        }
        if (stats) {
            terminal.err().println(dim("tern: " + status(turn)));
        }
    }

    /** One line: how much, how fast, how full the context is. */
    private String status(Turn turn) {
        GenerationStats generated = turn.stats();
        return String.format(
                Locale.ROOT,
                "prompt %d tokens, %d of them known, %.1f tok/s; generated %d tokens, %.1f tok/s%s; context %d of %d",
                turn.promptTokens(),
                turn.knownTokens(),
                turn.prefillTokensPerSecond(),
                generated.generatedTokens(),
                generated.decodeTokensPerSecond(),
                RunCommand.drafts(generated),
                turn.promptTokens() + generated.generatedTokens(),
                conversation.contextLength());
    }

    private String dim(String text) {
        return terminal.colours() ? "\033[2m" + text + "\033[0m" : text;
    }

    /** Escape sequences that a model writes must not drive the terminal. */
    private static String withoutControls(String text) {
        return text.replaceAll("[\\x00-\\x08\\x0B-\\x1F\\x7F-\\x9F]", "\uFFFD");
    }
}
