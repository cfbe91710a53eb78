package dev.tern.cli;

import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code tern chat}: a conversation, on a terminal with its lines edited, or from a pipe. */
@Command(
        name = "chat",
        description = "Talks with a model in its chat template: a line in, an answer out. /help lists the commands, Ctrl-C"
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
            names = "--drop-oldest",
            description = "When the context is full, forget the oldest exchanges; otherwise it is said, and /drop does so.")
    private boolean dropOldest;

    @Option(names = "--no-history", description = "Do not keep what is typed for the next chat's Up key.")
    private boolean noHistory;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print no line of statistics after answers; /stats changes it.")
    private boolean quiet;

    ChatCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws IOException {
        GenerationOptions options = sampling.toOptions(-1);
        try (Model model = engine.load(terminal, template::applyTo);
                Conversation conversation =
                        new Conversation(model, system, template.stopAtTurn(options, model), dropOldest);
                ChatInput input = input()) {
            new Dialogue(terminal, interruption, conversation, input, !quiet).run();
        }
        return ExitStatus.OK;
    }

    /** Edited where a person sits at a terminal that can; lines as they come elsewhere. */
    private ChatInput input() {
        String type = System.getenv("TERM");
        if (terminal.inIsTerminal() && terminal.outIsTerminal() && type != null && !type.equals("dumb")) {
            try {
                ChatInput edited = EditedChatInput.ofProcess(interruption, historyFile(), terminal.colours());
                interruption.patience(Duration.ZERO); // who waits for a line cannot ask, and has nothing to undo
                return edited;
            } catch (IOException e) {
                if (terminal.verbose()) {
                    terminal.note("lines cannot be edited on this terminal: " + e.getMessage());
                }
            }
        }
        interruption.converse();
        return new PlainChatInput(terminal);
    }

    private @Nullable Path historyFile() {
        if (noHistory) {
            return null;
        }
        Path file = ChatHistoryFile.of(System.getenv("XDG_STATE_HOME"), System.getProperty("user.home"));
        try {
            ChatHistoryFile.prepare(file);
            return file;
        } catch (IOException e) {
            terminal.note(InputException.at(file)
                    .problem("what is typed cannot be kept", e)
                    .exception(e)
                    .getMessage());
            return null;
        }
    }
}
