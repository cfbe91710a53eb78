package dev.tern.cli;

import dev.tern.gguf.GgufFile;
import dev.tern.io.InputException;
import dev.tern.io.JsonFile;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code tern tokenize}: the ids that a model reads for a text. */
@Command(
        name = "tokenize",
        description = "Shows the tokens a model reads for a text: a line with id and token each.",
        mixinStandardHelpOptions = true,
        versionProvider = Build.Provider.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  tern tokenize -m model.gguf -p 'Hello, world'",
            "  tern tokenize checkpoint/ --jsonl texts.jsonl > ids.jsonl"
        })
final class TokenizeCommand implements Callable<Integer> {
    private final Terminal terminal;

    @ArgGroup(multiplicity = "1")
    private Source source = new Source();

    @ArgGroup(multiplicity = "1")
    private Input input = new Input();

    @Option(names = "--no-special", description = "Add no begin-of-text token, even where the vocabulary says so.")
    private boolean noSpecial;

    @Option(
            names = "--special-as-text",
            description = "Treat text that looks like a special token as plain text, as for untrusted input.")
    private boolean specialAsText;

    @Option(names = "--json", description = "Print one JSON object with ids and tokens.")
    private boolean json;

    static final class Source {
        @Option(
                names = {"-m", "--model"},
                required = true,
                paramLabel = "F.gguf",
                description = "A GGUF file.")
        private @Nullable Path model;

        @Parameters(paramLabel = "CHECKPOINT", description = "Or a checkpoint's folder, with tokenizer.json or"
                + " tokenizer.model.")
        private @Nullable Path checkpoint;
    }

    static final class Input {
        @ArgGroup(exclusive = true, multiplicity = "1")
        private @Nullable PromptOptions prompt;

        @Option(
                names = "--jsonl",
                required = true,
                paramLabel = "FILE",
                description = "For each line {\"text\": ...} print a line {\"ids\": [...]}; - is standard input.")
        private @Nullable Path lines;
    }

    TokenizeCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        Vocabulary vocabulary = vocabulary();
        vocabulary.notes().forEach(terminal::note);
        Tokenizer tokenizer = Tokenizer.of(vocabulary);
        if (input.lines != null) {
            tokenizeLines(tokenizer, input.lines);
        } else if (input.prompt != null) {
            print(tokenizer, encode(tokenizer, input.prompt.read(terminal)));
        }
        return ExitStatus.OK;
    }

    private Vocabulary vocabulary() {
        Path path = source.model != null ? source.model : source.checkpoint;
        if (path == null) {
            throw new IllegalStateException("neither model nor checkpoint");
        }
        if (Files.isDirectory(path)) {
            // Not the whole checkpoint: its tokenizer is of use where the weights are not.
            Path config = path.resolve("config.json");
            int vocabSize = JsonFile.read(config).path("vocab_size").asInt(-1);
            if (vocabSize <= 0) {
                throw InputException.at(config).key("vocab_size").expected("a number above 0").exception();
            }
            return Vocabulary.ofCheckpoint(path, vocabSize);
        }
        try (GgufFile file = GgufFile.open(path)) {
            return Vocabulary.ofGguf(file.metadata(), path);
        }
    }

    private int[] encode(Tokenizer tokenizer, String text) {
        return tokenizer.encode(text, !noSpecial, !specialAsText);
    }

    private void print(Tokenizer tokenizer, int[] ids) {
        if (json) {
            ObjectNode object = Json.object();
            object.set("ids", Json.array(ids));
            ArrayNode tokens = object.putArray("tokens");
            for (int id : ids) {
                tokens.add(tokenizer.vocabulary().tokens().get(id));
            }
            terminal.out().print(Json.document(object));
            return;
        }
        for (int id : ids) {
            terminal.print("%7d  %s%n", id, tokenizer.vocabulary().tokens().get(id));
        }
    }

    private void tokenizeLines(Tokenizer tokenizer, Path file) {
        try (BufferedReader lines = TextFile.lines(file, terminal)) {
            String line;
            for (int number = 1; (line = lines.readLine()) != null; number++) {
                String where = file + ": line " + number;
                if (line.isBlank()) {
                    throw InputException.at(where)
                            .expected("an object with a string \"text\"")
                            .found("an empty line")
                            .exception();
                }
                JsonNode text = JsonFile.parse(line.getBytes(StandardCharsets.UTF_8), where).path("text");
                if (!text.isString()) {
                    throw InputException.at(where)
                            .expected("an object with a string \"text\"")
                            .found(line.length() > 80 ? line.substring(0, 80) + "..." : line)
                            .exception();
                }
                ObjectNode result = Json.object();
                result.set("ids", Json.array(encode(tokenizer, text.asString())));
                terminal.out().print(Json.line(result));
            }
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read: " + e).exception(e);
        }
    }
}
