package dev.tern.cli;

import dev.tern.Model;
import dev.tern.Perplexity;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ObjectNode;

/** {@code tern perplexity}: how well a model predicts a text. */
@Command(
        name = "perplexity",
        description = "Measures how well a model predicts a text; lower is better. The text is cut into windows of -c tokens"
                + " (default: 512).",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = "  tern perplexity -m model.gguf -f wiki.test.raw -c 512")
final class PerplexityCommand implements Callable<Integer> {
    private static final int DEFAULT_WINDOW = 512;

    private final Terminal terminal;
    private final Interruption interruption;

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @Option(
            names = {"-f", "--file"},
            required = true,
            paramLabel = "TEXT",
            description = "The text, UTF-8; - is standard input.")
    private Path file = Path.of("");

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            defaultValue = "second_half",
            description = "second_half scores the second half of each full window, as GGML's tool does; chunked scores all"
                    + " (default: ${DEFAULT-VALUE}).")
    private Perplexity.Method method = Perplexity.Method.SECOND_HALF;

    @Option(names = "--json", description = "Print one JSON object: ppl, nll, scored, tokens, n_ctx, method.")
    private boolean json;

    PerplexityCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() {
        int window = engine.context().orElse(DEFAULT_WINDOW);
        String text = TextFile.read(file, terminal);
        Perplexity result;
        try (Model model = engine.load(terminal);
                Progress progress = new Progress(terminal, interruption)) {
            result = Perplexity.measure(model, text, window, method, (done, all, soFar) ->
                    progress.at("perplexity", done, all, "windows", 1));
        }
        String word = result.method().name().toLowerCase(java.util.Locale.ROOT);
        if (json) {
            ObjectNode object = Json.object();
            object.put("ppl", result.value())
                    .put("nll", result.totalNll() / result.scored())
                    .put("scored", result.scored())
                    .put("tokens", result.tokens())
                    .put("n_ctx", result.context())
                    .put("method", word);
            terminal.out().print(Json.document(object));
        } else {
            terminal.print(
                    "perplexity %.4f (%s, windows of %d; %d of %d tokens scored)%n",
                    result.value(), word, result.context(), result.scored(), result.tokens());
        }
        return ExitStatus.OK;
    }
}
