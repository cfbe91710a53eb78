package dev.tern.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What an answer has been found to say: the deltas not yet taken, and the whole. Not thread-safe. */
final class AnswerLog {
    private final Supplier<String> ids;
    private final List<AnswerDelta> deltas = new ArrayList<>();
    private final StringBuilder content = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final List<ToolCall> calls = new ArrayList<>();
    private final StringBuilder arguments = new StringBuilder(); // of the call at hand
    private final StringBuilder pending = new StringBuilder(); // of them, what is not yet a delta
    private String id = "";
    private String name = "";
    private int begun;

    AnswerLog(Supplier<String> ids) {
        this.ids = ids;
    }

    boolean hasContent() {
        return !content.isEmpty();
    }

    void content(String text) {
        if (!text.isEmpty()) {
            content.append(text);
            boolean more = !deltas.isEmpty() && deltas.getLast() instanceof AnswerDelta.Content;
            String before = more ? ((AnswerDelta.Content) deltas.removeLast()).text() : "";
            deltas.add(new AnswerDelta.Content(before + text));
        }
    }

    void reasoning(String text) {
        if (!text.isEmpty()) {
            reasoning.append(text);
            boolean more = !deltas.isEmpty() && deltas.getLast() instanceof AnswerDelta.Reasoning;
            String before = more ? ((AnswerDelta.Reasoning) deltas.removeLast()).text() : "";
            deltas.add(new AnswerDelta.Reasoning(before + text));
        }
    }

    /** @param given the model's own id, if it gave one */
    void callBegins(@Nullable String given, String function) {
        id = given == null ? ids.get() : given;
        name = function;
        arguments.setLength(0);
        deltas.add(new AnswerDelta.CallBegin(begun++, id, name));
    }

    void arguments(String text) {
        if (!text.isEmpty()) {
            arguments.append(text);
            pending.append(text);
        }
    }

    private void flushArguments() {
        if (!pending.isEmpty()) {
            deltas.add(new AnswerDelta.CallArguments(begun - 1, pending.toString()));
            pending.setLength(0);
        }
    }

    void callDone() {
        flushArguments();
        calls.add(new ToolCall(id, name, arguments.toString()));
    }

    /** @param raw all that was written of it, mark and all */
    void callBroke(String raw) {
        flushArguments();
        content.append(raw);
    }

    List<AnswerDelta> takeDeltas() {
        flushArguments();
        List<AnswerDelta> taken = List.copyOf(deltas);
        deltas.clear();
        return taken;
    }

    Answer answer() {
        return new Answer(content.toString(), reasoning.toString(), calls);
    }
}
