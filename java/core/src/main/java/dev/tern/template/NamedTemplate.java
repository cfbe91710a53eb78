package dev.tern.template;

import dev.tern.io.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Chat templates that Tern brings, for models whose file has none, or one that does not suit. */
public enum NamedTemplate {
    /** BitNet b1.58 2B-4T. */
    BITNET,
    /** {@code <|im_start|>role … <|im_end|>}, without tools. */
    CHATML,
    /** DeepSeek V3 and R1, with tools. */
    DEEPSEEK,
    /** Falcon 3. */
    FALCON3,
    /** Gemma: the system speaks through the user. */
    GEMMA,
    /** Llama 2 chat. */
    LLAMA2,
    /** Llama 3, and 3.1 and later with tools. */
    LLAMA3,
    /** Mistral 7B v0.3 and Nemo, with tools. */
    MISTRAL,
    /** Phi 3. */
    PHI3,
    /** Qwen 2.5, Qwen 3 and Hermes: ChatML with tools and reasoning. */
    QWEN,
    /** Vicuna 1.1. */
    VICUNA,
    /** Zephyr. */
    ZEPHYR;

    /** No template is longer. */
    private static final long MAX_BYTES = 1 << 20;

    /** The name on the command line: {@code chatml}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The labels of all. */
    public static List<String> labels() {
        return Arrays.stream(values()).map(NamedTemplate::label).toList();
    }

    /** The template. */
    public ChatTemplate template() {
        String file = label() + ".jinja";
        try (InputStream in = NamedTemplate.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException(file + " is missing");
            }
            return ChatTemplate.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The template of this label, or else in this file.
     *
     * @throws InputException when it is neither, or the file's text is no template
     */
    public static ChatTemplate read(String labelOrFile) {
        for (NamedTemplate named : values()) {
            if (named.label().equals(labelOrFile)) {
                return named.template();
            }
        }
        Path file = Path.of(labelOrFile);
        if (!Files.isRegularFile(file)) {
            throw InputException.at("chat template '" + labelOrFile + "'")
                    .expected("a file, or one of " + String.join(", ", labels()))
                    .found("neither")
                    .exception();
        }
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw InputException.at(file)
                        .problem("too large for a chat template")
                        .expected("at most " + MAX_BYTES + " bytes")
                        .exception();
            }
            return ChatTemplate.parse(Files.readString(file));
        } catch (IOException e) {
            throw InputException.at(file).problem("cannot be read", e).exception(e);
        }
    }
}
