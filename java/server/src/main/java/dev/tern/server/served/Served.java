package dev.tern.server.served;

import dev.tern.Model;
import dev.tern.server.slots.Completions;
import dev.tern.tokenizer.Tokenizer;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * What is served.
 *
 * @param model the model
 * @param completions what computes with it
 * @param id its name for clients
 * @param created when it was loaded, in seconds since 1970
 * @param chats how conversations become prompts
 * @param grammars what answers may have to follow
 * @param embeddings one permit: embeddings are computed one after the other, so that completions have their turns
 */
public record Served(
        Model model,
        Completions completions,
        String id,
        long created,
        Chats chats,
        Grammars grammars,
        Semaphore embeddings) {

    /** @param alias its name for clients; by default its file's path */
    public static Served of(Model model, Completions completions, Optional<String> alias) {
        String id = alias.orElseGet(() -> model.info().path().toString());
        return new Served(
                model,
                completions,
                id,
                Instant.now().getEpochSecond(),
                Chats.of(model),
                new Grammars(model::tokenizer),
                new Semaphore(1, true));
    }

    /** Tokens that a slot can hold, prompt and answer together. */
    public int contextLength() {
        return completions.slots().getFirst().contextLength();
    }

    /** @throws dev.tern.io.InputException when the file has none */
    public Tokenizer tokenizer() {
        return model.tokenizer();
    }

    /**
     * A prompt's tokens: text that spells a special token is that token, and BOS stands in front where the vocabulary
     * wants it and the text does not begin with it.
     */
    public int[] encodePrompt(String text) {
        return model.chatIds(text);
    }
}
