package dev.tern.server.slots;

import dev.tern.Model;
import dev.tern.io.InputException;

/**
 * What a request must keep to.
 *
 * @param vocabSize ids are less than this
 * @param contextLength tokens that a slot can hold
 * @param slots there are so many
 */
record RequestCheck(int vocabSize, int contextLength, int slots) {
    static RequestCheck of(Model model, int slots) {
        return new RequestCheck(model.hyperparameters().vocabSize(), model.info().contextLength(), slots);
    }

    /** @throws InputException when the prompt is empty, has unknown ids or leaves no room in the context */
    void requirePrompt(int[] prompt) {
        if (prompt.length == 0) {
            throw InputException.at("prompt").problem("empty").expected("at least one token").exception();
        }
        if (prompt.length >= contextLength) {
            throw InputException.at("prompt")
                    .problem("longer than the context")
                    .expected("at most " + (contextLength - 1) + " tokens, so that there is room for an answer")
                    .found(prompt.length)
                    .cure("Shorten it, or load the model with a longer context.")
                    .exception();
        }
        for (int i = 0; i < prompt.length; i++) {
            if (prompt[i] < 0 || prompt[i] >= vocabSize) {
                throw InputException.at("prompt")
                        .problem("token " + i + " is not in the vocabulary")
                        .expected("an id from 0 to " + (vocabSize - 1))
                        .found(prompt[i])
                        .exception();
            }
        }
    }

    /** @throws InputException when there is no such slot */
    void requireSlot(int slot) {
        if (slot < 0 || slot >= slots) {
            throw InputException.at("slot")
                    .problem("there is no such slot")
                    .expected("0 to " + (slots - 1))
                    .found(slot)
                    .exception();
        }
    }
}
