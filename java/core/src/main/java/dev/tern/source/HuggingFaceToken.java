package dev.tern.source;

import dev.tern.io.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A token for the Hugging Face hub, found where the hub's own client looks: {@code HF_TOKEN}, {@code
 * HUGGING_FACE_HUB_TOKEN}, then the file {@code HF_TOKEN_PATH}, {@code $HF_HOME/token} or {@code
 * ~/.cache/huggingface/token}, which {@code hf auth login} writes.
 *
 * @param origin where it was found, for errors
 */
record HuggingFaceToken(String value, String origin) {

    static Optional<HuggingFaceToken> find(FetchOptions options) {
        for (String variable : new String[] {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}) {
            Optional<String> value = options.variable(variable);
            if (value.isPresent()) {
                return Optional.of(of(value.get(), variable));
            }
        }
        try {
            Path file = options.variable("HF_TOKEN_PATH")
                    .map(Path::of)
                    .orElseGet(() -> home(options).resolve("token"));
            String text = Files.isRegularFile(file) ? Files.readString(file) : "";
            return text.isBlank() ? Optional.empty() : Optional.of(of(text, file.toString()));
        } catch (InvalidPathException e) {
            throw InputException.at("HF_TOKEN_PATH or HF_HOME").problem("is no path").exception(e);
        } catch (IOException e) {
            throw InputException.at("token of the Hugging Face hub").problem("cannot be read", e).exception(e);
        }
    }

    private static Path home(FetchOptions options) {
        return options.variable("HF_HOME").map(Path::of).orElseGet(() -> options.variable("XDG_CACHE_HOME")
                .map(Path::of)
                .orElseGet(() -> Path.of(
                                options.variable("HOME").orElse(System.getProperty("user.home")))
                        .resolve(".cache"))
                .resolve("huggingface"));
    }

    private static HuggingFaceToken of(String text, String origin) {
        String value = text.strip();
        if (!value.matches("[!-~]+")) {
            throw InputException.at(origin)
                    .problem("holds no token of the Hugging Face hub: it has spaces or odd characters")
                    .exception();
        }
        return new HuggingFaceToken(value, origin);
    }

    /** Not the value, which is secret. */
    @Override
    public String toString() {
        return "token of " + origin;
    }
}
