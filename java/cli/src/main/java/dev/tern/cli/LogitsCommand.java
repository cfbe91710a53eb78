package dev.tern.cli;

import dev.tern.Model;
import dev.tern.Session;
import dev.tern.io.InputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tern logits}: what the model thinks of every next token, at every position, for comparing engines. */
@Command(
        name = "logits",
        description = "Writes the logits at every position of a prompt as a NumPy file, float32 [positions, vocabulary].",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExample:%n",
        footer = "  tern logits -m model.gguf --tokens 1,15043,3186 --cache-type f32 -o logits.npy")
final class LogitsCommand implements Callable<Integer> {
    private final Terminal terminal;
    private final Interruption interruption;

    @Spec
    private CommandSpec spec = CommandSpec.create(); // replaced by picocli

    @Mixin
    private EngineOptions engine = new EngineOptions();

    @ArgGroup(multiplicity = "1")
    private Input input = new Input();

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "OUT.npy",
            description = "The file to write; one that exists is replaced when all is computed.")
    private Path output = Path.of("");

    static final class Input {
        @ArgGroup(exclusive = true, multiplicity = "1")
        private @Nullable PromptOptions prompt;

        @Option(
                names = "--tokens",
                required = true,
                split = ",",
                paramLabel = "ID",
                description = "Or the prompt's ids, exactly these, separated by commas.")
        private @Nullable Integer[] ids;
    }

    LogitsCommand(Terminal terminal, Interruption interruption) {
        this.terminal = terminal;
        this.interruption = interruption;
    }

    @Override
    public Integer call() throws Exception {
        if (Files.exists(output) && Files.exists(engine.model()) && Files.isSameFile(output, engine.model())) {
            throw new ParameterException(spec.commandLine(), "-o names the model itself");
        }
        try (Model model = engine.load(terminal);
                Session session = model.session()) {
            int vocabulary = model.hyperparameters().vocabSize();
            int[] ids = ids(model, vocabulary);
            try (NpyFile file = NpyFile.create(output, ids.length, vocabulary);
                    Progress progress = new Progress(terminal, interruption)) {
                session.feed(ids, (position, logits) -> {
                    file.append(logits);
                    progress.at("logits", position + 1L, ids.length, "positions", 1);
                });
                file.commit();
            }
            terminal.err().println("tern: " + output + ": float32 [" + ids.length + ", " + vocabulary + "]");
        }
        return ExitStatus.OK;
    }

    private int[] ids(Model model, int vocabulary) {
        int[] ids;
        if (input.prompt != null) {
            ids = PromptOptions.encode(model.tokenizer(), input.prompt.read(terminal));
        } else {
            ids = Arrays.stream(input.ids).mapToInt(Integer::intValue).toArray();
        }
        if (ids.length == 0) {
            throw InputException.at("the prompt").problem("has no tokens, so there are no logits").exception();
        }
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw InputException.at("--tokens")
                        .expected("ids from 0 to " + (vocabulary - 1))
                        .found(id)
                        .exception();
            }
        }
        return ids;
    }
}
