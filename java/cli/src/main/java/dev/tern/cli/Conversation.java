package dev.tern.cli;

import dev.tern.Generation;
import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.Session;
import dev.tern.template.ChatMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A chat with a model: the messages so far, and a session that keeps what they have in common with the last turn, so that
 * only what is new is evaluated.
 */
final class Conversation implements AutoCloseable {
    private final Model model;
    private final GenerationOptions options;
    private final @Nullable String system;
    private final Session session;
    private final List<ChatMessage> messages = new ArrayList<>();

    Conversation(Model model, @Nullable String system, GenerationOptions options) {
        this.model = model;
        this.options = options;
        this.system = system;
        this.session = model.session();
        clear();
    }

    /** Forgets all but the system's message. */
    void clear() {
        messages.clear();
        if (system != null) {
            messages.add(new ChatMessage("system", system));
        }
    }

    /**
     * The answer to a user's message, in the making. When the whole conversation no longer fits the context, its oldest
     * exchanges are forgotten; {@code forgotten} is told how many.
     *
     * @throws dev.tern.io.InputException when the message alone is too long; it is forgotten then
     */
    Generation ask(String message, java.util.function.IntConsumer forgotten) {
        messages.add(new ChatMessage("user", message));
        int[] prompt = model.chatPrompt(messages);
        int dropped = 0;
        int first = system == null ? 0 : 1;
        // Room for an answer as well as for the prompt: an eighth of the context at least.
        int limit = session.contextLength() - session.contextLength() / 8;
        while (prompt.length > limit && messages.size() > first + 2) {
            messages.subList(first, first + 2).clear();
            dropped++;
            prompt = model.chatPrompt(messages);
        }
        if (dropped > 0) {
            forgotten.accept(dropped);
        }
        int mismatch = Arrays.mismatch(session.ids(), prompt);
        int common = Math.min(mismatch < 0 ? prompt.length : mismatch, prompt.length - 1);
        session.rewind(common);
        try {
            return model.generate(session, Arrays.copyOfRange(prompt, common, prompt.length), options);
        } catch (RuntimeException e) {
            messages.removeLast();
            throw e;
        }
    }

    /** The answer is complete: it becomes part of the conversation. */
    void answered(String text) {
        messages.add(new ChatMessage("assistant", text));
    }

    @Override
    public void close() {
        session.close();
    }
}
