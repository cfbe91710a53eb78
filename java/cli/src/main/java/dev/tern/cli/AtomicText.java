package dev.tern.cli;

import dev.tern.io.AtomicFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Writes small text files that appear whole or not at all. */
final class AtomicText {
    private AtomicText() {}

    /**
     * Writes UTF-8 in place of what may be there.
     *
     * @throws dev.tern.io.InputException when the file cannot be written
     */
    static void write(Path file, String text) {
        try (AtomicFile whole = AtomicFile.create(file, true)) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            whole.expect(bytes.length);
            whole.write(MemorySegment.ofArray(bytes));
            whole.commit();
        }
    }
}
