package dev.tern.server;

import dev.tern.Model;
import dev.tern.server.slots.Completions;
import dev.tern.tokenizer.SpecialToken;
import dev.tern.tokenizer.Tokenizer;
import java.time.Instant;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * What is served.
 *
 * @param model the model
 * @param completions what computes with it
 * @param id its name for clients
 * @param created when it was loaded, in seconds since 1970
 */
record Served(Model model, Completions completions, String id, long created) {

    static Served of(Model model, Completions completions, ServerOptions options) {
        String id = options.alias().orElseGet(() -> model.info().path().toString());
        return new Served(model, completions, id, Instant.now().getEpochSecond());
    }

    /** Tokens that a slot can hold, prompt and answer together. */
    int contextLength() {
        return completions.slots().getFirst().contextLength();
    }

    /** @throws dev.tern.io.InputException when the file has none */
    Tokenizer tokenizer() {
        return model.tokenizer();
    }

    /** A text's tokens as a prompt begins: special tokens are what they spell, BOS stands in front once where it should. */
    int[] encodePrompt(String text) {
        Tokenizer tokenizer = tokenizer();
        int[] ids = tokenizer.encode(text, true, true);
        OptionalInt bos = tokenizer.vocabulary().id(SpecialToken.BOS);
        boolean twice = ids.length > 1 && bos.isPresent() && ids[0] == bos.getAsInt() && ids[1] == bos.getAsInt();
        return twice ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    }
}
