package dev.tern.cli;

import dev.tern.GenerationOptions;
import dev.tern.Model;
import dev.tern.Session;
import dev.tern.StopReason;
import dev.tern.io.InputException;
import dev.tern.template.ChatMessage;
import dev.tern.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A chat with a model: the messages so far, and a session that keeps what they have in common with the last turn, so that
 * only what is new is evaluated. Nothing of it changes until an answer is {@link #finish finished}: a question that finds no
 * room, or whose answer is called off at once, leaves it as it was. For one thread.
 */
final class Conversation implements AutoCloseable {
    private final Model model;
    private final Session session;
    private final boolean dropsOldest;
    private GenerationOptions options;
    private @Nullable String system;
    private List<ChatMessage> messages = List.of(); // questions and answers in turns
    private int attempt; // how often the last question was asked before
    private final List<Spoken> spoken = new ArrayList<>(); // up to each answer, oldest first

    /** What a prompt and its answer said, and the tokens that said it. */
    private record Spoken(String text, int[] ids) {}

    /** A conversation as the template writes it. */
    private record Prompt(String text, int[] ids) {
        int length() {
            return ids.length;
        }
    }

    /** The conversation no longer fits the context, and nobody has said what to forget. */
    static final class ContextFull extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ContextFull(int tokens, int contextLength) {
            super(
                    "the context is full: with this question the conversation has " + tokens + " of " + contextLength
                            + " tokens, which leaves too few for an answer",
                    null,
                    false,
                    false);
        }
    }

    /** @param dropsOldest whether the oldest exchanges are forgotten when the context is full */
    Conversation(Model model, @Nullable String system, GenerationOptions options, boolean dropsOldest) {
        this.model = model;
        this.options = options;
        this.system = system;
        this.dropsOldest = dropsOldest;
        this.session = model.session();
    }

    /** Forgets all but the system's message. */
    void clear() {
        messages = List.of();
        spoken.clear();
        attempt = 0;
    }

    /**
     * The answer to a user's message, to be run.
     *
     * @throws ContextFull when there is no room, and exchanges that could be forgotten
     * @throws InputException when the message alone is too long, or the template refuses it
     */
    Turn ask(String message) {
        attempt = 0;
        return turn(messages, message, dropsOldest);
    }

    /** As {@link #ask}, and forgets of the oldest exchanges as many as it must. */
    Turn askForgetting(String message) {
        attempt = 0;
        return turn(messages, message, true);
    }

    /** Another answer to the last question, with the seed after that of the last one. Needs {@link #hasAnswer}. */
    Turn askAgain() {
        Turn turn = turn(messages.subList(0, messages.size() - 2), lastQuestion(), dropsOldest, attempt + 1);
        attempt++;
        return turn;
    }

    /** The answer to another question in place of the last. Needs {@link #hasAnswer}. */
    Turn askInstead(String message) {
        Turn turn = turn(messages.subList(0, messages.size() - 2), message, dropsOldest);
        attempt = 0;
        return turn;
    }

    private Turn turn(List<ChatMessage> before, String message, boolean dropping) {
        return turn(before, message, dropping, 0);
    }

    private Turn turn(List<ChatMessage> before, String message, boolean dropping, int attempts) {
        List<ChatMessage> asked = new ArrayList<>(before);
        asked.add(new ChatMessage("user", message));
        Prompt prompt = prompt(asked);
        int dropped = 0;
        while (prompt.length() > mostPromptTokens() && asked.size() > 1) {
            if (!dropping && prompt(asked.subList(asked.size() - 1, asked.size())).length() <= session.contextLength()) {
                throw new ContextFull(prompt.length(), session.contextLength());
            }
            asked.subList(0, 2).clear();
            dropped++;
            prompt = prompt(asked);
        }
        if (prompt.length() > session.contextLength()) {
            throw InputException.at("prompt")
                    .problem("longer than the context")
                    .expected("at most " + session.contextLength() + " tokens")
                    .found(prompt.length())
                    .cure("Shorten it, or start with a larger context: -c " + (prompt.length() + prompt.length() / 4) + ".")
                    .exception();
        }
        GenerationOptions seeded = options.seed().isPresent()
                ? options.toBuilder().seed(options.seed().getAsLong() + attempts).build()
                : options;
        return new Turn(model, session, List.copyOf(asked), prompt.text(), prompt.ids(), dropped, seeded);
    }

    /** Room for an answer as well as for the prompt: an eighth of the context at least. */
    private int mostPromptTokens() {
        return session.contextLength() - session.contextLength() / 8;
    }

    /**
     * The conversation's tokens. An answer, read as text again, may fall into other tokens than those that the model chose:
     * the last token of a template's "Assistant: " and the first of the answer are often one. So that what was computed
     * stays of use, the tokens of what was spoken stand, where they spell the same.
     */
    private Prompt prompt(List<ChatMessage> turns) {
        List<ChatMessage> all = new ArrayList<>();
        if (system != null) {
            all.add(new ChatMessage("system", system));
        }
        all.addAll(turns);
        String text = model.applyTemplate(all, true);
        int[] ids = model.chatIds(text);
        Tokenizer tokenizer = model.tokenizer();
        for (Spoken before : spoken.reversed()) {
            if (text.startsWith(before.text())) {
                int[] rest = tokenizer.encode(text.substring(before.text().length()), false, true);
                int[] joined = IntStream.concat(Arrays.stream(before.ids()), Arrays.stream(rest)).toArray();
                if (tokenizer.decode(joined, false).equals(tokenizer.decode(ids, false))) {
                    return new Prompt(text, joined);
                }
            }
        }
        return new Prompt(text, ids);
    }

    /** The turn was run: its question and answer become part of the conversation, unless it came to nothing. */
    void finish(Turn turn) {
        if (!turn.cameToNothing()) {
            List<ChatMessage> now = new ArrayList<>(turn.messages());
            now.add(new ChatMessage("assistant", turn.text()));
            messages = List.copyOf(now);
            String text = turn.spokenText();
            spoken.removeIf(before -> !text.startsWith(before.text()));
            if (turn.stopReason() != StopReason.STOP_STRING) { // whose tokens say more than the text
                spoken.add(new Spoken(text, turn.spokenIds()));
            }
        }
    }

    boolean hasAnswer() {
        return !messages.isEmpty();
    }

    /** The last question that has an answer. Needs {@link #hasAnswer}. */
    String lastQuestion() {
        return messages.get(messages.size() - 2).content();
    }

    /** Questions that have answers. */
    int exchanges() {
        return messages.size() / 2;
    }

    /** Forgets the oldest exchanges, up to that many; returns how many. */
    int drop(int count) {
        int dropped = Math.min(count, exchanges());
        messages = messages.subList(2 * dropped, messages.size());
        return dropped;
    }

    /** Tokens of the conversation as a prompt, 0 before it begins. */
    int tokens() {
        if (messages.isEmpty() && system == null) {
            return 0;
        }
        // Many templates refuse a conversation without a question.
        return messages.isEmpty() ? model.tokenizer().encode(system, false, false).length : prompt(messages).length();
    }

    int contextLength() {
        return session.contextLength();
    }

    /** Tokens that are computed and kept. */
    int position() {
        return session.position();
    }

    @Nullable String system() {
        return system;
    }

    /** Another message of the system, from the next question on; null for none. */
    void system(@Nullable String text) {
        system = text;
    }

    GenerationOptions options() {
        return options;
    }

    void options(GenerationOptions value) {
        options = value;
        attempt = 0;
    }

    Model model() {
        return model;
    }

    /** All of it as it is saved. */
    SavedChat toSaved() {
        String name = String.valueOf(model.info().path().getFileName());
        return new SavedChat(name, system, messages, SavedChat.settings(options));
    }

    /**
     * Goes on with a saved chat in place of this one.
     *
     * @throws IllegalArgumentException when a setting is outside its range; nothing has changed then
     */
    void load(SavedChat chat) {
        GenerationOptions changed = options;
        for (Map.Entry<ChatSetting, String> setting : chat.settings().entrySet()) {
            try {
                changed = setting.getKey().set(changed, setting.getValue());
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(setting.getKey().label() + ": " + e.getMessage(), e);
            }
        }
        options(changed);
        spoken.clear();
        system = chat.system();
        messages = chat.messages();
    }

    @Override
    public void close() {
        session.close();
    }
}
