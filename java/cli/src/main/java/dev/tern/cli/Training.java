package dev.tern.cli;

import java.io.ByteArrayInputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What the launcher's ahead-of-time cache is trained on: the commands that people wait for, one after the other in one
 * process. What they load, link and call is what the cache holds; every class in it is loaded at every start, so
 * nothing is run here that works for longer than it starts: {@code convert}, which writes the model, has been run in a
 * process before.
 */
final class Training {
    private static final String PROMPT = "Once upon a time there was a King who had";

    private Training() {}

    /**
     * The exit status is 0 when every command ended as it should.
     *
     * @param args a small model with a chat template
     */
    public static void main(String[] args) {
        String model = args[0];
        List<List<String>> commands = List.of(
                List.of("run", "-m", model, "-p", PROMPT, "-n", "24"),
                List.of("run", "-m", model, "-p", PROMPT, "-n", "24", "--temp", "0"),
                List.of("run", "-m", model, "-p", PROMPT, "-n", "4", "--chat"),
                List.of("chat", "-m", model, "-n", "8"),
                List.of("tokenize", "-m", model, "-p", PROMPT),
                List.of("run", "--help"),
                List.of("--help"),
                List.of("--version"));
        int status = ExitStatus.OK;
        for (List<String> command : commands) {
            int ended = tern(command);
            if (ended != ExitStatus.OK) {
                System.err.println("tern " + String.join(" ", command) + " ended with status " + ended);
                status = ended;
            }
        }
        System.exit(status);
    }

    private static int tern(List<String> command) {
        Terminal terminal = new Terminal(
                new ByteArrayInputStream("Tell me a fable.\n".getBytes(StandardCharsets.UTF_8)),
                OutputStream.nullOutputStream(),
                System.err,
                false,
                false,
                false);
        return Tern.run(terminal, new Interruption(), command.toArray(String[]::new));
    }
}
