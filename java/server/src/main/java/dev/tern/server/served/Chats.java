package dev.tern.server.served;

import dev.tern.Model;
import dev.tern.io.InputException;
import dev.tern.tools.ChatFormat;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How a model's conversations become prompts, or why they cannot. Immutable. */
public final class Chats {
    private final @Nullable ChatFormat format;
    private final Set<Integer> marks;
    private final @Nullable InputException problem;

    private Chats(@Nullable ChatFormat format, Set<Integer> marks, @Nullable InputException problem) {
        this.format = format;
        this.marks = marks;
        this.problem = problem;
    }

    static Chats of(Model model) {
        try {
            return new Chats(model.chatFormat(), model.chatMarkIds(), null);
        } catch (InputException e) {
            return new Chats(null, Set.of(), e);
        }
    }

    /** @throws InputException when there is none */
    public ChatFormat format() {
        if (format == null) {
            throw problem == null ? new IllegalStateException() : problem;
        }
        return format;
    }

    public Optional<ChatFormat> ifAny() {
        return Optional.ofNullable(format);
    }

    /** Special tokens whose text a reader of answers needs. */
    public Set<Integer> marks() {
        return marks;
    }
}
