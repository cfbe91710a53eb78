package dev.tern.server;

import dev.tern.Model;
import dev.tern.io.InputException;
import dev.tern.template.ChatTemplate;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Vocabulary;
import dev.tern.tools.ChatFormat;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a model's conversations become prompts, or why they cannot. Immutable. */
final class Chats {
    private final @Nullable ChatFormat format;
    private final InputException problem;

    private Chats(@Nullable ChatFormat format, InputException problem) {
        this.format = format;
        this.problem = problem;
    }

    /** @param chosen instead of the model's own template */
    static Chats of(Model model, Optional<ChatTemplate> chosen) {
        InputException none = InputException.at(model.info().path())
                .key("tokenizer.chat_template")
                .problem("the model has no chat template")
                .cure("Use /completion, or start the server with --chat-template.")
                .exception();
        try {
            Optional<ChatTemplate> template = chosen.or(model::chatTemplate);
            return new Chats(
                    template.map(one -> ChatFormat.of(one, specialTokens(model.tokenizer().vocabulary())))
                            .orElse(null),
                    none);
        } catch (InputException e) {
            return new Chats(null, e);
        }
    }

    /** @throws InputException when there is none */
    ChatFormat format() {
        if (format == null) {
            throw problem;
        }
        return format;
    }

    Optional<ChatFormat> ifAny() {
        return Optional.ofNullable(format);
    }

    private static Map<String, String> specialTokens(Vocabulary vocabulary) {
        Map<String, String> tokens = new HashMap<>(Map.of("bos_token", "", "eos_token", ""));
        Map.of(
                        "bos_token", SpecialToken.BOS,
                        "eos_token", SpecialToken.EOS,
                        "unk_token", SpecialToken.UNKNOWN,
                        "sep_token", SpecialToken.SEPARATOR,
                        "pad_token", SpecialToken.PADDING,
                        "mask_token", SpecialToken.MASK)
                .forEach((name, part) -> vocabulary.token(part).ifPresent(text -> tokens.put(name, text)));
        return tokens;
    }
}
