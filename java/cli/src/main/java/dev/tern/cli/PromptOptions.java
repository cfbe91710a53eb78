package dev.tern.cli;

import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
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

    /**
     * The ids of a prompt that the user wrote: special tokens in it are those tokens, and BOS goes in front where the
     * vocabulary says so, unless the prompt has it already.
     */
    static int[] encode(Tokenizer tokenizer, String prompt) {
        int[] ids = tokenizer.encode(prompt, true, true);
        int bos = tokenizer.vocabulary().id(SpecialToken.BOS).orElse(-1);
        boolean twice = ids.length > 1 && ids[0] == bos && ids[1] == bos && tokenizer.vocabulary().addBos();
        return twice ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }

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
