package dev.tern.cli;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.GenerationStats;
import dev.tern.Model;
import dev.tern.ModelInfo;
import dev.tern.StopReason;
import dev.tern.Token;
import dev.tern.template.ChatMessage;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code tern run}: a prompt in, the model's text out, as it comes. */
@Command(
        name = "run",
        description = "Continues a prompt, or answers it with --chat. Text goes to stdout as it comes, timings to stderr.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern run -m model.gguf -p 'Once upon a time' -n 200 --seed 7",
            "  tern run -m model.gguf --chat -p 'Why is the sky blue?' --temp 0",
            "  tern run -m model.gguf -f prompt.txt --json | jq .text"
        })
final class RunCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @ArgGroup(multiplicity = "1")
    private PromptOptions prompt = new PromptOptions();

    @Option(names = "--chat", description = "Ask the prompt as a user's message in the model's chat template.")
    private boolean chat;

    @Option(names = "--system", paramLabel = "TEXT", description = "With --chat: the system's message before it.")
    private @Nullable String system;

    @Mixin
    private ChatTemplateOption template = new ChatTemplateOption();

    @Mixin
    private SamplingOptions sampling = new SamplingOptions();

    @Option(
            names = "--json",
            description = "Print one JSON object at the end: prompt_ids, ids, text, stop_reason, timings.")
    private boolean json;

    @Option(
            names = {"-q", "--quiet"},
            description = "Print no timings.")
    private boolean quiet;

    RunCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        if (system != null && !chat) {
            throw new ParameterException(spec.commandLine(), "--system needs --chat");
        }
        if (template.isGiven() && !chat) {
            throw new ParameterException(spec.commandLine(), "--chat-template needs --chat");
        }
        GenerationOptions options = sampling.toOptions(128);
        String text = prompt.read(terminal);
        try (Model model = engine.load(terminal, template::applyTo)) {
            int[] ids = chat ? chatIds(model, text) : PromptOptions.encode(model.tokenizer(), text);
            Generation generation = model.generate(ids, template.stopAtTurn(options, model));
            if (json) {
                generation.forEach(token -> interruption.check());
                terminal.out().print(Json.document(toJson(model, generation)));
            } else {
                stream(generation);
                if (!quiet) {
                    terminal.err().println(summary(generation));
                }
            }
        }
        return ExitStatus.OK;
    }

    private int[] chatIds(Model model, String text) {
        List<ChatMessage> messages = new ArrayList<>();
        if (system != null) {
            messages.add(new ChatMessage("system", system));
        }
        messages.add(new ChatMessage("user", text));
        return model.chatPrompt(messages);
    }

    private void stream(Generation generation) {
        PrintStream out = terminal.out();
        boolean lineOpen = false;
        try {
            for (Token token : generation) {
                interruption.check();
                if (!token.text().isEmpty()) {
                    out.print(token.text());
                    out.flush();
                    lineOpen = !token.text().endsWith("\n");
                }
            }
        } finally {
            if (lineOpen) {
                out.println();
                out.flush();
            }
        }
    }

    /** One line: how much, how fast, why it ended. */
    private String summary(Generation generation) {
        GenerationStats stats = generation.stats();
        return String.format(
                Locale.ROOT,
                "tern: prompt %d tokens, %.1f tok/s; generated %d tokens, %.1f tok/s%s; stopped: %s; seed %d",
                stats.promptTokens(),
                stats.prefillTokensPerSecond(),
                stats.generatedTokens(),
                stats.decodeTokensPerSecond(),
                drafts(stats),
                word(generation.stopReason()),
                sampling.seed());
    }

    /** How many tokens were guessed and how many of them were right, where any were. */
    static String drafts(GenerationStats stats) {
        return stats.draftedTokens() == 0
                ? ""
                : ", of %d guessed %d were right".formatted(stats.draftedTokens(), stats.acceptedTokens());
    }

    /** A stop reason as programs read it: {@code end_token}, {@code max_tokens} and so on. */
    static String word(StopReason reason) {
        return reason.name().toLowerCase(Locale.ROOT);
    }

    private ObjectNode toJson(Model model, Generation generation) {
        GenerationStats stats = generation.stats();
        ModelInfo info = model.info();
        ObjectNode object = Json.object();
        object.put("model", info.path().toString());
        object.set("prompt_ids", Json.array(generation.promptIds()));
        object.set("ids", Json.array(generation.ids()));
        object.put("text", generation.text());
        object.put("stop_reason", word(generation.stopReason()));
        object.put("seed", sampling.seed());
        object.putObject("timings")
                .put("load_ms", info.loadSeconds() * 1e3)
                .put("prompt_n", stats.promptTokens())
                .put("prompt_ms", stats.prefillSeconds() * 1e3)
                .put("prompt_per_second", stats.prefillTokensPerSecond())
                .put("first_token_ms", stats.firstTokenSeconds() * 1e3)
                .put("predicted_n", stats.generatedTokens())
                .put("predicted_ms", stats.decodeSeconds() * 1e3)
                .put("predicted_per_second", stats.decodeTokensPerSecond())
                .put("draft_n", stats.draftedTokens())
                .put("draft_n_accepted", stats.acceptedTokens());
        object.put("threads", info.threads());
        object.put("kernels", info.tier().label());
        object.put("lut", info.lut().orElse(null));
        return object;
    }
}
