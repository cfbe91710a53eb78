package dev.tern.cli;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * What the launcher's ahead-of-time cache is trained on: the commands that people start and wait for, one after the other in
 * one process, on the packaged model. What they load, link and call is what the cache holds; every class in it is loaded at
 * every start, so nothing is run here that is seldom run elsewhere.
 */
final class Training {
    private static final String PROMPT = "Once upon a time there was a King who had";

    private final Path checkpoint;
    private final Path model;

    private Training(DemoFolder folder) {
        this.checkpoint = folder.checkpoint();
        this.model = folder.checkpoint().resolveSibling("model.gguf");
    }

    /** The exit status is 0 when every command ended as it should. */
    public static void main(String[] args) {
        int status;
        try (DemoFolder folder = DemoFolder.create(null)) {
            status = new Training(folder).run();
        }
        System.exit(status);
    }

    private int run() {
        List<List<Object>> commands = List.of(
                List.of("convert", checkpoint, "-o", model),
                List.of("run", "-m", model, "-p", PROMPT, "-n", 24),
                List.of("run", "-m", model, "-p", PROMPT, "-n", 24, "--temp", 0),
                List.of("run", "-m", model, "-p", PROMPT, "-n", 4, "--chat", "--json"),
                List.of("chat", "-m", model, "-n", 8),
                List.of("tokenize", "-m", model, "-p", PROMPT),
                List.of("inspect", model),
                List.of("run", "--help"),
                List.of("--help"),
                List.of("--version"));
        for (List<Object> command : commands) {
            int status = tern(command);
            if (status != ExitStatus.OK) {
                System.err.println("tern " + command + " ended with status " + status);
                return status;
            }
        }
        return ExitStatus.OK;
    }

    private static int tern(List<Object> command) {
        Terminal terminal = new Terminal(
                new ByteArrayInputStream("Tell me a fable.\n".getBytes(StandardCharsets.UTF_8)),
                OutputStream.nullOutputStream(),
                System.err,
                false,
                false,
                false);
        return Tern.run(terminal, new Interruption(), command.stream().map(String::valueOf).toArray(String[]::new));
    }
}
