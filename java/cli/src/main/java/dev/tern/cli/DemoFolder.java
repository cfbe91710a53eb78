package dev.tern.cli;

import dev.tern.io.InputException;
import dev.tern.ternary.Outtype;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where the demo works: a temporary folder that goes at its end, or one that the user wants to keep. */
final class DemoFolder implements AutoCloseable {
    private static final List<String> CHECKPOINT_FILES = List.of(
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json");

    private final Path folder;
    private final boolean temporary;

    private DemoFolder(Path folder, boolean temporary) {
        this.folder = folder;
        this.temporary = temporary;
    }

    /** Makes the folder and puts the packaged checkpoint into it. */
    static DemoFolder create(@Nullable Path keep) {
        try {
            DemoFolder folder = keep == null
                    ? new DemoFolder(Files.createTempDirectory("tern-demo-"), true)
                    : new DemoFolder(requireEmpty(keep), false);
            try {
                folder.unpack();
                return folder;
            } catch (IOException | RuntimeException e) {
                folder.close();
                throw e;
            }
        } catch (IOException e) {
            Object where = keep == null ? System.getProperty("java.io.tmpdir") : keep;
            throw InputException.at(where)
                    .problem("cannot be written: " + e)
                    .cure("Name another folder with --keep.")
                    .exception(e);
        }
    }

    private static Path requireEmpty(Path folder) throws IOException {
        Files.createDirectories(folder);
        try (Stream<Path> files = Files.list(folder)) {
            if (files.findAny().isPresent()) {
                throw InputException.at(folder).expected("an empty or a new folder").found("files in it").exception();
            }
        }
        return folder;
    }

    private void unpack() throws IOException {
        Files.createDirectory(kernels());
        Files.createDirectory(checkpoint());
        for (String name : CHECKPOINT_FILES) {
            try (InputStream in = DemoFolder.class.getResourceAsStream("demo/checkpoint/" + name)) {
                if (in == null) {
                    throw new IllegalStateException("demo/checkpoint/" + name + " is not in the jar");
                }
                Files.copy(in, checkpoint().resolve(name));
            }
        }
    }

    Path checkpoint() {
        return folder.resolve("checkpoint");
    }

    /** Where the generated kernels lie. */
    Path kernels() {
        return folder.resolve("kernels");
    }

    /** The model in one type. */
    Path model(Outtype type) {
        return folder.resolve("fables-" + type.label() + ".gguf");
    }

    @Override
    public void close() {
        if (!temporary) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
