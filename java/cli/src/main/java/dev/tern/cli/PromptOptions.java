package dev.tern.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the prompt comes from: exactly one of the two. */
final class PromptOptions {
    @Option(
            names = {"-p", "--prompt"},
            required = true,
            paramLabel = "TEXT",
            description = "The prompt.")
    private @Nullable String text;

    @Option(
            names = {"-f", "--file"},
            required = true,
            paramLabel = "FILE",
            description = "File with the prompt, UTF-8; - is standard input. One newline at its end is left out.")
    private @Nullable Path file;

    String read(Terminal terminal) {
        if (text != null) {
            return text;
        }
        if (file == null) {
            throw new IllegalStateException("neither a prompt nor a file");
        }
        String content = TextFile.read(file, terminal);
        if (content.endsWith("\r\n")) {
            return content.substring(0, content.length() - 2);
        }
        return content.endsWith("\n") ? content.substring(0, content.length() - 1) : content;
    }
}
