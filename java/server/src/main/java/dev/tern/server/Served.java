package dev.tern.server;

import dev.tern.Model;
import dev.tern.server.slots.Completions;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Tokenizer;
import dev.tern.tokenizer.Vocabulary;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What is served.
 *
 * @param model the model
 * @param completions what computes with it
 * @param id its name for clients
 * @param created when it was loaded, in seconds since 1970
 * @param chats how conversations become prompts
 */
record Served(Model model, Completions completions, String id, long created, Chats chats) {

    static Served of(Model model, Completions completions, ServerOptions options) {
        String id = options.alias().orElseGet(() -> model.info().path().toString());
        return new Served(
                model, completions, id, Instant.now().getEpochSecond(), Chats.of(model, options.chatTemplate()));
    }

    /** Tokens that a slot can hold, prompt and answer together. */
    int contextLength() {
        return completions.slots().getFirst().contextLength();
    }

    /** @throws dev.tern.io.InputException when the file has none */
    Tokenizer tokenizer() {
        return model.tokenizer();
    }

    /**
     * A prompt's tokens: text that spells a special token is that token, and BOS stands in front where the vocabulary
     * wants it and the text does not begin with it.
     */
    int[] encodePrompt(String text) {
        Vocabulary vocabulary = tokenizer().vocabulary();
        int[] ids = tokenizer().encode(text, false, true);
        OptionalInt bos = vocabulary.addBos() ? vocabulary.id(SpecialToken.BOS) : OptionalInt.empty();
        boolean add = bos.isPresent() && (ids.length == 0 || ids[0] != bos.getAsInt());
        return add ? IntStream.concat(IntStream.of(bos.getAsInt()), IntStream.of(ids)).toArray() : ids;
    }
}
