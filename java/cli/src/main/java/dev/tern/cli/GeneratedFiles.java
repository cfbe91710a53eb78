package dev.tern.cli;

import dev.tern.codegen.HeaderGenerator;
import dev.tern.io.AtomicFile;
import dev.tern.io.InputException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * The two files of a plan in a folder. Each appears whole. What is there already is replaced only when that is wanted;
 * a file that holds the same text anyway is left alone.
 */
final class GeneratedFiles {
    static final String CONFIG = "kernel_config.ini";

    private final SequencedMap<Path, String> texts = new LinkedHashMap<>();
    private final Path folder;

    GeneratedFiles(Path folder, String header, String config) {
        this.folder = folder;
        texts.put(header(), header);
        texts.put(config(), config);
    }

    Path header() {
        return folder.resolve(HeaderGenerator.FILE_NAME);
    }

    Path config() {
        return folder.resolve(CONFIG);
    }

    /** Files and whether they will be or were written; false for those that are there already, with the same text. */
    SequencedMap<Path, Boolean> changes() {
        SequencedMap<Path, Boolean> changes = new LinkedHashMap<>();
        texts.forEach((file, text) -> changes.put(file, !holds(file, text)));
        return changes;
    }

    /**
     * Makes sure that nothing is in the way, before any work is done.
     *
     * @throws InputException when a file holds something else and is not to be replaced
     */
    void requireFree(boolean overwrite) {
        changes().forEach((file, changed) -> {
            if (changed && !overwrite && Files.exists(file)) {
                throw InputException.at(file)
                        .problem("exists already and holds something else")
                        .cure("Add --overwrite to replace it, or name another folder with --out.")
                        .exception();
            }
        });
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw InputException.at(folder).expected("a folder").found("a file").exception();
        }
    }

    /**
     * Writes both.
     *
     * @return {@link #changes}
     * @throws InputException when something is in the way or the folder cannot be written to
     */
    SequencedMap<Path, Boolean> write(boolean overwrite) {
        requireFree(overwrite);
        SequencedMap<Path, Boolean> changes = changes();
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw InputException.at(folder).problem("the folder cannot be made", e).exception(e);
        }
        for (Map.Entry<Path, Boolean> change : changes.entrySet()) {
            if (change.getValue()) {
                byte[] bytes = texts.get(change.getKey()).getBytes(StandardCharsets.UTF_8);
                try (AtomicFile out = AtomicFile.create(change.getKey(), overwrite)) {
                    out.expect(bytes.length);
                    out.write(MemorySegment.ofArray(bytes));
                    out.commit();
                }
            }
        }
        return changes;
    }

    private static boolean holds(Path file, String text) {
        try {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return Files.isRegularFile(file)
                    && Files.size(file) == bytes.length
                    && Arrays.equals(Files.readAllBytes(file), bytes);
        } catch (IOException e) {
            return false; // writing it will say why
        }
    }
}
