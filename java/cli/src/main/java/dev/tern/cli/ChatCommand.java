package dev.tern.cli;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.GenerationStats;
import dev.tern.Model;
import dev.tern.StopReason;
import dev.tern.Token;
import dev.tern.io.InputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tern chat}: a conversation, a line at a time. */
@Command(
        name = "chat",
        description = "Talks with a model in its chat template: a line in, an answer out. /clear starts again, Ctrl-C"
                + " stops an answer, /exit or Ctrl-D ends.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = "  tern chat -m model.gguf --system 'Answer briefly.'")
final class ChatCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Option(names = "--system", paramLabel = "TEXT", description = "The system's message before the conversation.")
    private @Nullable String system;

    @Mixin
    private ChatTemplateOption template = new ChatTemplateOption();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Option(
            names = {"-q", "--quiet"},
            description = "Print no timings.")
    private boolean quiet;

    ChatCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws IOException {
        GenerationOptions options = sampling.toOptions(-1);
        try (Model model = engine.load(terminal, template::applyTo);
                Conversation conversation = new Conversation(model, system, template.stopAtTurn(options, model))) {
            interruption.converse();
            BufferedReader lines = new BufferedReader(new InputStreamReader(terminal.in(), StandardCharsets.UTF_8));
            while (true) {
                prompt();
                String line = lines.readLine();
                if (line == null) {
                    if (terminal.inIsTerminal()) {
                        terminal.err().println();
                    }
                    return ExitStatus.OK;
                }
                switch (line.strip()) {
                    case "" -> {}
                    case "/exit", "/quit" -> {
                        return ExitStatus.OK;
                    }
                    case "/clear" -> {
                        conversation.clear();
                        if (terminal.inIsTerminal()) {
                            terminal.note("what was said so far is forgotten");
                        }
                    }
                    default -> answer(conversation, line);
                }
            }
        }
    }

    private void prompt() {
        if (terminal.inIsTerminal()) {
            terminal.err().print("> ");
            terminal.err().flush();
        }
    }

    private void answer(Conversation conversation, String message) {
        Generation generation;
        try {
            generation = conversation.ask(
                    message, count -> terminal.note("the context is full; the oldest exchanges are forgotten: " + count));
        } catch (InputException tooLong) { // the conversation goes on
            terminal.err().println("tern: " + tooLong.getMessage());
            return;
        }
        interruption.callsOff(generation::cancel);
        try {
            for (Token token : generation) {
                interruption.check();
                terminal.out().print(token.text());
                terminal.out().flush();
            }
        } finally {
            interruption.callsOff(null);
        }
        terminal.out().println();
        terminal.out().flush();
        conversation.answered(generation.text());
        if (generation.stopReason() == StopReason.MAX_TOKENS
                || generation.stopReason() == StopReason.CONTEXT_FULL
                || generation.stopReason() == StopReason.CANCELLED) {
            terminal.note("the answer was cut off (" + ConversionText.word(generation.stopReason()) + ")");
        }
        if (!quiet) {
            GenerationStats stats = generation.stats();
            terminal.err()
                    .println(String.format(
                            Locale.ROOT,
                            "tern: prompt %d tokens, %.1f tok/s; generated %d tokens, %.1f tok/s%s",
                            stats.promptTokens(),
                            stats.prefillTokensPerSecond(),
                            stats.generatedTokens(),
                            stats.decodeTokensPerSecond(),
                            RunCommand.drafts(stats)));
        }
    }
}
