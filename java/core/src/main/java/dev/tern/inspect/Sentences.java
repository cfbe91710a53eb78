package dev.tern.inspect;

import dev.tern.io.InputException;
import java.util.Objects;

/** An error's message as a sentence of a report. */
final class Sentences {
    private Sentences() {}

    static String of(InputException e) {
        String text = Objects.requireNonNullElse(e.getMessage(), "unreadable");
        return text.endsWith(".") ? text : text + ".";
    }
}
